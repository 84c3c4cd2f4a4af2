"""The unpickler: what it reads, and what hostile or broken files get."""

import codecs
import pickle
import re
import struct
from collections import OrderedDict

import numpy as np
import pytest
import python2_npy

from lab import pickles
from lab.errors import LabError

WHAT = "a pickle like train.p"
SAMPLE = {
    "features": np.arange(2 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 32, 32, 3),
    "labels": np.array([0, 42]),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big-endian": np.array(5, ">i8"),
    "empty": np.empty((0, 4), np.float32),
    "flags": np.array([True, False]),
    "halves": np.array([0.5, np.inf], np.float16),
    "axes in another order": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
}


def given(tmp_path, content: bytes):
    """A file of these bytes."""
    path = tmp_path / "train.p"
    path.write_bytes(content)
    return path


def refusal(path) -> str:
    """The one line that loading the file ends in."""
    with pytest.raises(LabError, match=f"^{re.escape(str(path))}: expected {WHAT}; ") as caught:
        pickles.load(path, WHAT)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_gives_back_what_was_written(tmp_path, protocol):
    """Arrays of all kinds of number, order and size, and plain objects, come back as they were."""
    plain = {"list": [1, -2.5, None, True, b"", b"\xff", ("é", 2**63)], 3: {"nested": []}}
    loaded = pickles.load(given(tmp_path, pickle.dumps(SAMPLE | plain, protocol)), WHAT)
    assert {name: loaded[name] for name in plain} == plain
    for name, array in SAMPLE.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_numpy_1_names(tmp_path):
    """A file that NumPy 1 wrote, whose module names have no underscore."""
    content = pickle.dumps(SAMPLE, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    loaded = pickles.load(given(tmp_path, content), WHAT)
    np.testing.assert_array_equal(loaded["features"], SAMPLE["features"])


def test_python_2_keys_are_text(tmp_path):
    """Python 2's str keys come as str, its values as bytes."""
    loaded = pickles.load(given(tmp_path, b"(dp0\nS'labels'\np1\nS'Stop'\np2\ns."), WHAT)
    assert loaded == {"labels": b"Stop"}


def test_file_is_read_from_where_it_stands(tmp_path):
    """An open file behind a header: a 0-d array of objects is given as its object."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    path = python2_npy.write(tmp_path / "weights.npy", {"fc6": [array, array[0]]})
    with open(path, "rb") as file:
        file.seek(80)
        loaded = pickles.read(file)
    assert list(loaded) == ["fc6"]
    np.testing.assert_array_equal(loaded["fc6"][0], array)
    np.testing.assert_array_equal(loaded["fc6"][1], array[0])


def test_large_arrays_are_not_copied(tmp_path):
    """An array's memory is the bytes object that was read."""
    content = pickle.dumps({"features": np.zeros(10_000, np.uint8)}, 3)
    array = pickles.load(given(tmp_path, content), WHAT)["features"]
    assert isinstance(array.base, bytes)


class Runs:
    """Unpickled by the standard library, this calls what it was given."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("hostile", "name"),
    [
        (Runs(exec, "open('ran', 'w')"), "builtins.exec"),
        (Runs(np.load, "anything.npy"), "numpy.load"),
        (Runs(np.fromfile, "/dev/zero"), "numpy.fromfile"),
        (OrderedDict(), "collections.OrderedDict"),
        (np.dtype, "numpy.type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("protocol", [3, 5])
def test_other_globals_are_refused_by_name(tmp_path, monkeypatch, hostile, name, protocol):
    """Whatever a pickle would import besides arrays is named and not run."""
    monkeypatch.chdir(tmp_path)
    if hostile is np.dtype:
        content = b"cnumpy\ntype\n."
    else:
        content = pickle.dumps({"features": hostile}, protocol)
    line = refusal(given(tmp_path, content))
    assert f"received a pickle that names {name}, which such data has no use for" in line
    assert "so it was not loaded; get it again or take another" in line
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"\x80\x02]q\x00h\x00a.", "one object in two places", id="cycle"),
        pytest.param(b"\x80\x04\x8f.", "the opcode EMPTY_SET, which", id="set"),
        pytest.param(pickle.dumps(2 * [[]]), "one object in two places", id="one list twice"),
        pytest.param(pickle.dumps(np.float32(1)), "multiarray.scalar, which", id="scalar"),
        pytest.param(pickle.dumps(np.array(["Stop"])), "an array of <U4, where", id="text"),
        pytest.param(pickle.dumps({(1, 2): 3}), "keys are no short names", id="key"),
        pytest.param(pickle.dumps({10**30: 3}), "a number of more than 64 bits", id="long number"),
        pytest.param(b"cnumpy\nndarray\n.", "leaves an array unfinished", id="class itself"),
        pytest.param(
            b"cnumpy\nndarray\n(I9999999999\ntR.",
            "makes something else than an array",
            id="huge array",
        ),
        pytest.param(
            pickle.dumps(np.array([1, "a"], object)), "an array of |O8, where", id="objects"
        ),
        pytest.param(pickle.dumps(np.zeros(2, "i4,f4")), "array of |V8", id="fields"),
        pytest.param(pickle.dumps(np.zeros(2, "M8[s]")), "array of <M8", id="dates"),
        pytest.param(pickle.dumps(np.zeros(2, "c16")), "array of <c16", id="complex"),
        pytest.param(
            b"c_codecs\nencode\n(Vx\nVzlib\ntR.", "makes something else", id="other codec"
        ),
    ],
)
def test_what_data_has_no_use_for_is_refused(tmp_path, content, reason):
    """Claims of memory, cycles, object arrays and the like end before anything is built."""
    line = refusal(given(tmp_path, content))
    assert reason in line


@pytest.mark.parametrize("content", [b"\x80\x02Nr\xff\xff\xff\x7f.", b"Np2147483647\n."])
def test_a_high_number_in_the_memory_takes_none(tmp_path, content):
    """The C unpickler makes room for as many objects: 10 bytes could claim 64 GB."""
    assert pickles.load(given(tmp_path, content), WHAT) is None


@pytest.mark.parametrize(
    "made",
    [
        (np._core.numeric._frombuffer, (bytes(8), np.dtype("i4"), (2,), np.arange(2))),
        (np._core.numeric._frombuffer, (bytes(8), np.dtype("i4"), (2,), np.arange(2), (0,))),
        (codecs.encode, ("a", np.arange(2))),
        (*np.arange(2).__reduce__()[:2], (1, (2,), np.dtype("i4"), np.arange(2), bytes(8))),
    ],
    ids=["order", "order and axes", "encoding", "columns first"],
)
def test_an_array_where_a_word_belongs(tmp_path, made):
    """An array equals a text element by element: which is true is no question to ask."""

    class Odd:
        def __reduce__(self):
            return made

    assert "a pickle that " in refusal(given(tmp_path, pickle.dumps({"a": Odd()}, 3)))


def test_sizes_that_do_not_fit_the_data(tmp_path):
    """An array that claims another shape than its bytes have."""
    content = pickle.dumps(np.zeros((3, 5), np.uint8), 3).replace(b"K\x03K\x05", b"K\x09K\x05")
    assert "an array (9, 5) of uint8 whose data are not of that size" in refusal(
        given(tmp_path, content)
    )


EARLY = "received a pickle that ends early or is none; get it again or take another"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(pickle.dumps(SAMPLE, 2)[:3000], EARLY, id="truncated, protocol 2"),
        pytest.param(pickle.dumps(SAMPLE, 4)[:3000], EARLY, id="truncated, protocol 4"),
        pytest.param(b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b".", EARLY, id="2^60 bytes"),
        pytest.param(b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".", EARLY, id="bytearray"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), "opcode PERSID", id="a picture"),
        pytest.param(b"<!DOCTYPE html>\n<html></html>\n", "unknown opcode", id="a web page"),
        pytest.param(b"(" * 100_000 + b"t" * 100_000 + b".", "nested more", id="nested deeply"),
        pytest.param(b"\x80\x02}]Ns.", "keys are no short names", id="list as key"),
        pytest.param(b".", EARLY, id="nothing on the stack"),
    ],
)
def test_broken_files(tmp_path, content, reason):
    """What is no pickle is one line that says what to do."""
    assert reason in refusal(given(tmp_path, content))


def test_no_file_at_all(tmp_path):
    """A missing name, a folder, an empty file."""
    missing = "there is no such file; check the name"
    assert refusal(tmp_path / "train.p").endswith(missing)
    assert refusal(tmp_path).endswith("received a folder; name a file")
    assert refusal(given(tmp_path, b"")).endswith(
        "received an empty file; get it again or take another"
    )


def test_every_truncation_and_every_flipped_byte(tmp_path):
    """No damage to a small file raises anything but the one error; most damage is noticed."""
    whole = pickle.dumps({"labels": np.arange(3), "l": [b"x", 1.5]}, 3)
    for length in range(1, len(whole)):
        refusal(given(tmp_path, whole[:length]))
    for position in range(len(whole)):
        for flip in (0x01, 0x20, 0xFF):
            damaged = bytearray(whole)
            damaged[position] ^= flip
            path = given(tmp_path, bytes(damaged))
            try:
                pickles.load(path, WHAT)
            except LabError as error:
                assert "\n" not in str(error)


def test_genuine_train_p(lab_data):
    """The real data set is four arrays of 39,209 rows."""
    content = pickles.load(lab_data / "train.p", WHAT)
    assert {name: array.shape for name, array in content.items()} == {
        "features": (39209, 32, 32, 3),
        "labels": (39209,),
        "sizes": (39209, 2),
        "coords": (39209, 4),
    }


@pytest.mark.parametrize("content", [b"c\x1b[2J%s\nsystem\n.", b"S%s\n."])
def test_long_texts_of_a_file_are_shortened(tmp_path, content):
    """What it names, and what Python says about it, fits into a line without commands."""
    path = tmp_path / "w.p"
    path.write_bytes(content % (b"a" * 10**6))
    with pytest.raises(LabError) as caught:
        pickles.load(path, "a pickle")
    assert len(str(caught.value)) <= 300 and str(caught.value).isprintable()

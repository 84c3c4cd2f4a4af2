"""Files of strangers: whose fault an error is, and what an array may claim."""

import json
import os
import zipfile

import numpy as np
import pytest

from lab import cached, untrusted
from lab.errors import LabError


def refused(parser, *arguments):
    with pytest.raises(LabError) as caught, untrusted.reading("x.bin", "a list"):
        untrusted.parse(parser, *arguments)
    return str(caught.value)


def test_what_a_parser_raises_is_the_files_fault(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    for parser, argument in [
        (json.loads, "[" * 100_000),  # RecursionError
        (json.loads, "{"),
        (np.dtype, "no such type"),  # TypeError
        (zipfile.ZipFile, tmp_path / "a.zip"),
        (bytes.decode, b"\xff"),  # UnicodeDecodeError
        (np.empty, (2**60,)),  # MemoryError
    ]:
        message = refused(parser, argument)
        assert message.startswith("x.bin: expected a list; received something that")
        assert message.endswith("; get it again or take another") and len(message) <= 300


def test_a_message_is_one_short_line():
    def parser():
        raise ValueError("a\nb\x1b[31m" * 10**6)

    message = refused(parser)
    assert "\n" not in message and "\x1b" not in message and len(message) <= 300


def test_a_bug_of_the_labs_own_shows():
    with pytest.raises(AttributeError), untrusted.reading("x.bin", "a list"):
        untrusted.parse(lambda: list(map(own_code, [1])))


def own_code(_):
    """As if it stood in lab/."""
    code = compile("None.no_such_name", untrusted.OWN + "/pickles.py", "eval")
    return eval(code)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(LabError, match="there is no such file"), untrusted.reading("x", "a list"):
        open(tmp_path / "x").close()
    with (
        pytest.raises(LabError, match="received a folder; name a file"),
        untrusted.reading(tmp_path, "a list"),
    ):
        open(tmp_path).close()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((2**62, 4), "u1"),
        ((-1,), "u1"),
        ((3,), "U0"),  # NumPy divides by the size of an item
        ((2**31 - 1, "a"), "u1"),
        ((True,), "u1"),
        ((1,) * 5, "u1"),
        ("11", "u1"),
        (None, "u1"),
        ((10**5000, 10**5000), "u1"),
        ((26, 4), "f8"),
    ],
)
def test_an_array_claims_no_more_than_there_is(shape, dtype):
    with pytest.raises(untrusted.Broken):
        untrusted.array_size(shape, np.dtype(dtype), 800)


@pytest.mark.parametrize("shape", [(), (0,), (25, 4), (100,), [10, 10]])
def test_the_size_of_an_array_is_numpys(shape):
    assert untrusted.array_size(shape, np.dtype("f8"), 800) == np.empty(shape, "f8").nbytes


def test_only_files_are_opened(tmp_path):
    """A pipe that nobody writes to would hold the first read for good."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"abc")
    with untrusted.opened(tmp_path / "file", "a list") as file:
        assert file.read() == b"abc"
    for path, reason in (("pipe", "a device or a pipe"), ("a\0b", "a null character")):
        with pytest.raises(LabError, match=reason), untrusted.opened(tmp_path / path, "a list"):
            pass


def test_json_that_is_one_small_object():
    assert untrusted.json_object(b'{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    nested = '{"a": ' + "[" * 30 + "]" * 30 + "}"
    many = '{"a": [' + "0," * untrusted.MOST_ITEMS + "0]}"
    for text in ("[]", "{", b"\xff", nested, many, '{"a": ' + "9" * 5000 + "}", " " * 2**24):
        with pytest.raises(untrusted.Broken):
            untrusted.json_object(text)


def test_leaves():
    content = {"a": [1, (2.5, {"b": "c"})], "d": []}
    assert sorted(map(str, untrusted.leaves(content))) == ["1", "2.5", "c"]
    assert list(untrusted.leaves("abc")) == ["abc"]


def test_what_is_kept_in_the_cache_is_thrown_away_where_it_is_broken(tmp_path, capsys):
    """It is said; that there is none at all is not."""
    path = tmp_path / "key.json"
    path.write_text("[]")
    for told in ("key.json: broken (JSON that is no object): it is thrown away and made again", ""):
        with cached.reading(path):
            untrusted.json_file(path)
        assert told in capsys.readouterr().err if told else not capsys.readouterr().err
        assert not path.exists()


def test_an_error_is_short_in_itself():
    """Not only where a script prints it: of a long one the start and the end are kept."""
    message = str(LabError(f"start {'x' * 10**6}; do this"))
    assert len(message) == 300
    assert message.startswith("start xxx") and message.endswith("xxx; do this")

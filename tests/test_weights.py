"""Weights files: what is read and written, and what broken ones get."""

import hashlib
import io
import re
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import python2_npy
from onnx import TensorProto, helper, numpy_helper

import alexnet
from lab import weights
from lab.errors import LabError
from lab.weights.onnx import CONVOLUTIONS, DENSE

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {"fc6": (8, 5), "conv1": (3, 3, 2, 4), "conv2": (1, 1, 4, 2)}


def random_arrays(shapes=SHAPES, dtype=np.float32):
    """Layers of these shapes, every number different."""
    generator = np.random.default_rng(1)
    return {
        name: (generator.normal(size=s).astype(dtype), generator.normal(size=s[-1]).astype(dtype))
        for name, s in shapes.items()
    }


def assert_same(arrays, expected):
    """The same layers with the same numbers, as float32."""
    assert set(arrays) == set(expected)
    for name, pair in expected.items():
        for array, wanted in zip(arrays[name], pair, strict=True):
            np.testing.assert_array_equal(array, wanted)
            assert array.dtype == np.float32


def refusal(path) -> str:
    """The one line that reading the file ends in."""
    with pytest.raises(LabError, match=f"^{re.escape(str(path))}: expected ") as caught:
        weights.read(path)
    line = str(caught.value)
    assert line.isprintable() and len(line) <= 300
    return line


def memory_of_refusal(path) -> int:
    """The most bytes that Python and NumPy took at once until a file was refused."""
    refusal(path)  # what is imported for it
    tracemalloc.start()
    refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def saved(path, obj):
    """An .npy file of any object, as NumPy under Python 3 writes it."""
    np.save(path, obj, allow_pickle=True)
    return path


# .npy


def test_npy_of_python_2(tmp_path):
    """The layout of bvlc-alexnet.npy; the hash is that of the file."""
    arrays = random_arrays({"fc6": (300, 5), "conv1": (3, 3, 2, 4), "fc7": (2, 2)})
    path = python2_npy.write(tmp_path / "weights.npy", arrays)
    loaded = weights.read(path)
    assert_same(loaded.arrays, arrays)
    assert loaded.path == path
    assert loaded.recipe is None
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_writer_writes_the_genuine_layout(lab_data):
    """The test's own writer agrees with the genuine file up to fc6's numbers."""
    start = b""
    for piece in python2_npy.pieces({"fc6": [np.empty((9216, 4096), np.float32)]}):
        start += piece
        if len(start) >= 288:  # before the numbers are made: 151 MB
            break
    genuine = (lab_data / "bvlc-alexnet-truncated.npy").read_bytes()
    assert start[:288] == genuine[:288]


def test_npy_of_python_3(tmp_path):
    """A dict saved today, its pairs as tuples."""
    arrays = random_arrays()
    assert_same(weights.read(saved(tmp_path / "w.npy", arrays)).arrays, arrays)


def test_npy_is_not_copied(tmp_path):
    """Arrays share the memory that the file was read into."""
    path = python2_npy.write(tmp_path / "w.npy", random_arrays({"fc6": (300, 5)}))
    assert isinstance(weights.read(path).arrays["fc6"][0].base, bytes)


def test_truncated_genuine_file(lab_data):
    """What an interrupted download leaves behind."""
    line = refusal(lab_data / "bvlc-alexnet-truncated.npy")
    assert "received a pickle that ends early or is none" in line
    assert line.endswith("; get it again or take another")


def test_truncated_npy(tmp_path):
    """Cut in the header, behind it, in the numbers, before the end."""
    whole = python2_npy.write(tmp_path / "whole.npy", random_arrays()).read_bytes()
    for length in (6, 9, 40, 80, 81, 300, len(whole) - 1):
        path = tmp_path / "cut.npy"
        path.write_bytes(whole[:length])
        assert "; get it again" in refusal(path)


class Runs:
    """Runs code in a careless unpickler."""

    def __reduce__(self):
        return exec, ("raise SystemExit",)


def test_hostile_npy(tmp_path):
    """A pickle in an .npy is read by the allow-list as well."""
    line = refusal(saved(tmp_path / "w.npy", {"conv1": Runs()}))
    assert "received a pickle that names builtins.exec, which such data has no use for" in line


PAIR = [np.zeros((200, 9)), np.zeros(9)]


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (np.zeros((2, 3)), "received one array (2, 3) of <f8; an .npy must hold a dict"),
        (np.array([1, None]), "holds an array of |O8, where only numbers"),
        ({}, "received a file without any layer"),
        ({"conv1": [np.zeros((2, 3))]}, "received for conv1: float64 (2, 3); each layer needs"),
        ({"conv1": [np.zeros(3, int), np.zeros(3)]}, "for conv1: int64 (3,), float64 (3,); each"),
        ({"conv1": {"weights": 1}}, "received for conv1: dict; each layer needs a kernel and a"),
        ({"conv1": []}, "received for conv1: nothing; each layer needs"),
        ({1.5}, "with the opcode EMPTY_SET, which"),
        ({"conv1": [1] * 1000}, "received for conv1: int, int, int; each layer needs a kernel"),
        ({"a" * 41: PAIR}, "received a layer whose name is no short text"),
        ({5: PAIR}, "received a layer whose name is no short text"),
        ({"conv\n": PAIR}, "received a layer whose name is no short text"),
        ({"conv1": PAIR, "conv2": PAIR}, "received a pickle that holds one object in two places"),
        ("conv1", "received one array () of <U5; an .npy must hold a dict"),
        (np.array(None), "received a NoneType; an .npy must hold a dict"),
    ],
)
def test_npy_of_something_else(tmp_path, content, received):
    """Well-formed files that hold no layers."""
    assert received in refusal(saved(tmp_path / "w.npy", content))


# .npz


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_npz_comes_back(tmp_path, dtype):
    """What was saved is read, widened to float32, with its recipe."""
    arrays = random_arrays()
    weights.save(tmp_path / "w.npz", arrays, dtype, {"classes": ["Vorfahrt gewähren"], "rate": 0.1})
    loaded = weights.read(tmp_path / "w.npz")
    assert_same(loaded.arrays, {n: [a.astype(dtype) for a in p] for n, p in arrays.items()})
    assert loaded.recipe == {"classes": ["Vorfahrt gewähren"], "rate": 0.1}


def test_npz_of_anyone(tmp_path):
    """np.savez and np.savez_compressed, columns first, big-endian, no recipe."""
    arrays = random_arrays()
    entries = {}
    for name, (kernel, bias) in arrays.items():
        entries |= {f"{name}/bias": bias.astype(">f4"), f"{name}/kernel": np.asfortranarray(kernel)}
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "w.npz", **entries)
        loaded = weights.read(tmp_path / "w.npz")
        assert_same(loaded.arrays, arrays)
        assert loaded.recipe is None


def test_same_weights_same_bytes(tmp_path):
    """The trunk's hash ties a classifier to it, so it may not depend on the time of day."""
    for name in ("a.npz", "b.npz"):
        weights.save(tmp_path / name, random_arrays(), recipe={"seed": 1})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_save_refuses_what_float16_cannot_hold(tmp_path):
    """Infinities are not written, and nothing half-written stays."""
    arrays = {"fc6": (np.full((2, 1), 1e5, np.float32), np.zeros(1, np.float32))}
    wanted = "fc6 kernel as float16: expected finite numbers; received 0 NaN and 2 infinite of 2"
    with pytest.raises(LabError, match=f"^{wanted}; "):
        weights.save(tmp_path / "w.npz", arrays, np.float16)
    assert not list(tmp_path.iterdir())


def zip_of(path, members):
    """A compressed zip of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(array, shape=None, descr=None):
    """An .npy as bytes, whose header may claim another shape or type."""
    file = io.BytesIO()
    header = {"descr": descr or "<f4", "fortran_order": False, "shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def header(text):
    """An .npy of nothing but a header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


ZEROS, KERNEL = np.zeros((2, 3), np.float32), "conv1/kernel.npy"


MORE, HEADER = "an array that claims more than", "an .npy whose header is damaged"


@pytest.mark.parametrize(
    ("array", "shape", "descr", "received"),
    [
        (ZEROS, (10**6, 10**6), "<f4", MORE),
        (ZEROS, (2, 2), "<f4", "an array of <f4 (2, 2) in 24 bytes"),
        (ZEROS, (-1, -6), "<f4", HEADER),
        (ZEROS, (6, 1, 1, 1, 1), "<f4", "an array whose shape is no short list"),
        (ZEROS[:0], (0, 10**30), "<f4", HEADER),
        (ZEROS[:0], (0,), "<U0", "an array of <U0 (0,) in 0 bytes"),
        (ZEROS, (-1,), "<U0", HEADER),
        (ZEROS, (3,), "|O", "an array of |O, where only numbers are read"),
        (ZEROS, (3,), "<M8[s]", HEADER),
        (ZEROS, (3,), [("a", "<f4"), ("b", "<f4")], HEADER),
    ],
)
def test_npz_that_declares_something_else(tmp_path, array, shape, descr, received):
    """Shapes that the data do not fill, that overflow, and other things than numbers or text."""
    path = zip_of(tmp_path / "w.npz", {KERNEL: npy(array, shape, descr)})
    assert f"received {received}" in refusal(path)


@pytest.mark.parametrize(
    ("members", "received"),
    [
        ({KERNEL: b"\x93NUMPY\x03\x00"}, "in a format that is not read here; it starts with b"),
        ({KERNEL: b""}, "in a format that is not read here; it starts with b''"),
        ({"notes.txt": b"no array at all"}, "it starts with b'no array'"),
        ({KERNEL: header("(" * 5000)}, "an .npy whose header is damaged"),
        ({KERNEL: header("{'descr': " + "9" * 20000)}, "an .npy whose header is damaged"),
        ({KERNEL: header("\x00\n  x")}, "an .npy whose header is damaged"),
        ({"kernel.npy": npy(ZEROS)}, "received an .npz with 'kernel'; its arrays must be named"),
        ({"conv1/mean.npy": npy(ZEROS)}, "received an .npz with 'conv1/mean'; its arrays must"),
        ({"conv1/kernel.npy": npy(ZEROS)}, "received for conv1: float32 (2, 3); each layer needs"),
        ({}, "received a file without any layer"),
    ],
)
def test_bad_npz(tmp_path, members, received):
    """Members that are no arrays, other names, halves of layers."""
    assert received in refusal(zip_of(tmp_path / "w.npz", members))


def with_recipe(path, text):
    """An .npz of one layer with any text as its recipe."""
    np.savez(path, recipe=np.array(text), **{"fc8/kernel": ZEROS, "fc8/bias": ZEROS[0]})
    return path


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("{}", 1.0),
        ('{"plan": {"scale": 0.015625}}', 0.015625),
        ('{"plan": {"scale": 2}}', 2.0),
        ('{"plan": {"epochs": 3}}', 1.0),
        ('{"plan": "three epochs", "scale": 5}', 1.0),
        ('{"plan": null}', 1.0),
    ],
)
def test_input_scale(tmp_path, text, scale):
    """The scale of the recipe's plan, where there is one."""
    assert weights.read(with_recipe(tmp_path / "w.npz", text)).input_scale == scale


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("{", "something that cannot be read (Expecting property name"),
        ("[]", "JSON that is no object"),
        ("3", "JSON that is no object"),
        ('"plan"', "JSON that is no object"),
        ("", "something that cannot be read (Expecting value"),
        ("[" * 100_000, "something that is too deep"),
        ('{"a": ' + 30 * "[" + 30 * "]" + "}", "parts that are nested more than 20 deep"),
        ('{"a": "' + "b" * 2**23 + '"}', "an array of <U8388617 () in 33554468 bytes"),
        ('{"a": [' + "[]," * 2**19 + "0]}", "a JSON object of too many items"),
        ("9" * 5000, "something that cannot be read (Exceeds the limit"),
    ],
)
def test_recipe_that_is_none(tmp_path, text, received):
    """Broken JSON, other JSON, and more than anyone writes."""
    assert f"received {received}" in refusal(with_recipe(tmp_path / "w.npz", text))


@pytest.mark.parametrize(
    "scale", ["0", "-1", "NaN", "Infinity", "1e39", "1e-39", "9" * 400, '"2"', "true", "null", "{}"]
)
def test_input_scale_that_is_no_number(tmp_path, scale):
    """A float32 that the input can be multiplied by, or the file is refused."""
    line = refusal(with_recipe(tmp_path / "w.npz", f'{{"plan": {{"scale": {scale}}}}}'))
    assert "received an .npz whose recipe has " in line and "as the input's scale; get" in line


def test_text_that_is_no_unicode(tmp_path):
    """Characters beyond Unicode are an error in Python's own insides."""
    members = {"recipe.npy": npy(np.array(0xFFFFFFFF, "<u4"), (), "<U1")}
    assert "cannot be read ('utf-32-le' codec" in refusal(zip_of(tmp_path / "w.npz", members))


def test_npz_bomb(tmp_path):
    """A small file that unpacks to more than any AlexNet is not unpacked."""
    bomb = zip_of(tmp_path / "w.npz", {KERNEL: npy(np.zeros(10**6, np.float32))})
    content = bytearray(bomb.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 2**29 + 1)
    bomb.write_bytes(content)
    assert "a zip that claims 536.9 MB for 'conv1/kernel.npy'" in refusal(bomb)


def test_npz_that_declares_less_than_it_unpacks_to(tmp_path):
    """100 kB that would unpack to 100 MB are read as far as they declare."""
    bomb = zip_of(tmp_path / "w.npz", {KERNEL: npy(np.zeros(25 * 10**6, np.float32))})
    content = bytearray(bomb.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 1000)
    bomb.write_bytes(content)
    assert memory_of_refusal(bomb) < 2**23


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_npz_packed_in_another_way(tmp_path, method):
    """bz2 and LZMA give more than a member declares, and NumPy writes neither."""
    with zipfile.ZipFile(tmp_path / "w.npz", "w", method) as archive:
        archive.writestr(KERNEL, npy(ZEROS))
    line = refusal(tmp_path / "w.npz")
    assert "received a zip with 'conv1/kernel.npy' in another form than stored or deflated" in line


@pytest.mark.parametrize("prints", [np.zeros(2, np.int64), np.zeros((2, 2), np.uint64)])
def test_fingerprints_of_another_kind(tmp_path, prints):
    """They are uint64 (m,), or the file is refused."""
    weights.save(tmp_path / "w.npz", random_arrays(), held_out=prints)
    assert f"an .npz with held_out as {prints.dtype} {prints.shape};" in refusal(tmp_path / "w.npz")


def test_fingerprints_come_back(tmp_path):
    """Also when there are none."""
    known, none = np.array([2**64 - 1, 3], np.uint64), np.zeros(0, np.uint64)
    weights.save(tmp_path / "w.npz", random_arrays(), trained_on=known, held_out=none)
    loaded = weights.read(tmp_path / "w.npz")
    np.testing.assert_array_equal(loaded.trained_on, known)
    assert loaded.held_out.dtype == np.uint64 and loaded.held_out.shape == (0,)


def test_a_file_larger_than_any_weights(tmp_path):
    """It is not read at all: this one is a hole of a gigabyte."""
    with open(tmp_path / "w.onnx", "wb") as file:
        file.write(b"\x08\x08")
        file.truncate(10**9)
    assert "received a file of 1.0 GB; get" in refusal(tmp_path / "w.onnx")


def test_error_lines_are_short_and_plain(tmp_path):
    """Names in a file can be long, and could command a terminal."""
    line = refusal(zip_of(tmp_path / "w.npz", {"\x1b[2J" + "a" * 5000: npy(ZEROS)}))
    assert "\\x1b[2Jaaaa" in line
    line = refusal(zip_of(tmp_path / "w.npz", {"\x1b" * 60 + "/kernel.npy": npy(ZEROS)}))
    assert "received a layer whose name is no short text" in line
    with pytest.raises(LabError) as caught:
        weights.check(dict.fromkeys(map(str, range(1000))), SHAPES, ["conv1"])
    assert len(str(caught.value)) <= 300


def test_damaged_npz(tmp_path):
    """Cut anywhere, or with any one byte changed: one clear line, or the same weights."""
    weights.save(tmp_path / "whole.npz", {"fc8": (np.ones((2, 3), np.float32), np.ones(3))})
    whole, path = (tmp_path / "whole.npz").read_bytes(), tmp_path / "w.npz"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        refusal(path)
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            loaded = weights.read(path)
        except LabError as error:
            assert "\n" not in str(error)
        else:
            assert all((array == 1).all() for pair in loaded.arrays.values() for array in pair)


# .onnx


SIZES = {"conv1": (3, 2), "conv2": (3, 3), "conv3": (4, 3), "conv4": (3, 4), "conv5": (3, 3)}
SIZES |= {"fc6": (48, 5), "fc7": (5, 4), "fc8": (4, 2)}


def network(transposed=True, tensor=numpy_helper.from_array, dtype=np.float32):
    """An ONNX model of AlexNet's form for pictures (1, 2, 4, 4), with random weights."""
    generator = np.random.default_rng(2)
    nodes, tensors, flow = [], [], "picture"
    for name, sizes in SIZES.items():
        shape = sizes[::-1] if transposed and name in DENSE else sizes
        shape = (*sizes, 3, 2) if name.startswith("conv") else shape
        for part, size in (("w", shape), ("b", sizes[0] if len(shape) == 4 else sizes[1])):
            tensors.append(tensor(generator.normal(size=size).astype(dtype), f"{name}_{part}_0"))
        inputs = [flow, f"{name}_w_0", f"{name}_b_0"]
        if name.startswith("conv"):
            nodes.append(helper.make_node("Conv", inputs, [name], pads=[1, 0, 1, 1]))
        else:
            nodes.append(helper.make_node("Gemm", inputs, [name], transB=int(transposed)))
        flow = name
        if name == "conv5":
            nodes.append(helper.make_node("Flatten", [flow], ["flat"]))
            flow = "flat"
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 2, 4, 4])
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in SIZES]
    graph = helper.make_graph(nodes, "alexnet", [picture], outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def packed(array, name):
    """A tensor whose numbers are a list of floats in place of raw bytes."""
    return helper.make_tensor(name, TensorProto.FLOAT, array.shape, array.ravel())


def correlate(x, kernel):
    """Plain convolution of (h, w, c) by HWIO, padded by 1 above, below and to the right."""
    x = np.pad(x, ((1, 1), (0, 1), (0, 0)))
    rows, columns = x.shape[0] - 2, x.shape[1] - 1
    return sum(x[i : i + rows, j : j + columns] @ kernel[i, j] for i in range(3) for j in range(2))


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("tensor", [numpy_helper.from_array, packed])
def test_onnx_against_its_own_runtime(tmp_path, transposed, tensor):
    """Each layer in NumPy on height, width, channel data, against onnxruntime on the same file."""
    path = tmp_path / "network.onnx"
    onnx.save(network(transposed, tensor), path)
    picture = np.random.default_rng(3).normal(size=(1, 2, 4, 4)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = dict(zip(SIZES, session.run(list(SIZES), {"picture": picture}), strict=True))
    arrays = weights.read(path).arrays
    assert list(arrays) == list(SIZES)
    x = picture[0].transpose(1, 2, 0)
    for name, (kernel, bias) in arrays.items():
        if name.startswith("conv"):
            x = correlate(x, kernel) + bias
            wanted = expected[name][0].transpose(1, 2, 0)
        else:
            x = x.ravel() @ kernel + bias
            wanted = expected[name][0]
        np.testing.assert_allclose(x, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_onnx_names_the_networks_layers():
    """lab.weights is below alexnet.py, so that it cannot import them."""
    assert [*CONVOLUTIONS, *DENSE] == [*alexnet.SHAPES]


def test_onnx_in_half_precision_and_of_the_trunk_alone(tmp_path):
    """float16 tensors are widened; a network that ends at conv5 gives its five layers."""
    model = network(dtype=np.float16)
    kernel = numpy_helper.to_array(model.graph.initializer[0])
    del model.graph.node[5:]
    onnx.save(model, tmp_path / "trunk.onnx")
    arrays = weights.read(tmp_path / "trunk.onnx").arrays
    assert list(arrays) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    np.testing.assert_array_equal(arrays["conv1"][0], kernel.transpose(2, 3, 1, 0))
    assert arrays["conv1"][0].dtype == np.float32


def spoil(model, what):
    """A model with one thing wrong."""
    graph = model.graph
    if what == "a node less":
        del graph.node[0]
    elif what == "no graph":
        model.ClearField("graph")
    elif what == "no bias":
        del graph.node[1].input[2]
    elif what == "no tensors":
        del graph.initializer[:]
    elif what == "whole numbers":
        graph.initializer[0].data_type = TensorProto.INT32
    elif what == "another shape":
        graph.initializer[0].dims[0] = 10**6
    elif what == "elsewhere":
        graph.initializer[0].ClearField("raw_data")
    elif what == "another file":
        onnx.external_data_helper.set_external_data(graph.initializer[0], "/etc/hostname")
    elif what == "another file, unmarked":
        graph.initializer[3].external_data.add(key="location", value="numbers.bin")
    elif what == "another file, by its mark":
        graph.initializer[0].data_location = TensorProto.EXTERNAL
    elif what == "one tensor twice":
        graph.node[3].input[1] = graph.node[2].input[1]
    elif what == "a negative shape":
        graph.initializer[0].dims[0], graph.initializer[0].dims[1] = -3, -2
    elif what == "no Unicode":
        graph.node[1].input[1] = "conv2_ä_0"
    elif what == "long names":
        graph.node[1].input[1] = "\x1b[2J" * 10_000
    elif what == "fc6 rows":
        graph.initializer[10].CopyFrom(numpy_helper.from_array(np.ones((5, 47)), "fc6_w_0"))
    return model


@pytest.mark.parametrize(
    ("what", "received"),
    [
        ("a node less", "with 4 Conv and 3 Gemm nodes, where AlexNet has 5 and 3"),
        ("no graph", "with 0 Conv and 0 Gemm nodes, where AlexNet has 5 and 3"),
        ("no bias", "without weights for conv2 (its inputs: conv1, conv2_w_0)"),
        ("no tensors", "without weights for conv1 (its inputs: picture, conv1_w_0, conv1_b_0)"),
        ("whole numbers", "with the weights of conv1 in a form that is not read here"),
        ("another shape", "array that claims more than the file holds"),
        ("elsewhere", "with the weights of conv1 in a form that is not read here"),
        ("another file", "with the weights of conv1 in another file, which is not opened"),
        (
            "another file, unmarked",
            "with the weights of conv2 in another file, which is not opened",
        ),
        (
            "another file, by its mark",
            "with the weights of conv1 in another file, which is not opened",
        ),
        ("one tensor twice", "without weights for conv4 (its inputs: conv3, conv3_w_0, conv4_b_0)"),
        ("a negative shape", "that claims shape (-3, -2, 3, 2) for conv1 in 144 bytes"),
        (
            "long names",
            "without weights for conv2 (its inputs: conv1, \\x1b[2J\\x1b[2J\\x1b[2..., conv2_b_0)",
        ),
        ("no Unicode", "without weights for conv2 (its inputs: conv1, conv2_\\xff\\xa4_0, c"),
        ("fc6 rows", "with 47 rows in fc6, no square of 3 channels"),
    ],
)
def test_onnx_of_something_else(tmp_path, what, received):
    """Another network, or tensors that are not there."""
    path = tmp_path / "w.onnx"
    content = spoil(network(), what).SerializeToString()
    path.write_bytes(content.replace("ä".encode(), b"\xff\xa4"))
    assert f"received an {received}" in refusal(path).replace("an .onnx ", "an ")


READ = """
import resource, sys
from lab import weights
from lab.errors import LabError
weights.read(sys.argv[1])  # whatever is imported for it
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    weights.read(sys.argv[2])
except LabError as error:
    print(error, file=sys.stderr)
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def field(number, content):
    """A protobuf field of bytes."""
    lengths = [len(content) >> 7 * i & 127 for i in range(4)]
    return bytes([number << 3 | 2, *(n | 128 for n in lengths[:3]), lengths[3]]) + content


@pytest.mark.parametrize("way", [[1], [5], [11], [1, 5], [5, 13]])
def test_onnx_of_tiny_parts(tmp_path, way):
    """4 MB of empty nodes, tensors, inputs, attributes, entries: protobuf would take 400 MB."""
    content = bytes([way[-1] << 3 | 2, 0]) * 2**21
    for number in (*way[-2::-1], 7):
        content = field(number, content)
    (tmp_path / "w.onnx").write_bytes(b"\x08\x08" + content)
    onnx.save(network(), tmp_path / "good.onnx")
    command = [sys.executable, "-c", READ, tmp_path / "good.onnx", tmp_path / "w.onnx"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search("received an .onnx with over (100|2000) parts in one; get", run.stderr)
    assert int(run.stdout) < 2**24


def test_damaged_onnx(tmp_path):
    """Cut or changed anywhere, it raises the one error or nothing."""
    whole, path = network().SerializeToString(), tmp_path / "w.onnx"
    generator = np.random.default_rng(4)
    for position in generator.integers(1, len(whole), 300):
        path.write_bytes(whole[:position])
        refusal(path)
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            weights.read(path)
        except LabError as error:
            assert "\n" not in str(error)


def test_the_onnx_package_is_not_needed(tmp_path):
    """The few fields that lead to weights are read by lab/weights/onnx.py itself."""
    onnx.save(network(), tmp_path / "w.onnx")
    read = "import sys; from lab import weights; weights.read(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", read, tmp_path / "w.onnx"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"onnx", "google.protobuf"} & set(run.stdout.split())


# Any file


def test_no_weights_at_all(tmp_path):
    """A missing name, a folder, an empty file, a web page."""
    (tmp_path / "empty.npy").touch()
    (tmp_path / "page.npy").write_text("<!DOCTYPE html>")
    assert "there is no such file; check the name" in refusal(tmp_path / "w.npy")
    assert "received a folder; name a file" in refusal(tmp_path)
    assert "received an empty file; get it again" in refusal(tmp_path / "empty.npy")
    assert "a file that starts with b'<!DOCTYP'; get" in refusal(tmp_path / "page.npy")


def test_genuine_convolutions(lab_data):
    """The real conv stack is read and passes its check."""
    shapes = {
        "conv1": (11, 11, 3, 96),
        "conv2": (5, 5, 48, 256),
        "conv3": (3, 3, 256, 384),
        "conv4": (3, 3, 192, 384),
        "conv5": (3, 3, 192, 256),
    }
    weights.check(weights.read(lab_data / "bvlc-alexnet-conv.npz").arrays, shapes, shapes)


# check


def spoiled(name, part, change):
    """Good layers of which one array is changed."""
    arrays = {layer: list(pair) for layer, pair in random_arrays().items()}
    arrays[name][part] = change(arrays[name][part].copy())
    return arrays


def with_values(*values):
    """A change that puts values at an array's start."""

    def change(array):
        array.flat[: len(values)] = values
        return array

    return change


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"conv1": (1, 2)},
            "expected weights of conv1, conv2, fc6; received conv1, without conv2, fc6; take a "
            "complete file, such as bvlc-alexnet.npy, or a layer before conv2",
        ),
        (
            {},
            "expected weights of conv1, conv2, fc6; received none, without conv1, conv2, fc6; take "
            "a complete file, such as bvlc-alexnet.npy, or a layer before conv1",
        ),
        (
            spoiled("conv2", 0, lambda a: a.transpose(0, 1, 3, 2)),
            "conv2 kernel: expected shape (1, 1, 4, 2); received (1, 1, 2, 4); take another "
            "weights file",
        ),
        (
            spoiled("fc6", 1, lambda a: a[:4]),
            "fc6 bias: expected shape (5,); received (4,); take another weights file",
        ),
        (
            spoiled("conv1", 1, lambda a: a.astype(int)),
            "conv1 bias: expected float numbers; received int64; take another weights file",
        ),
        (
            spoiled("conv1", 0, with_values(np.nan, 1, np.nan, -np.inf)),
            "conv1 kernel: expected finite numbers; received 2 NaN and 1 infinite of 72; take "
            "another weights file",
        ),
        (
            spoiled("fc6", 1, with_values(np.inf)),
            "fc6 bias: expected finite numbers; received 0 NaN and 1 infinite of 5; take another "
            "weights file",
        ),
    ],
)
def test_check_names_layer_expected_and_received(arrays, message):
    """Every way for weights to be wrong, by its text."""
    with pytest.raises(LabError, match=f"^{re.escape(message)}$"):
        weights.check(arrays, SHAPES, ["conv1", "conv2", "fc6"])


def test_check_looks_at_needed_layers_only():
    """Layers beyond the one asked for may be wrong or absent, and unknown ones may be there."""
    arrays = spoiled("fc6", 0, with_values(np.nan)) | {"fc9": 1}
    weights.check(arrays, SHAPES, ["conv1", "conv2"])
    weights.check({"conv1": arrays["conv1"]}, SHAPES, ["conv1"])

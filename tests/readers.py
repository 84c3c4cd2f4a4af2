"""Every reader of strangers' files by name, with small valid files of its kind, made by code.

What they are fuzzed with stands here too: a simple mutator, which knows that a zip has members and
a PNG has sums, and the rules that each read has to keep.
"""

import io
import json
import os
import pickle
import random
import re
import resource
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lab import pickles, pictures, runs, weights
from lab.data import gtsrb, table, train_p
from lab.data.hash_memory import HashMemory
from lab.errors import CONTROL, LabError

MOST_SECONDS = 2.0  # of the processor
SPARE = 64 * 2**20  # bytes beside twice what a file may hold
ORIGIN = {"seed": 1}
STATE = [np.ones((3, 2), np.float32), np.zeros((), np.int64)]


@dataclass(frozen=True)
class Reader:
    """A reader: function of a path, what it reads, and the file's name.

    Attributes:
        read: reads a file, and uses what it gives as the lab would.
        seeds: valid files.
        name: of the file.
        modules: of lab/, whose lines the seeds and their mutations should reach.
    """

    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    name: str
    modules: tuple[str, ...]


def read_classifier(path: Path) -> None:
    """A classifier that is accepted gives probabilities."""
    from lab import classifier  # with TensorFlow

    loaded = classifier.load(path)
    answers = loaded.probabilities(loaded.bias[None])
    sums = answers.shape == (1, len(loaded.classes)) and np.isclose(answers.sum(), 1)
    if not sums or "\n" in loaded.words():
        raise AssertionError("a classifier without probabilities or words")


def read_checkpoint(path: Path) -> None:
    """A checkpoint that is accepted has the shapes, and an epoch to go on with."""
    from lab.training import checkpoints

    values, where = checkpoints.read(path, ORIGIN, STATE, epochs=3, steps=5)
    if [v.shape for v in values] != [v.shape for v in STATE] or not 0 <= where["epoch"] <= 3:
        raise AssertionError("a checkpoint of another training")


def read_features(path: Path) -> None:
    """A cache entry that is accepted has rows of numbers."""
    from lab.features import cache

    (path.parent / "key.json").write_text("{}")
    features = cache._stored(path.parent, {}, 3)
    if features is not None and features[:].shape != (3, features.shape[1]):
        raise AssertionError("features of another shape")


def read_key(path: Path) -> None:
    """A cache entry's key is that of the features or another."""
    from lab.features import cache

    cache._stored(path.parent, {"version": 4}, 3)


def read_hashes(path: Path) -> None:
    """What is remembered of files is a number or nothing."""
    memory = HashMemory("set", "sign")
    memory._path.parent.mkdir(exist_ok=True)
    path.rename(memory._path)
    HashMemory("set", "sign").find(Path(__file__))


def saved(write: Callable[..., Any], *arguments: Any, **options: Any) -> bytes:
    """What a function writes into a file."""
    file = io.BytesIO()
    write(file, *arguments, **options)
    return file.getvalue()


def pickle_seeds() -> list[bytes]:
    """Arrays and plain containers in all protocols."""
    content = {"a": np.arange(6.0).reshape(2, 3), "b": [1, -2.5, None, True, b"\xff", ("é",)]}
    content |= {"c": np.asfortranarray(np.ones((2, 2), np.uint8)), 4: {}}
    content["d"] = np.arange(8).reshape(2, 2, 2).transpose(1, 0, 2)
    return [pickle.dumps(content, protocol) for protocol in range(6)]


def train_p_seeds() -> list[bytes]:
    """Two pictures with all columns, as arrays and as lists."""
    images, labels = np.zeros((2, 32, 32, 3), np.uint8), np.array([3, 42], np.uint8)
    columns = {"features": images, "labels": labels, "sizes": labels[:, None].repeat(2, 1)}
    columns["coords"] = labels[:, None].repeat(4, 1)
    lists = columns | {"labels": [3, 42], "sizes": [(30, 30), (31, 31)]}
    return [
        pickle.dumps(given, protocol) for given in (columns, lists) for protocol in (0, 2, 3, 5)
    ]


def npy_seeds() -> list[bytes]:
    """Two layers, as Python 3 writes them and as Python 2 did."""
    import python2_npy

    pair = [np.ones((3, 2), np.float32), np.zeros(2, np.float32)]
    old = b"".join(python2_npy.pieces({"conv1": pair, "fc6": pair}))
    layers = {"conv1": pair, "fc6": [array + 1 for array in pair]}
    return [old, saved(np.save, np.array(layers, object), allow_pickle=True)]


def npz_seeds() -> list[bytes]:
    """A layer with a recipe and fingerprints, stored and deflated."""
    entries: dict[str, Any] = {"fc8/kernel": np.ones((3, 2), np.float16), "fc8/bias": np.zeros(2)}
    entries |= {"trained_on": np.arange(3, dtype=np.uint64)}
    entries["recipe"] = np.array(json.dumps({"plan": {"scale": 0.5}}))
    return [saved(write, **entries) for write in (np.savez, np.savez_compressed)]


def onnx_seeds() -> list[bytes]:
    """The smallest network of AlexNet's form."""
    import onnx
    from onnx import helper, numpy_helper

    nodes, tensors = [], []
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"):
        convolution = name.startswith("conv")
        kernel = np.ones((1, 1, 1, 1) if convolution else (1, 1), np.float32)
        for part, array in (("w", kernel), ("b", np.ones(1, np.float32))):
            tensors.append(numpy_helper.from_array(array, f"{name}_{part}"))
        inputs = ["x", f"{name}_w", f"{name}_b"]
        if convolution:
            nodes.append(helper.make_node("Conv", inputs, [name]))
        else:
            nodes.append(helper.make_node("Gemm", inputs, [name], transB=1))
    tensors[2].CopyFrom(helper.make_tensor("conv2_w", onnx.TensorProto.FLOAT, (1, 1, 1, 1), [2.0]))
    return [helper.make_model(helper.make_graph(nodes, "a", [], [], tensors)).SerializeToString()]


def picture_seeds() -> list[bytes]:
    """Small pictures of every format and of many modes."""
    rgb = Image.fromarray(np.arange(12 * 9 * 3, dtype=np.uint8).reshape(12, 9, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    seeds = [saved(rgb.save, kind) for kind in ("PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP")]
    seeds += [saved(rgb.save, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP")]
    seeds += [saved(rgb.save, "JPEG", progressive=True), saved(rgb.save, "WEBP", lossless=True)]
    seeds += [saved(rgb.save, "TIFF", compression=c) for c in ("tiff_lzw", "tiff_deflate", "jpeg")]
    seeds += [saved(rgb.convert(mode).save, "PNG") for mode in ("L", "LA", "P", "1", "RGBA")]
    seeds += [saved(rgb.convert("CMYK").save, "JPEG"), saved(rgb.convert("L").save, "PPM")]
    return [*seeds, saved(Image.fromarray(np.ones((3, 4), np.uint16)).save, "PNG")]


def zip_seeds() -> list[bytes]:
    """GTSRB's training set and its test set, of two pictures each."""
    ppm = b"P6\n4 4\n255\n" + bytes(48)
    head = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
    rows = [f"00000_0000{i}.ppm;4;4;1;1;3;3;14\n" for i in range(2)]
    training: dict[str, Any] = {f"I/00014/00000_0000{i}.ppm": ppm for i in range(2)}
    training["I/00014/GT-00014.csv"] = head + "".join(rows)
    test: dict[str, Any] = {f"I/0000{i}.ppm": ppm for i in range(2)}
    test["I/GT-final_test.csv"] = head + "".join(rows).replace("00000_", "")
    return [zipped(members, method) for members in (training, test) for method in (0, 8)]


def zipped(members: dict[str, Any], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def table_seeds() -> list[bytes]:
    """A few rows, with and without groups."""
    return [
        b'file,class,group\na.png,cat,1\nb/c.png,"big, black cat",\n',
        b"\xef\xbb\xbfclass,file\r\ncat,a.png\r\ndog,b.png\r\n",
    ]


def classifier_parts(**changes: Any) -> dict[str, Any]:
    """The arrays of a classifier's file, of two classes on four places of pool5."""
    recipe = {"name": "a", "layers": ["pool5"], "power": 1.0, "scale": 1.0, "size": 99}
    described = {"classes": ["a", "b"], "variant": "caffe", "weights_sha256": "0" * 64}
    described |= {"temperature": 2.0, "trained": True, "recipe": recipe, "precision": "float32"}
    described |= {"notes": {"accuracy": 0.5, "judged_on": "tracks", "weights": "w.npz"}}
    arrays = {"kernel": np.ones((1024, 2), np.float16), "bias": np.zeros(2, np.float16)}
    text = np.array(json.dumps(described | {"crop": "sign"} | changes))
    return arrays | {"trained_on": np.arange(2, dtype=np.uint64), "recipe": text}


def classifier_seeds() -> list[bytes]:
    """A classifier of today and one that names its recipe, as version 1.0.0 did."""
    old = classifier_parts(layer="fc7")
    old["kernel"] = np.ones((4096, 2), np.float16)
    return [saved(np.savez, **parts) for parts in (classifier_parts(), old)]


def checkpoint_parts(**changes: Any) -> dict[str, Any]:
    """The arrays of a checkpoint's file."""
    record = {"epoch": 1, "seconds": 1.5, "loss": 2.0, "validation_accuracy": 0.5, "size": 99}
    where = {"epoch": 1, "step": 2, "loss": 0.5, "seconds": 3.0, "history": [record]}
    text = np.array(json.dumps(where | {"origin": ORIGIN} | changes))
    return {f"v{i}": value for i, value in enumerate(STATE)} | {"state": text}


def checkpoint_seeds() -> list[bytes]:
    """A checkpoint in the second epoch."""
    return [saved(np.savez, **checkpoint_parts())]


def json_seeds(*contents: Any) -> Callable[[], list[bytes]]:
    """JSON objects."""
    return lambda: [json.dumps(content).encode() for content in contents]


def feature_seeds() -> list[bytes]:
    """Three rows of features."""
    return [saved(np.save, np.ones((3, width), np.float16)) for width in (1, 7)]


NPZ = ("npz", "zips", "untrusted")
READERS = {
    "pickle": Reader(lambda p: pickles.load(p, "a pickle"), pickle_seeds, "a.p", ("pickles",)),
    "train.p": Reader(train_p.read, train_p_seeds, "a.p", ("pickles", "data/train_p")),
    "npy": Reader(weights.read, npy_seeds, "a", ("weights/npy", "weights/weights_file", "pickles")),
    "npz": Reader(weights.read, npz_seeds, "a", ("weights/npz", "weights/weights_file", *NPZ)),
    "onnx": Reader(weights.read, onnx_seeds, "a", ("weights/onnx",)),
    "picture": Reader(pictures.read, picture_seeds, "a", ("pictures/reading",)),
    "zip": Reader(gtsrb.read, zip_seeds, "a.zip", ("data/archives", "data/gtsrb", "zips")),
    "table": Reader(table.read, table_seeds, "a.csv", ("data/table",)),
    "classifier": Reader(
        read_classifier, classifier_seeds, "c.npz", ("classifier/loading", "features/recipes", *NPZ)
    ),
    "checkpoint": Reader(
        read_checkpoint, checkpoint_seeds, "c.npz", ("training/checkpoints", *NPZ)
    ),
    "options": Reader(
        lambda path: runs.options(path.parent),
        json_seeds({"data": "a.p", "epochs": 3, "skip_broken": True}),
        runs.OPTIONS,
        ("untrusted",),
    ),
    "features": Reader(read_features, feature_seeds, "features.npy", ("npz", "cached")),
    "key": Reader(
        read_key, json_seeds({"version": 4, "a": [1]}), "key.json", ("untrusted", "cached")
    ),
    "hashes": Reader(read_hashes, json_seeds({"/a": [5, 6, 7]}), "h.json", ("data/hash_memory",)),
}


class Rules:
    """Reads one file after the other and checks each against the rules.

    Attributes:
        refused, accepted: counts.
        slowest: seconds of the processor.
        most: bytes that a read took beyond those that the process had.
    """

    def __init__(self, reader: Reader, folder: Path):
        self.reader, self.folder = reader, folder
        self.refused = self.accepted = self.most = 0
        self.slowest = 0.0

    def read(self, content: bytes) -> None:
        """Reads a file of this content.

        Raises:
            AssertionError: a rule is broken.
            Exception: what the reader let through.
        """
        path = self.folder / self.reader.name
        path.write_bytes(content)
        before, most, start = resident(), peak(), time.process_time()
        try:
            self.reader.read(path)
            self.accepted += 1
        except LabError as error:
            self.refused += 1
            text = str(error)
            if len(text) > 300 or CONTROL.search(text):
                raise AssertionError(f"no short line: {text!r}") from error
        seconds = time.process_time() - start
        taken = peak() - before if peak() > most else 0
        self.slowest, self.most = max(self.slowest, seconds), max(self.most, taken)
        if seconds > MOST_SECONDS * max(1, len(content) / 1e7):
            raise AssertionError(f"{seconds:.1f} seconds")
        if taken > allowed(content):
            raise AssertionError(f"{taken:,} bytes for a file of {len(content):,}")


def allowed(content: bytes) -> int:
    """Bytes that reading a file may take: of a picture, 8 for each pixel that it claims."""
    pixels = 0
    try:
        with Image.open(io.BytesIO(content), formats=pictures.reading.FORMATS) as image:
            pixels = image.width * image.height
    except Exception:  # of any type: then it is no picture
        pixels = 0
    return SPARE + 2 * len(content) + 8 * min(pixels, pictures.reading.MOST_PIXELS)


def resident() -> int:
    """Bytes of memory that the process has now."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> int:
    """The most bytes of memory that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
TOKENS = [
    b"-1",
    b"0",
    b"99999999999",
    b"1e999",
    b"NaN",
    b"[]",
    b"{}",
    b'""',
    b"null",
    b"true",
    b"\0",
]
VALUE = re.compile(rb'(?<=": )[^,}\]]+')  # of JSON
TOKENS += [struct.pack("<I", n) for n in (0, 2**31 - 1, 2**31, 2**32 - 1)] + [
    b"U0",
    b"|O",
    b"\x1b[",
]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A file with a few changes; of a zip also of its members, of a PNG with right sums."""
    kind = chance.random()
    if content.startswith(b"PK") and kind < 0.7:
        return within_zip(content, lambda member: changed(member, chance), chance)
    result = changed(content, chance)
    return with_sums(result) if content.startswith(b"\x89PNG") and kind < 0.7 else result


def changed(content: bytes, chance: random.Random) -> bytes:
    """Bytes with one to four changes."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 4, 16, 64))
        match chance.randrange(6):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(data):
                data[place] = chance.choice(INTERESTING)
            case 2:
                data[place:place] = chance.choice(TOKENS)
            case 3:
                token = chance.choice(TOKENS)
                data[place : place + len(token)] = token
            case 4 if values := list(VALUE.finditer(data)):
                start, end = chance.choice(values).span()
                data[start:end] = chance.choice(TOKENS)
            case 4:
                del data[place : place + length]
            case _:
                other = chance.randrange(len(data) + 1)
                data[place:place] = data[other : other + length]
    return bytes(data)


def within_zip(content: bytes, change: Callable[[bytes], bytes], chance: random.Random) -> bytes:
    """The zip with one of its members, or a name, changed; what is no zip any more stays."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = [info for info in archive.infolist() if info.file_size < 2**20]
            members = {info.filename: archive.read(info) for info in infos}
            method = infos[0].compress_type
        name = chance.choice(list(members))
        if chance.random() < 0.1:
            members[change(name.encode()).decode("latin1")] = members.pop(name)
        else:
            members[name] = within_text(members[name], change)
        return zipped(members, method if method in (0, 8) else 0)
    except Exception:  # of any type
        return content


def within_text(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """An .npy changed; if it holds text, mostly the text, of the length that its header says."""
    if b"'<U" not in content[:40] or len(content) % 5 == 0:
        return change(content)
    text = content[128:].decode("utf-32-le").encode()
    return saved(np.save, np.array(change(text).decode("utf-8", "replace")))


def with_sums(content: bytes) -> bytes:
    """A PNG whose parts have the right sums again."""
    result, position = bytearray(content), 8
    while position + 12 <= len(result):
        (length,) = struct.unpack_from(">I", result, position)
        end = position + 8 + length
        if end + 4 > len(result):
            break
        struct.pack_into(">I", result, end, zlib.crc32(result[position + 4 : end]))
        position = end + 4
    return bytes(result)

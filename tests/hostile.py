"""Files made on purpose: each crashed, hung, filled the memory, or came out as a traceback.

`files()` makes them: name -> (a key of `readers.READERS`, content). They are small; what they claim
is not.
"""

import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image
from seeds import checkpoint_parts, classifier_parts, onnx_seeds, saved, zipped

Files = Iterator[tuple[str, str, bytes]]
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
NAME = b"cos\nsystem\n"


def files() -> Files:
    """Name, reader and content of every hostile file."""
    yield from calls()
    yield from pickles()
    yield from npy_headers()
    yield from zips()
    yield from onnx()
    yield from pictures()
    yield from descriptions()
    yield from tables()


def state(shape: bytes, code: bytes, data: bytes = b"S''\n") -> bytes:
    """The state of a pickled array."""
    dtype = b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb" % code
    return b"(I1\n" + shape + dtype + b"I00\n" + data + b"tb"


def calls() -> Files:
    """Every opcode that can call."""
    argument = b"(S'touch ran'\ntR."
    yield "REDUCE", "pickle", NAME + argument
    yield "REDUCE of a text", "pickle", b"S'os.system'\n" + argument
    yield "BUILD", "pickle", NAME + b"}S'__setstate__'\nI1\nsb."
    yield "BUILD of an array", "pickle", ARRAY + NAME + b"b."
    yield "INST", "pickle", b"(S'touch ran'\nios\nsystem\n."
    yield "OBJ", "pickle", b"(" + NAME + b"S'touch ran'\no."
    yield "NEWOBJ", "pickle", b"\x80\x02" + NAME + b"(S'touch ran'\nt\x81."
    yield "NEWOBJ_EX", "pickle", b"\x80\x04" + NAME + b"(S'touch ran'\nt}\x92."
    for number, code in (("1", b"\x82\x01"), ("2", b"\x83\x01\x00"), ("4", b"\x84\x01\0\0\0")):
        yield f"EXT{number}", "pickle", b"\x80\x02" + code + b"."
    yield "PERSID", "pickle", b"Pabc\n."
    yield "BINPERSID", "pickle", b"S'abc'\nQ."
    yield "STACK_GLOBAL", "pickle", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R."
    yield "NEXT_BUFFER", "pickle", b"\x80\x05\x97."
    yield "dotted name", "pickle", b"\x80\x04\x8c\x05numpy\x8c\x0cos.os.system_\x93."
    yield "other codec", "pickle", b"c_codecs\nencode\n(Vx\nVzlib\ntR."


def pickles() -> Files:
    """Crashes, hangs and memory."""
    nested = b"(" * 140_000 + b"t" * 140_000
    yield "nested tuples as a key", "pickle", b"}" + nested + b"I1\ns."
    doubled = b"".join(b"q%ch%ch%c\x86" % (i, i, i) for i in range(1, 41))
    yield "a key of 2^40 steps", "pickle", b"\x80\x02}K\x01\x85" + doubled + b"K\x01s."
    keys = ((number * (2**61 - 1)).to_bytes(10, "little") for number in range(60_000))
    many = b"".join(b"\x8a\x0a" + key + b"N" for key in keys)
    yield "colliding keys", "pickle", b"\x80\x02}(" + many + b"u."
    small = b"".join(b"J%sN" % struct.pack("<i", number) for number in range(60_000))
    yield "60,000 keys", "pickle", b"\x80\x02}(" + small + b"u."
    for name, shape in {
        "of no size": b"(I-1\nt",
        "of huge numbers": b"(" + (b"I" + b"9" * 4000 + b"\n") * 1000 + b"t",
        "that repeats a text": b"(I2147483647\nS'a'\nt",
        "of a petabyte": b"(L250000000000000L\nt",
    }.items():
        for code in (b"U0", b"u1"):
            yield f"a shape {name} of {code!r}", "pickle", ARRAY + state(shape, code) + b"."
    yield "a list in itself", "pickle", b"\x80\x02]q\x00(" + b"h\x00" * 3 + b"e."
    lists = b"".join(b"K%ch\x01" % number for number in range(200))
    shared = b"U\x01a]q\x01(" + b"K\x01" * 100 + b"e"
    yield "shared lists", "train.p", b"\x80\x02}(" + shared + lists + b"u."
    text = b"\x80\x02X\x40\x42\x0f\x00" + b"a" * 10**6 + b"q\x01"
    yield "a long text a thousand times", "train.p", text + b"(" + b"h\x01" * 1000 + b"t."
    columns = {"features": ["a" * 10**6] + ["b"] * 5000, "labels": [1] * 5001}
    yield "texts of one length", "train.p", pickle.dumps(columns, 2)
    for index in (b"r\xff\xff\xff\x7f", b"p2147483647\n"):
        yield f"memo {index[:2]!r}", "pickle", b"N" + index + b"."
    yield "memo of many digits", "pickle", b"Np" + b"9" * 10**6 + b"\n."
    yield "a memo that is not there", "pickle", b"j\xff\xff\xff\xff."
    yield "a character that widens a text", "pickle", pickle.dumps("a" * 10**7 + "\U0001f600", 2)
    yield "an escaped one", "pickle", b"V" + b"a" * 10**7 + b"\\U0001f600\n."
    yield "a long number", "pickle", b"I" + b"9" * 10**6 + b"\n."
    number = b"\x80\x02\x8b" + struct.pack("<I", 10**6) + b"\x11" * 10**6
    yield "a number of a megabyte", "pickle", number + b"."
    yield "a million empty lists", "pickle", b"(" + b"]" * 1_100_000 + b"l."
    yield "a million marks", "pickle", b"(" * 1_100_000
    array = np.zeros(1000, np.uint8)
    names = {str(number): array for number in range(900)}
    yield "an array under many names", "train.p", pickle.dumps(names)
    columns = {"features": np.zeros((1, 32, 32, 3), np.uint8), "labels": np.zeros(10**7, np.uint8)}
    yield "labels far larger than features", "train.p", pickle.dumps(columns)
    columns = {"features": np.zeros((60, 32, 32, 3), np.uint8), "labels": np.zeros(60, np.uint8)}
    columns["coords"] = np.full((60, 4), 2**62)
    yield "places beyond any picture", "train.p", pickle.dumps(columns)
    columns = {"features": np.zeros((2, 32, 32, 3), np.uint8), "labels": [1, np.zeros(1)]}
    yield "numbers and arrays in one list", "train.p", pickle.dumps(columns)


def npy(header: str, data: bytes = b"") -> bytes:
    """An .npy of any header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def npy_headers() -> Files:
    """Headers that NumPy's own reader lets escape as eight types of errors."""
    form = "{'descr': %s, 'fortran_order': False, 'shape': %s, }"
    headers = {
        "TokenError": "(" * 3000,
        "SyntaxError": "{'descr': ",
        "IndentationError": "  x\n y",
        "RecursionError": "-" * 9000 + "1",
        "TypeError": form % ("'<f4'", "7"),
        "IndexError": form % ("()", "()"),
        "OverflowError": form % ("'<f4'", f"({2**70},)"),
        "MemoryError": "[" * 9000,
        "no size": form % ("'<U0'", "(-1,)"),
        "sub-array": form % ("('<f4', (1000000000,))", "()"),
        "fields": form % ("'" + "f8," * 1000 + "f8'", "()"),
        "long number": form % ("'<f4'", "(" + "9" * 9000 + ",)"),
        "a petabyte": form % ("'<f4'", "(250000000000000,)"),
    }
    for name, header in headers.items():
        yield f"npy {name}", "npy", npy(header)
        yield f"npz {name}", "npz", zipped({"fc8/kernel.npy": npy(header)})
        yield f"features {name}", "features", npy(header)


def zips() -> Files:
    """Zips that unpack to more than they say, and members that are refused by name."""
    array = saved(np.save, np.zeros(10**6, np.float32))
    for name, method in (("bz2", zipfile.ZIP_BZIP2), ("LZMA", zipfile.ZIP_LZMA)):
        bomb = zipped({"fc8/kernel.npy": array}, method)
        for reader in ("npz", "classifier", "checkpoint", "zip"):
            yield f"{name} in {reader}", reader, declared(bomb, 100)
    bomb = zipped({"fc8/kernel.npy": bytes(10**8)}, zipfile.ZIP_DEFLATED)
    for reader in ("npz", "classifier", "checkpoint"):
        yield f"deflated {reader}", reader, bomb
        yield f"deflated {reader} that says 100", reader, declared(bomb, 100)
        yield f"{reader} that claims a petabyte", reader, declared(bomb, 2**32 - 2)
    csv = zipped({"00014/GT-00014.csv": bytes(10**8), "00014/00000_00000.ppm": b""}, 8)
    yield "a table of 100 MB", "zip", csv
    ppm = {"00014/00000_00000.ppm": b"P6 4 4 255\n" + bytes(48)}
    for name in ("../00014/a", "/etc/passwd", "a/../../b", "..\\a"):
        yield f"zip with {name!r}", "zip", zipped(ppm | {name: b"x"})
    twice = zipped({"00014/00000_00000.ppm": b"x", "00014/00000_0000X.ppm": b"y"})
    yield "two members of one name", "zip", twice.replace(b"0000X", b"00000")
    for offset, value, name in ((8, b"\x01\0", "encrypted"), (10, b"\x63\0", "unknown method")):
        yield name, "zip", patched(zipped(ppm), offset, value)
    broken = bytearray(zipped(ppm))
    broken[-22 + 16 : -22 + 20] = b"\xff\xff\xff\x7f"
    yield "a directory elsewhere", "zip", bytes(broken)
    yield (
        "a name that is no text",
        "zip",
        zipped({"\udcff".encode("utf8", "replace").decode(): b""}),
    )
    entry = zipped({"a": b""})
    start = entry.index(b"PK\x01\x02")
    many = entry[:start] + entry[start:-22] * 180_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(many) - start, start, 0)
    yield "180,000 entries", "zip", many + end


def patched(content: bytes, offset: int, value: bytes) -> bytes:
    """A zip with a field changed in its directory."""
    data = bytearray(content)
    place = data.index(b"PK\x01\x02") + offset
    data[place : place + len(value)] = value
    return bytes(data)


def declared(content: bytes, size: int) -> bytes:
    """A zip whose first member says that it has another size."""
    return patched(content, 24, struct.pack("<I", size))


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """Seven bits a byte."""
    if number < 128:
        return bytes([number])
    return bytes([number & 127 | 128]) + varint(number >> 7)


def onnx() -> Files:
    """ONNX: claims, and other files."""
    (whole,) = onnx_seeds()
    dims = b"\x08" + varint(2**62)
    yield "onnx of huge dims", "onnx", whole.replace(b"\x08\x01\x08\x01", dims * 2, 1)
    packed = field(1, varint(2**62) * 300_000)
    tensor = field(8, b"conv1_w") + packed + b"\x10\x01" + field(9, b"\0\0\0\0")
    yield "onnx of 300,000 dims", "onnx", b"\x08\x08" + field(7, field(5, tensor))
    yield "onnx of 300,000 parts", "onnx", b"\x08\x08" + field(7, b"\x0a\0" * 300_000)
    yield "onnx of 49 bytes", "onnx", b"\x08\x08" + field(7, field(5, b"\x0a\x05" + b"\xff" * 40))
    import onnx

    for key in ("/etc/hostname", "../a", "numbers.bin"):
        model = onnx.ModelProto.FromString(whole)
        onnx.external_data_helper.set_external_data(model.graph.initializer[0], key)
        model.graph.initializer[0].ClearField("raw_data")
        yield f"onnx with {key}", "onnx", model.SerializeToString()
    model = onnx.ModelProto.FromString(whole)
    model.graph.initializer[9].dims[0] = 0
    model.graph.initializer[9].raw_data = b""
    yield "conv5 of length 0", "onnx", model.SerializeToString()
    model.graph.node[0].input[1] = "\x1b[2J" * 10**6
    yield "a long name", "onnx", model.SerializeToString()


def segment(marker: int, content: bytes) -> bytes:
    """A part of a JPEG."""
    return struct.pack(">BBH", 255, marker, 2 + len(content)) + content


def tiff(tags: dict[int, tuple[str, list[int]]], data: bytes = b"") -> bytes:
    """A TIFF of one directory: tag -> H or I, and values; the data come last."""
    place, entries, values = 14 + 12 * len(tags), b"", b""
    for tag, (form, numbers) in tags.items():
        packed = struct.pack(f"<{len(numbers)}{form}", *numbers)
        if len(packed) > 4:
            packed, values = struct.pack("<I", place + len(values)), values + packed
        kind = {"H": 3, "I": 4}[form]
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + values + data


def striped(strips: int) -> bytes:
    """A TIFF of 100x100 pixels whose rows are given again and again."""
    tags = {256: [100], 257: [100], 258: [8], 259: [1], 262: [1], 273: [8] * strips}
    tags |= {277: [1], 278: [1], 279: [100]}
    return tiff({tag: ("H", numbers) for tag, numbers in tags.items()})


def in_tiff(jpeg: bytes, side: int) -> bytes:
    """A TIFF of grey pixels that holds a JPEG."""
    tags = {256: [side], 257: [side], 258: [8], 259: [7], 262: [1], 273: [122]}
    tags |= {277: [1], 278: [side], 279: [len(jpeg)]}
    return tiff({tag: ("I", numbers) for tag, numbers in tags.items()}, jpeg)


def png(width: int, height: int, data: bytes = b"", colour: int = 2, bits: int = 8) -> bytes:
    """A PNG that claims a size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + sum_

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def pictures() -> Files:
    """Pictures that are large, long or slow."""
    yield "10,000,000 x 1", "picture", png(10_000_000, 1, bytes(30_000_001))
    yield "1 x 10,000,000", "picture", png(1, 10_000_000, bytes(40_000_000))
    yield "100,000 x 100,000", "picture", png(100_000, 100_000)
    header = struct.pack("<I", (16383 - 1) | (16383 - 1) << 14)
    body = b"VP8L" + struct.pack("<I", 9) + b"\x2f" + header + b"\0\0\0\0\0"
    yield "WebP of 34 bytes", "picture", b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    wide = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0\xff\x3f\0"
    yield "WebP canvas", "picture", b"RIFF" + struct.pack("<I", 4 + len(wide)) + b"WEBP" + wide
    flat = saved(Image.new("L", (4000, 4000)).save, "JPEG", progressive=True)
    scan = flat.rindex(b"\xff\xda")
    for count in (90, 2000):
        repeated = flat[:scan] + flat[scan:-2] * count + b"\xff\xd9"
        yield f"JPEG of {count} scans", "picture", repeated
    gif = saved(Image.new("P", (8, 8)).save, "GIF")
    yield "GIF canvas", "picture", gif[:6] + b"\xff\xff\xff\xff" + gif[10:]
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", 5000)
    tiff += b"".join(struct.pack("<HHII", i, 7, 60_000, 0) for i in range(256, 5256)) + bytes(4)
    yield "TIFF of shared tags", "picture", tiff
    yield "TIFF that begins past 2^63", "picture", b"II+\0\x08\0\0\0" + b"\xff" * 8
    exif = b"Exif\0\0" + tiff[:60_000]
    jpeg = saved(Image.new("RGB", (8, 8)).save, "JPEG")
    part = b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif
    yield "JPEG with such an Exif", "picture", jpeg[:2] + part + jpeg[2:]
    exifs = b"".join(segment(0xE1, b"Exif\0\0" + bytes(65_000)) for _ in range(30))
    exifs += segment(0xE1, b"Exif\0\0a") * 60_000
    yield "JPEG of 60,000 Exifs", "picture", jpeg[:2] + exifs + jpeg[2:]
    yield "JPEG padded", "picture", jpeg[:2] + b"\xff" * 9_900_000 + jpeg[2:]
    whole = png(8, 8, bytes(200))
    profile = b"iCCP" + b"a\0\0" + zlib.compress(bytes(10**6))
    part = struct.pack(">I", len(profile) - 4) + profile + struct.pack(">I", zlib.crc32(profile))
    yield "PNG of 1800 profiles", "picture", whole[:33] + part * 1800 + whole[33:]
    yield "PNG of 16 bits", "picture", png(9500, 9500, bytes(9500 * (1 + 8 * 9500)), 6, 16)
    yield "TIFF of 600,000 strips", "picture", striped(600_000)
    yield (
        "TIFF of a progressive JPEG",
        "picture",
        in_tiff(flat[:scan] + flat[scan:-2] * 60 + b"\xff\xd9", 4000),
    )
    yield "PPM as text", "picture", b"P3 1000 1000 9\n" + b"1 " * 3_000_000
    yield "PPM of 100 levels", "picture", b"P6 1000 1000 100\n" + bytes(3_000_000)
    yield "PPM of no end", "picture", b"P6 " + b"9" * 10**6
    yield "PPM that claims", "picture", b"P6 10000 10000 255\n"
    yield "PostScript", "picture", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit\n"


def descriptions() -> Files:
    """Classifiers, checkpoints, options and keys that would fail later."""
    for name, value in {
        "notes": ["a list"],
        "temperature": "warm",
        "temperature 0": 0.0,
        "temperature 1": 1,
        "temperature small": 5e-324,
        "classes": [1, 2],
        "classes text": "ab",
        "variant": "unknown",
        "trained": "yes",
        "recipe": {"name": "x", "layers": ["pool5"], "scale": "a"},
        "recipe layers": {"name": "x", "layers": [["pool5"]]},
        "recipe grid": {"name": "x", "layers": ["pool5"], "size": 0},
        "recipe half": {"name": "\ud800", "layers": ["pool5"], "size": 99},
        "classes twice": ["a", "a"],
        "classes half": ["a", "\ud800"],
        "surprise": 1,
        "weights_sha256": None,
    }.items():
        changes = {name.split(" ")[0]: value}
        yield f"classifier: {name}", "classifier", saved(np.savez, **classifier_parts(**changes))
    for name, array in {
        "kernel": np.ones((1024, 3), np.float32),
        "kernel text": np.array("a"),
        "bias": np.full(2, np.nan, np.float32),
        "bias large": np.full(2, 1e300),
        "trained_on": np.zeros(2),
        "novelty/scales": np.float32(1),
    }.items():
        parts = classifier_parts() | {name.split(" ")[0]: array}
        yield f"classifier: {name}", "classifier", saved(np.savez, **parts)
    for layers, width in ((["fc7"], 4096), (["pool5"] * 2, 2048)):
        parts = classifier_parts(recipe={"name": "x", "layers": layers, "size": 99})
        parts["kernel"] = np.ones((width, 2), np.float16)
        yield f"classifier: {len(layers)} {layers[0]} of 99", "classifier", saved(np.savez, **parts)
    measure = {"centres": (2, 2), "scales": 2, "middles": (2, 256), "reach": (), "mean": 256}
    measure |= {"inverse": (), "limits": 2}
    parts = {f"novelty/{name}": np.full(size, 3e38, np.float32) for name, size in measure.items()}
    parts |= {"novelty/whiten": np.ones((256, 256), np.float16)}
    parts |= classifier_parts(threshold=1.0)
    yield "classifier: a measure of large numbers", "classifier", saved(np.savez, **parts)
    nested = "[" * 900 + "]" * 900
    parts = classifier_parts() | {"recipe": np.array('{"notes": ' + nested + "}")}
    yield "classifier: nested", "classifier", saved(np.savez, **parts)
    for name, value in {
        "epoch": 4, "epoch text": "one", "epoch true": True, "step": -1, "loss": None,
        "loss inf": float("inf"), "history": [1], "history short": [], "origin": 3,
        "origin other": {}, "more": 1,
    }.items():  # fmt: skip
        changes = {name.split(" ")[0]: value}
        yield f"checkpoint: {name}", "checkpoint", saved(np.savez, **checkpoint_parts(**changes))
    for name, array in {"v0": np.ones(3, np.float32), "v1": np.zeros(()), "v2": np.ones(1)}.items():
        parts = checkpoint_parts() | {name: array}
        yield f"checkpoint: {name}", "checkpoint", saved(np.savez, **parts)
    without = {name: array for name, array in checkpoint_parts().items() if name != "v0"}
    yield "checkpoint: no v0", "checkpoint", saved(np.savez, **without)
    for reader in ("options", "key", "hashes"):
        for name, content in {
            "nested": '{"data": ' + nested + "}",
            "deep": "[" * 10**6,
            "huge number": '{"data": ' + "9" * 10**5 + "}",
            "a million lists": '{"data": [' + "[]," * 10**6 + "1]}",
            "no object": "[]",
            "no text": "\udcff",
        }.items():
            yield f"{reader}: {name}", reader, content.encode("utf8", "surrogateescape")
    yield "options: escapes", "options", json.dumps({"\x1b[2J": 1}).encode()
    yield "hashes: no numbers", "hashes", json.dumps({"a": ["x", {}, None]}).encode()


def tables() -> Files:
    """Tables: header only, wide, binary, long lines."""
    yield "header only", "table", b"file,class\n"
    yield "columns", "table", b"file,class" + b",a" * 50_000 + b"\n" + b"x,y\n" * 50_000
    yield "a long line", "table", b"file,class\n" + b"a" * 10**7
    yield "an open quote", "table", b'file,class\n"' + b"a\n" * 10**6
    yield "no UTF-8", "table", b"file,class\n\xff\xfe,a\n"
    yield "zeros", "table", bytes(10**6)
    yield "a terminal's commands", "table", b"file,class\n\x1b[2Ja\n"
    many = b"".join(b"%d,a\n" % number for number in range(700_000))
    yield "tiny rows", "table", b"file,class\n" + many
    yield "the last row is wrong", "table", b"file,class\n" + many[: many.index(b"99999,")] + b"0,a"
    groups = b"".join(b"%d,%d,%d\n" % (number, number, number) for number in range(90_000))
    yield "tiny groups", "table", b"file,class,group\n" + groups + b"0,a,a"
    yield (
        "large rows",
        "table",
        b"file,class\n"
        + b"".join(
            b"./%d%s\xf0\x9f\x98\x80,%s\n" % (number, b"a" * 3000, b"b" * 3000)
            for number in range(1390)
        )
        + b"./0,",
    )
    wide = ";".join(
        ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId", *[""] * (2**22 - 100)]
    )
    many = {f"{number:05}/GT-00014.csv": wide for number in range(40)}
    yield "GTSRB wide tables", "zip", zipped(many, zipfile.ZIP_DEFLATED)
    yield "GTSRB //", "zip", zipped({"00014//GT-00014.csv": "", "00014//00000_00000.ppm": b""})
    rows = b"Filename;Width\n"
    yield "GTSRB header only", "zip", zipped({"00014/GT-00014.csv": rows, "00014/a.ppm": b""})
    head = b"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
    yield "GTSRB no rows", "zip", zipped({"00014/GT-00014.csv": head})
    yield "GTSRB no bytes", "zip", zipped({"00014/GT-00014.csv": b"", "00014/a.ppm": b""})
    digits = "٣".encode() * 5
    row = b"00000_00000.ppm;4;4;1;1;3;3;" + digits
    yield "GTSRB other digits", "zip", zipped({"00014/GT-00014.csv": head + row})

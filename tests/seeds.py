"""Small valid files of every kind that the lab reads, made by code."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

ORIGIN = {"seed": 1}  # of a checkpoint's training
STATE = [np.ones((3, 2), np.float32), np.zeros((), np.int64)]


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
    return [saved(np.save, np.full((3, 4), value, np.float16)) for value in (1, 7)]

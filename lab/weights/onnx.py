"""ONNX: AlexNet's weights out of a graph, whose layers are known by their order.

The ONNX model zoo has the BVLC weights as bvlcalexnet-12.onnx, with a published hash. An .onnx is a
protobuf message; only the fields that lead to weights are read, by their numbers in onnx.proto.
"""

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from lab.errors import shown
from lab.untrusted import Broken, array_size

CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4", "conv5")
DENSE = ("fc6", "fc7", "fc8")
FLOATS = {1: "<f4", 10: "<f2", 11: "<f8"}  # TensorProto.DataType
GRAPH = 7
NODE, INITIALIZER = 1, 5  # of a graph
INPUT, OP_TYPE, ATTRIBUTE = 1, 4, 5  # of a node
ATTRIBUTE_NAME, ATTRIBUTE_I = 1, 3
DIMS, DATA_TYPE, FLOAT_DATA, NAME, RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 4, 8, 9, 13, 14
MOST_PARTS, MOST_FIELDS = 2000, 100  # of a graph, where BVLC AlexNet has 60; of other messages
DAMAGED = "an .onnx that is cut short or damaged"

Pair = tuple[np.ndarray, np.ndarray]
Fields = dict[int, list[Any]]  # number -> its values, int or memoryview


def layers(file: BinaryIO) -> Iterator[tuple[str, Pair]]:
    """Reads the weights of a network of AlexNet's form, one layer after the other.

    Args:
        file: the open file, at its start: five Conv nodes and up to three Gemm nodes, weights as
            initializers. Files that it refers to are not opened.

    Yields:
        conv1 ... fc8, each with (kernel, bias) as float numbers: kernels HWIO in place of ONNX's
        OIHW, fc6 to fc8 (inputs, outputs), fc6's rows in height, width, channel order in place of
        channel, height, width.

    Raises:
        Broken: it is cut short, or holds another network.
    """
    graph = _fields(_last(_fields(memoryview(file.read())), GRAPH, b""), MOST_PARTS)
    tensors = {_text(tensor, NAME): tensor for tensor in map(_fields, graph.get(INITIALIZER, []))}
    nodes = [_fields(node) for node in graph.get(NODE, [])]
    convolutions = [node for node in nodes if _text(node, OP_TYPE) == "Conv"]
    dense = [node for node in nodes if _text(node, OP_TYPE) == "Gemm"]
    if len(convolutions) != len(CONVOLUTIONS) or len(dense) > len(DENSE):
        raise Broken(
            f"an .onnx with {len(convolutions)} Conv and {len(dense)} Gemm nodes, where AlexNet "
            "has 5 and 3"
        )
    channels = 0
    for name, node in zip(CONVOLUTIONS, convolutions, strict=True):
        kernel, bias = _weights(name, node, tensors, 4)
        channels = len(bias)
        yield name, (kernel.transpose(2, 3, 1, 0), bias)  # OIHW -> HWIO
    for name, node in zip(DENSE, dense, strict=False):
        kernel, bias = _weights(name, node, tensors, 2)
        attributes = map(_fields, node.get(ATTRIBUTE, []))
        if any(_text(a, ATTRIBUTE_NAME) == "transB" and _last(a, ATTRIBUTE_I) for a in attributes):
            kernel = kernel.T
        yield name, (_rows_by_place(kernel, channels) if name == "fc6" else kernel, bias)


def _weights(name: str, node: Fields, tensors: dict[str, Fields], axes: int) -> Pair:
    inputs = [_decoded(text) for text in node.get(INPUT, [])[:3]]
    # Each tensor is given once: under two names it would take twice the file's memory.
    found = [tensors.pop(text) for text in inputs[1:] if text in tensors]
    shapes = [_shape(tensor) for tensor in found]
    if [len(shape) for shape in shapes] != [axes, 1]:
        listed = ", ".join(shown(text, 20) for text in inputs)
        raise Broken(f"an .onnx without weights for {name} (its inputs: {listed})")
    kernel, bias = (_array(name, *pair) for pair in zip(found, shapes, strict=True))
    return kernel, bias


def _shape(tensor: Fields) -> tuple[int, ...]:
    """A tensor's shape; its lengths may be packed into one field."""
    lengths: list[int] = []
    for value in tensor.get(DIMS, []):
        position = 0
        while not isinstance(value, int) and position < len(value) and len(lengths) <= 4:
            length, position = _varint(value, position)
            lengths.append(length)
        lengths += [value] if isinstance(value, int) else []
    return tuple(length - 2**64 if length >= 2**63 else length for length in lengths)


def _array(name: str, tensor: Fields, shape: tuple[int, ...]) -> np.ndarray:
    if EXTERNAL_DATA in tensor or _last(tensor, DATA_LOCATION):
        raise Broken(f"an .onnx with the weights of {name} in another file, which is not opened")
    kind = FLOATS.get(_last(tensor, DATA_TYPE))
    field = FLOAT_DATA if kind == "<f4" and RAW_DATA not in tensor else RAW_DATA
    data = _last(tensor, field, b"")
    if kind is None or isinstance(data, int) or not len(data):
        raise Broken(f"an .onnx with the weights of {name} in a form that is not read here")
    if min(shape) < 1 or array_size(shape, np.dtype(kind), len(data)) != len(data):
        raise Broken(f"an .onnx that claims shape {shape} for {name} in {len(data)} bytes")
    return np.ndarray(shape, kind, data)


def _rows_by_place(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Rows in channel, height, width order -> height, width, channel order."""
    rows, units = kernel.shape
    side = math.isqrt(rows // channels)
    if channels * side * side != rows:
        raise Broken(f"an .onnx with {rows} rows in fc6, no square of {channels} channels")
    by_channel = kernel.reshape(channels, side, side, units)
    return by_channel.transpose(1, 2, 0, 3).reshape(rows, units)


def _fields(message: Any, most: int = MOST_FIELDS) -> Fields:
    """A protobuf message's fields by number; texts, messages and packed numbers are not copied."""
    fields: Fields = {}
    position = count = 0
    if isinstance(message, int):
        raise Broken(DAMAGED)
    while position < len(message):
        key, position = _varint(message, position)
        value, position = _value(message, position, key & 7)
        fields.setdefault(key >> 3, []).append(value)
        count += 1
        if count > most:
            raise Broken(f"an .onnx with over {most} parts in one")
    return fields


def _value(message: Any, position: int, kind: int) -> tuple[Any, int]:
    """A field's value, and the position behind it."""
    if kind == 0:
        return _varint(message, position)
    if kind == 2:  # after its length
        length, position = _varint(message, position)
    else:
        length = {1: 8, 5: 4}.get(kind, len(message))
    if length > len(message) - position:
        raise Broken(DAMAGED)
    return message[position : position + length], position + length


def _last(fields: Fields, number: int, default: Any = 0) -> Any:
    """A field's value: the last one counts."""
    return fields.get(number, [default])[-1]


def _text(fields: Fields, number: int) -> str:
    return _decoded(_last(fields, number, b""))


def _decoded(text: Any) -> str:
    return "" if isinstance(text, int) else bytes(text[:1000]).decode(errors="backslashreplace")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, low ones first, and the position behind it."""
    value = 0
    for shift, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, position + shift + 1
    raise Broken(DAMAGED)

"""ONNX: AlexNet's weights out of a graph, whose layers are known by their order.

The ONNX model zoo has the BVLC weights as bvlcalexnet-12.onnx, with a published hash.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from lab.errors import LabError
from lab.untrusted import Broken

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4", "conv5")
DENSE = ("fc6", "fc7", "fc8")
FLOATS = {1: "<f4", 10: "<f2", 11: "<f8"}  # TensorProto.DataType
# onnx.proto's numbers of the fields that lead to weights: graph; initializer; float_data, raw_data.
PATH_TO_WEIGHTS = ((7,), (5,), (4, 9))
MOST_ELSE = 2**19  # bytes beside the weights; BVLC AlexNet's whole graph has 2,000
DAMAGED = "an .onnx that is cut short or damaged"

Pair = tuple[np.ndarray, np.ndarray]


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
        LabError: the onnx package is not installed.
    """
    graph = _graph(file)
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    dense = [node for node in graph.node if node.op_type == "Gemm"]
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
        if any(attribute.name == "transB" and attribute.i for attribute in node.attribute):
            kernel = kernel.T
        yield name, (_rows_by_place(kernel, channels) if name == "fc6" else kernel, bias)


def _graph(file: BinaryIO) -> "GraphProto":
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise LabError(
            f"the onnx package cannot be imported ({error}): pip install -r requirements.txt"
        ) from None
    content, left = file.read(), MOST_ELSE
    for size in _sizes_beside(PATH_TO_WEIGHTS, memoryview(content)):
        left -= size
        if left < 0:  # protobuf makes an object of 200 bytes for an empty part of 2
            raise Broken(f"an .onnx with over {MOST_ELSE} bytes beside the weights")
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise Broken(DAMAGED) from None
    return model.graph


def _weights(name: str, node: "NodeProto", tensors: dict[str, "TensorProto"], axes: int) -> Pair:
    # Each tensor is given once: under two names it would take twice the file's memory.
    found = [tensors.pop(text) for text in node.input[1:3] if text in tensors]
    if [len(tensor.dims) for tensor in found] != [axes, 1]:
        inputs = ", ".join(map(str, node.input[:3]))
        raise Broken(f"an .onnx without weights for {name} (its inputs: {inputs})")
    return _array(name, found[0]), _array(name, found[1])


def _array(name: str, tensor: "TensorProto") -> np.ndarray:
    if tensor.data_location or tensor.external_data:
        raise Broken(f"an .onnx with the weights of {name} in another file, which is not opened")
    shape, raw, numbers = tuple(tensor.dims), tensor.raw_data, tensor.float_data
    kind = FLOATS.get(tensor.data_type)
    if kind is None or not (raw or (numbers and kind == "<f4")):
        raise Broken(f"an .onnx with the weights of {name} in a form that is not read here")
    dtype = np.dtype(kind)
    size = len(raw) or len(numbers) * dtype.itemsize
    if min(shape) < 1 or math.prod(shape) * dtype.itemsize != size:
        raise Broken(f"an .onnx that claims shape {shape} for {name} in {size} bytes")
    array = np.frombuffer(raw, dtype) if raw else np.fromiter(numbers, dtype, len(numbers))
    return array.reshape(shape)


def _rows_by_place(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Rows in channel, height, width order -> height, width, channel order."""
    rows, units = kernel.shape
    side = math.isqrt(rows // channels)
    if channels * side * side != rows:
        raise Broken(f"an .onnx with {rows} rows in fc6, no square of {channels} channels")
    by_channel = kernel.reshape(channels, side, side, units)
    return by_channel.transpose(1, 2, 0, 3).reshape(rows, units)


def _sizes_beside(path: tuple[tuple[int, ...], ...], message: memoryview) -> Iterator[int]:
    """Sizes in bytes of a message's parts, without the content of those at the path's end."""
    for number, head, content in _fields(message):
        yield head
        if number not in path[0]:
            yield len(content)
        elif path[1:]:
            yield from _sizes_beside(path[1:], content)


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """A protobuf message's fields: number, length of what stands before the content, content."""
    position = 0
    while position < len(message):
        start = position
        key, position = _varint(message, position)
        if key & 7 == 2:  # text, a message or packed numbers, after their length
            length, position = _varint(message, position)
        elif key & 7 == 0:
            length = _varint(message, position)[1] - position
        else:
            length = {1: 8, 5: 4}.get(key & 7, len(message))
        if length > len(message) - position:
            raise Broken(DAMAGED)
        yield key >> 3, position - start, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, low ones first, and the position behind it."""
    value = 0
    for shift, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, position + shift + 1
    raise Broken(DAMAGED)

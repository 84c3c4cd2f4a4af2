"""AlexNet's weights out of an ONNX file, read without the onnx package.

ONNX is a protobuf message: numbered fields, each with its length. Of the whole format a few fields
are enough: the graph's nodes, their inputs, and the tensors (the numbers come from onnx.proto).
The ONNX model zoo has the BVLC weights as bvlcalexnet-12.onnx, with a published hash.
"""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4", "conv5")
DENSE = ("fc6", "fc7", "fc8")
FLOATS = {1: "<f4", 10: "<f2", 11: "<f8"}  # TensorProto.DataType

Message = dict[int, list]


def layers(content: bytes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Reads the weights of a network of AlexNet's form: layers are known by their order.

    Args:
        content: the file: five Conv nodes and up to three Gemm nodes, weights as initializers.

    Returns:
        conv1 ... fc8 -> (kernel, bias) as float numbers: kernels HWIO in place of ONNX's OIHW, fc6
        to fc8 (inputs, outputs), fc6's rows in height, width, channel order in place of channel,
        height, width.

    Raises:
        ValueError: it is cut short or another network; the text continues "an .onnx that ...".
    """
    graph = _only(_message(memoryview(content)), 7, "holds no graph")
    tensors = {_text(tensor, 8): tensor for tensor in map(_message, graph[5])}
    nodes = [_message(node) for node in graph[1]]
    convolutions = [node for node in nodes if _text(node, 4) == "Conv"]
    dense = [node for node in nodes if _text(node, 4) == "Gemm"]
    if len(convolutions) != len(CONVOLUTIONS) or len(dense) > len(DENSE):
        raise ValueError(
            f"has {len(convolutions)} Conv and {len(dense)} Gemm nodes, where AlexNet has 5 and 3"
        )
    arrays = {}
    for name, node in zip(CONVOLUTIONS, convolutions, strict=True):
        kernel, bias = _weights(name, node, tensors, 4)
        arrays[name] = kernel.transpose(2, 3, 1, 0), bias  # OIHW -> HWIO
    for name, node in zip(DENSE, dense, strict=False):
        kernel, bias = _weights(name, node, tensors, 2)
        arrays[name] = kernel.T if _attribute(node, "transB") else kernel, bias
    if "fc6" in arrays:
        kernel, bias = arrays["fc6"]
        arrays["fc6"] = _rows_by_place(kernel, channels=len(arrays["conv5"][1])), bias
    return arrays


def _rows_by_place(kernel: np.ndarray, channels: int) -> np.ndarray:
    """Rows in channel, height, width order -> height, width, channel order."""
    rows, units = kernel.shape
    side = math.isqrt(rows // channels)
    if channels * side * side != rows:
        raise ValueError(f"has {rows} rows in fc6, which are no square of {channels} channels")
    by_channel = kernel.reshape(channels, side, side, units)
    return by_channel.transpose(1, 2, 0, 3).reshape(rows, units)


def _weights(name: str, node: Message, tensors: dict[str, Message], axes: int):
    inputs = [bytes(text).decode("utf-8", "replace") for text in node[1]]
    found = [_array(name, tensors[text]) for text in inputs[1:] if text in tensors]
    if [array.ndim for array in found] != [axes, 1]:
        raise ValueError(f"holds no weights for {name} (its inputs: {', '.join(inputs)})")
    return found


def _array(name: str, tensor: Message) -> np.ndarray:
    """A TensorProto's numbers: as raw bytes (field 9) or as packed floats (field 4)."""
    kind = tensor[2][-1] if tensor[2] else 0
    shape = [n for field in tensor[1] for n in (_packed(field) if _is_bytes(field) else [field])]
    data = tensor[9] or tensor[4]
    if kind not in FLOATS or len(data) != 1 or not _is_bytes(data[0]):
        raise ValueError(f"keeps the weights of {name} in a form that is not read here")
    dtype = np.dtype(FLOATS[kind] if tensor[9] else "<f4")
    if math.prod(shape) * dtype.itemsize != len(data[0]):
        raise ValueError(f"claims shape {tuple(shape)} for {name} in {len(data[0])} bytes")
    return np.frombuffer(data[0], dtype).reshape(shape)


def _attribute(node: Message, name: str) -> int:
    for attribute in map(_message, node[5]):
        if _text(attribute, 1) == name:
            return attribute[3][-1] if attribute[3] else 0
    return 0


def _message(data: memoryview) -> Message:
    """All fields of a message, number -> values, each an int or the bytes of text or a message."""
    if not _is_bytes(data):
        raise ValueError("is damaged")
    message = defaultdict(list)
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, position = _varint(data, position)
        else:
            if kind == 2:
                length, position = _varint(data, position)
            else:
                length = {1: 8, 5: 4}.get(kind, len(data))
            value, position = data[position : position + length], position + length
            if position > len(data):
                raise ValueError("is cut short or damaged")
        message[number].append(value)
    return message


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """A number of 7 bits a byte, low ones first, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position == len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("is cut short or damaged")


def _packed(data: memoryview) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        yield value


def _only(message: Message, number: int, otherwise: str) -> Message:
    if len(message[number]) != 1:
        raise ValueError(otherwise)
    return _message(message[number][0])


def _text(message: Message, number: int) -> str:
    value = message[number][-1] if message[number] else b""
    return bytes(value).decode("utf-8", "replace") if _is_bytes(value) else ""


def _is_bytes(value: object) -> bool:
    return isinstance(value, memoryview | bytes)

"""BVLC AlexNet as an ONNX graph: the copy that the onnx package ships, with any weights put in.

That copy was made from Caffe's model, so it is a reference that shares nothing with `alexnet.py`.
It is "light": in place of weights it holds nodes that make constants.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Outputs of the graph's nodes; convolutions, fc6 and fc7 after their ReLU.
OUTPUTS = {
    "conv1": "r1",
    "norm1": "r2",
    "pool1": "r3",
    "conv2": "r5",
    "norm2": "r6",
    "pool2": "r7",
    "conv3": "r9",
    "conv4": "r11",
    "conv5": "r13",
    "pool5": "r14",
    "fc6": "r17",
    "fc7": "r21",
    "fc8": "r24",
    "prob": "prob_1",
}
FLATTEN = "OC2_DUMMY_1"  # the shape that pool5 is brought to before fc6


def network(
    arrays: Mapping[str, tuple[np.ndarray, np.ndarray]], layers: Sequence[str]
) -> onnx.ModelProto:
    """Makes the graph of AlexNet for 227x227 input and any batch size.

    Args:
        arrays: layer name -> (kernel, bias), as `alexnet.build` takes it.
        layers: names of `OUTPUTS` in the network's order: the graph's outputs. It ends at the last.

    Returns:
        "data_0", see `data`, -> the layers; run it by `run`.
    """
    light = Path(onnx.__file__).parent / "backend/test/data/light/light_bvlc_alexnet.onnx"
    model = onnx.load(light)
    nodes = [node for node in model.graph.node if node.op_type != "ConstantOfShape"]
    end = next(i for i, node in enumerate(nodes) if OUTPUTS[layers[-1]] in node.output)
    tensors = {FLATTEN: np.array([-1, 9216])}
    for name, (kernel, bias) in arrays.items():
        tensors |= {f"{name}_w_0": kernel_of(name, kernel), f"{name}_b_0": bias}
    used = {name for node in nodes[: end + 1] for name in node.input}
    floats = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes[: end + 1],
        "alexnet",
        [onnx.helper.make_tensor_value_info("data_0", floats, ["n", 3, 227, 227])],
        [onnx.helper.make_tensor_value_info(OUTPUTS[name], floats, None) for name in layers],
        [numpy_helper.from_array(a, name) for name, a in tensors.items() if name in used],
    )
    # The copy's own IR version, 3, would have every tensor be an input as well.
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)


def kernel_of(name: str, kernel: np.ndarray) -> np.ndarray:
    """A kernel of `alexnet.build` in Caffe's order: (f, c, h, w) or (units, inputs)."""
    if kernel.ndim == 4:
        return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))  # HWIO -> OIHW
    if name == "fc6":  # rows by height, width, channel -> channel, height, width
        kernel = kernel.reshape(6, 6, 256, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    return np.ascontiguousarray(kernel.T)


def data(pictures: np.ndarray, mean_bgr: Sequence[float]) -> np.ndarray:
    """The graph's input: RGB pictures (n, 227, 227, 3), 0 to 255 -> BGR less the mean, NCHW."""
    bgr = pictures[..., ::-1] - np.array(mean_bgr, np.float32)
    return np.ascontiguousarray(bgr.transpose(0, 3, 1, 2))


def run(session: "InferenceSession", x: np.ndarray) -> dict[str, np.ndarray]:
    """A session's outputs of x by layer name, as NHWC."""
    names = {output: name for name, output in OUTPUTS.items()}
    outputs = zip(session.get_outputs(), session.run(None, {"data_0": x}), strict=True)
    return {
        names[output.name]: array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
        for output, array in outputs
    }

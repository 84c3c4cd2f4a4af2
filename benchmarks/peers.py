"""AlexNet as far as fc7 in other engines, of the same weights.

Each function takes weights (dict, layer name -> (kernel, bias)), the pictures as `light_onnx.data`
makes them, float32 (n, 3, 227, 227), and "float32" or "bfloat16". It returns a function of no
arguments: float32 (n, 4096). An engine is imported where it is used: one may be missing.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import alexnet
from benchmarks import light_onnx

THREADS = os.cpu_count() or 1


def onnxruntime(arrays, x, precision):
    import onnxruntime as engine

    if precision != "float32":
        raise NotImplementedError("it has no convolution in bfloat16 on a CPU")
    model = light_onnx.network(arrays, ["fc7"]).SerializeToString()
    session = engine.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda: light_onnx.run(session, x)["fc7"]


def openvino(arrays, x, precision):
    """With a dynamic batch, or its hint for throughput, it is up to half as fast."""
    import openvino as engine

    core = engine.Core()
    model = core.read_model(light_onnx.network(arrays, ["fc7"]).SerializeToString())
    model.reshape(list(x.shape))
    hints = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
    }
    request = core.compile_model(model, "CPU", hints).create_infer_request()
    return lambda: request.infer([x])[0]


def mnn(arrays, x, precision):
    import MNN as engine

    if precision != "float32":
        raise NotImplementedError("on x86 its low precision computes in float32")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "fc7.onnx", Path(folder) / "fc7.mnn"
        source.write_bytes(light_onnx.network(arrays, ["fc7"]).SerializeToString())
        command = [Path(sys.executable).parent / "mnnconvert", "-f", "ONNX"]
        command += ["--modelFile", source, "--MNNModel", target, "--bizCode", "benchmark"]
        subprocess.run(command, check=True, capture_output=True)
        interpreter = engine.Interpreter(str(target))
    options = {"backend": "CPU", "numThread": THREADS, "precision": "high"}
    session = interpreter.createSession(options)
    into = interpreter.getSessionInput(session)
    interpreter.resizeTensor(into, x.shape)
    interpreter.resizeSession(session)
    kind, order = engine.Halide_Type_Float, engine.Tensor_DimensionType_Caffe
    given = engine.Tensor(x.shape, kind, x, order)
    shape = (len(x), alexnet.DENSE["fc7"][1])

    def run():
        into.copyFrom(given)
        interpreter.runSession(session)
        out = engine.Tensor(shape, kind, np.empty(shape, np.float32), order)
        interpreter.getSessionOutput(session).copyToHostTensor(out)
        return np.array(out.getNumpyData(), np.float32).reshape(shape)

    return run


def ncnn(arrays, x, precision):
    """It knows no batches: one picture after the other."""
    import ncnn as engine

    lines, blobs = _ncnn_layers()
    net = engine.Net()
    net.opt.num_threads = THREADS
    net.opt.use_bf16_storage = precision == "bfloat16"
    # Unless it is told, it keeps weights in float16 and reads half as many bytes.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    with tempfile.TemporaryDirectory() as folder:
        graph, weights = Path(folder) / "fc7.param", Path(folder) / "fc7.bin"
        graph.write_text("\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n")
        with open(weights, "wb") as file:
            for name in blobs:
                kernel, bias = arrays[name]
                file.write(bytes(4))  # says that float32 follows
                file.write(light_onnx.kernel_of(name, kernel).tobytes() + bias.tobytes())
        if net.load_param(str(graph)) or net.load_model(str(weights)):
            raise ValueError("ncnn cannot load its graph")

    def one(picture):
        extractor = net.create_extractor()
        extractor.input("data", engine.Mat(picture))
        return np.array(extractor.extract("fc7")[1])

    return lambda: np.stack([one(picture) for picture in x])


def _ncnn_layers():
    """Lines of the graph, and the names of the layers that have weights."""
    lines, before, names = ["Input data 0 1 data 0=227 1=227 2=3"], "data", []

    def add(kind, name, options):
        nonlocal before
        lines.append(f"{kind} {name} 1 1 {before} {name} {options}")
        before = name

    for row in alexnet.CONVOLUTIONS:
        h, _, c, f = row.kernel
        pad = 0 if row.name == "conv1" else h // 2
        kind = "ConvolutionDepthWise" if row.groups > 1 else "Convolution"
        groups = f" 7={row.groups}" if row.groups > 1 else ""
        size = h * h * c * f
        add(kind, row.name, f"0={f} 1={h} 3={row.stride} 4={pad} 5=1 6={size}{groups} 9=1")
        for then in row.then:
            options = "0=0 1=5 2=1e-4 3=0.75 4=1" if then == "norm" else "0=0 1=3 2=2 5=1"
            add({"norm": "LRN", "pool": "Pooling"}[then], then + row.name[-1], options)
        names.append(row.name)
    for name in ("fc6", "fc7"):
        rows, columns = alexnet.DENSE[name]
        add("InnerProduct", name, f"0={columns} 1=1 2={rows * columns} 9=1")
        names.append(name)
    return lines, names


def torch(arrays, x, precision):
    """Compiled by inductor, the weights brought into its order beforehand."""
    import torch as engine
    import torch._inductor.config
    from torch.nn import functional

    torch._inductor.config.freezing = True
    dtype = getattr(engine, precision)

    class Network(engine.nn.Module):
        def __init__(self):
            super().__init__()
            for name, (kernel, bias) in arrays.items():
                for end, array in (("kernel", light_onnx.kernel_of(name, kernel)), ("bias", bias)):
                    self.register_buffer(f"{name}_{end}", engine.from_numpy(array.copy()))

        def forward(self, x):
            own = dict(self.named_buffers())
            for row in alexnet.CONVOLUTIONS:
                pad = 0 if row.name == "conv1" else row.kernel[0] // 2
                kernel, bias = own[f"{row.name}_kernel"], own[f"{row.name}_bias"]
                x = functional.conv2d(x, kernel, bias, row.stride, pad, groups=row.groups).relu()
                for then in row.then:
                    if then == "norm":
                        x = functional.local_response_norm(x, 5, 1e-4, 0.75, 1.0)
                    else:
                        x = functional.max_pool2d(x, 3, 2)
            x = x.flatten(1)
            for name in ("fc6", "fc7"):
                x = functional.linear(x, own[f"{name}_kernel"], own[f"{name}_bias"]).relu()
            return x

    network = Network().eval().to(dtype).to(memory_format=engine.channels_last)
    compiled = engine.compile(network)
    given = engine.from_numpy(x).to(dtype).to(memory_format=engine.channels_last)

    def run():
        with engine.no_grad():
            return compiled(given).float().numpy()

    return run


ENGINES = {
    "OpenVINO": openvino,
    "onnxruntime": onnxruntime,
    "PyTorch, compiled": torch,
    "MNN": mnn,
    "ncnn": ncnn,
}
PACKAGES = ("openvino", "onnxruntime", "torch", "MNN", "ncnn")

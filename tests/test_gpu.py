"""Whether a GPU can be used, and what is said where not: each way it can fail, by operation."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from lab import gpu
from lab.errors import LabError
from lab.features import Recipe, devices, emulation
from lab.training import notices, whole_network


class Cuda:
    """A driver's library that gives these answers."""

    def __init__(self, status=0, version=12_040):
        self.status, self.version = status, version

    def __call__(self, name):
        assert name == "libcuda.so.1"
        return self

    def cuInit(self, flags):
        return self.status

    def cuDriverGetVersion(self, pointer):
        pointer._obj.value = self.version
        return 0


@pytest.mark.parametrize(
    ("status", "version", "wanted"),
    [
        (0, 11_080, r"^driver too old: expected one for CUDA 12 .*; received one for CUDA 11\.8;"),
        (803, 11_080, "^driver too old"),
        (100, 12_020, "^no GPU: "),
        (2, 12_020, "^no memory: "),
        (803, 12_020, r"^no driver: .*\(its parts are of two versions\); reboot"),
        (999, 12_020, r"^no driver: .*\(cuInit gives 999\); reboot"),
    ],
)
def test_a_driver_that_cannot_be_used(monkeypatch, status, version, wanted):
    """By what NVIDIA's own library answers."""
    monkeypatch.setattr(gpu.ctypes, "CDLL", Cuda(status, version))
    with pytest.raises(LabError, match=wanted) as error:
        gpu.driver(12)
    assert len(str(error.value)) <= 300 and "\n" not in str(error.value)


def test_a_driver_that_can_be_used(monkeypatch):
    """The oldest version that serves, and a later one."""
    for version in (12_000, 13_000):
        monkeypatch.setattr(gpu.ctypes, "CDLL", Cuda(0, version))
        gpu.driver(12)


@pytest.mark.parametrize(
    ("loaded", "wanted"), [(False, "^no driver: "), (True, "docker run --gpu")]
)
def test_no_driver_s_library(monkeypatch, tmp_path, loaded, wanted):
    """Without the kernel's module there is no driver; with it, a container hides the library."""

    def absent(name):
        raise OSError(name)

    monkeypatch.setattr(gpu.ctypes, "CDLL", absent)
    monkeypatch.setattr(gpu, "MODULE", tmp_path / "version")
    if loaded:
        gpu.MODULE.write_text("NVRM version: 535")
    with pytest.raises(LabError, match=wanted):
        gpu.driver(12)


def test_libraries_that_are_missing(monkeypatch):
    """Those that TensorFlow names for CUDA, and no others."""
    required = [
        'nvidia-cudnn-cu12<10,>=9; extra == "and-cuda"',
        'nvidia-nccl-cu12; extra == "and-cuda"',
    ]
    monkeypatch.setattr(gpu.metadata, "requires", lambda name: ["numpy>=1", *required])
    there = SimpleNamespace(metadata={"Name": "nvidia-nccl-cu12"})
    monkeypatch.setattr(gpu.metadata, "distributions", lambda: [there])
    assert gpu.missing_libraries() == ["nvidia-cudnn-cu12"]


def without_gpu(monkeypatch, lacking):
    monkeypatch.setattr(gpu.command_line, "import_tensorflow", list)
    monkeypatch.setattr(gpu.ctypes, "CDLL", Cuda())
    monkeypatch.setattr(gpu, "missing_libraries", lambda: lacking)


@pytest.mark.parametrize(
    ("lacking", "wanted"),
    [(["nvidia-cudnn-cu12"], "library missing: nvidia-cudnn-cu12: "), ([], "finds no GPU, though")],
)
def test_a_driver_without_libraries(monkeypatch, capfd, lacking, wanted):
    """By the command: status 2 and one line."""
    without_gpu(monkeypatch, lacking)
    assert gpu.main([]) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: ") and wanted in said and said.count("\n") == 1


def test_a_device_that_computes(monkeypatch, capfd):
    """The CPU stands in for a GPU: its convolution in float16 is close to that in float32."""
    monkeypatch.setattr(gpu.command_line, "import_tensorflow", lambda: ["GPU:0"])
    details = {"device_name": "Tesla T4", "compute_capability": (7, 5)}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    seen = []
    monkeypatch.setattr(gpu, "convolve", seen.append)
    cpus = tf.config.list_logical_devices("CPU")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: cpus)
    assert gpu.main([]) == 0
    assert seen == [cpu.name for cpu in cpus]
    assert capfd.readouterr().out == "GPU: Tesla T4, compute capability 7.5\n"
    monkeypatch.undo()
    gpu.convolve("CPU:0")


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "OOM"), "^no memory: "),
        (tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"), "^no mem"),
        (tf.errors.UnimplementedError(None, None, "DNN library is not found."), "^library missing"),
        (tf.errors.InternalError(None, None, "no kernel image"), "cannot run a convolution: no k"),
    ],
)
def test_a_convolution_that_fails(monkeypatch, error, wanted):
    """Memory, library, or what TensorFlow says."""

    def failing(*given):
        raise error

    monkeypatch.setattr(tf.nn, "conv2d", failing)
    with pytest.raises(LabError, match=wanted):
        gpu.convolve("CPU:0")


def test_a_convolution_that_is_wrong(monkeypatch):
    """A device that computes something else is refused."""
    right = tf.nn.conv2d

    def wrong(x, *given):
        return right(x, *given) * (1.5 if x.dtype == np.float16 else 1.0)

    monkeypatch.setattr(tf.nn, "conv2d", wrong)
    with pytest.raises(LabError, match=r"within 0.01 of its largest value; received 0\.5"):
        gpu.convolve("CPU:0")


SMALL = Recipe("small", ("pool5",), size=99)


def test_float16_on_a_cpu_is_said(monkeypatch):
    """With what it costs, as it is measured here; on a GPU there is nothing to say."""
    arrays = whole_network.random_arrays(0)
    trunk, settings = (
        SimpleNamespace(arrays=arrays),
        SimpleNamespace(precision="float16", recipe=SMALL),
    )
    training = SimpleNamespace(trunk=trunk, settings=settings)
    assert emulation.slowdown(arrays, SMALL, "float16") > 0.2
    monkeypatch.setattr(emulation, "slowdown", lambda *given: 2.04)
    (said,) = notices.emulated(training)
    assert "--precision float16: this CPU only emulates it; the network takes 2.0 times" in said
    monkeypatch.undo()
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["a GPU"])
    assert notices.emulated(training) == []


def test_all_devices_share_each_batch():
    """In order, for sizes that do not divide; a GPU is given more pictures at a time."""

    def build():
        return lambda images: images[:, 0] + 1

    three = devices.OnAllDevices(build, ["CPU:0"] * 3)
    images = np.arange(10).reshape(5, 2)
    np.testing.assert_array_equal(three(images), [1, 3, 5, 7, 9])
    assert three.batch == 3 * devices.BATCH
    assert devices.OnAllDevices(build, ["GPU:0", "GPU:1"]).batch == 2048

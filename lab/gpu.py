"""Whether TensorFlow can compute on this machine's GPU, and if not, what is missing.

python -m lab.gpu    # status 0 and the GPU's name, or status 2 and one line
"""

import ctypes
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from lab import command_line
from lab.errors import LabError, shown
from lab.progress import show

MODULE = Path("/proc/driver/nvidia/version")  # there while the driver's kernel module is loaded
# Results of cuInit, as NVIDIA's CUDA driver API numbers them.
OUT_OF_MEMORY, NO_DEVICE, MISMATCH = 2, 100, 803
INSTALL = (
    "sudo apt install ubuntu-drivers-common && sudo ubuntu-drivers install --gpgpu, then reboot"
)
LIBRARIES = ("cudnn", "cublas", "dnn library", "cufft", "libcu", "ptxas", "libdevice", "dlopen")


def driver(oldest: int) -> None:
    """Refuses a driver that CUDA cannot use.

    Args:
        oldest: the major version of CUDA that TensorFlow was built with: any driver for that
            version serves, as NVIDIA keeps minor versions compatible.

    Raises:
        LabError: no driver, one that is too old, no GPU, or none with free memory.
    """
    loaded = MODULE.exists()
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        if loaded:
            raise LabError(
                "library missing: the NVIDIA driver is loaded, but libcuda.so.1 is not here; in a "
                "container: docker run --gpus all; else install the driver again"
            ) from None
        raise LabError(f"no driver: expected NVIDIA's; install it: {INSTALL}") from None
    status, version = cuda.cuInit(0), ctypes.c_int(0)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    if version.value // 1000 < oldest:
        raise LabError(
            f"driver too old: expected one for CUDA {oldest} (525.60 or later); received one for "
            f"CUDA {version.value // 1000}.{version.value % 1000 // 10}; install a newer: {INSTALL}"
        )
    if status == NO_DEVICE:
        raise LabError(
            "no GPU: the driver finds none that may be used; choose an instance with an NVIDIA "
            "GPU, or look at CUDA_VISIBLE_DEVICES"
        )
    if status == OUT_OF_MEMORY:
        raise LabError("no memory: the GPU has none free; end what uses it: nvidia-smi names it")
    if status:
        why = "its parts are of two versions" if status == MISMATCH else f"cuInit gives {status}"
        raise LabError(f"no driver: NVIDIA's does not start ({why}); reboot, or {INSTALL}")


def missing_libraries() -> list[str]:
    """The packages with NVIDIA's libraries that TensorFlow names and that are not installed."""
    named = metadata.requires("tensorflow") or []
    names = [re.split(r"[<>=!~;\[ ]", row)[0] for row in named if "and-cuda" in row]
    there = {found.metadata["Name"] for found in metadata.distributions()}
    return [name for name in names if name not in there]


def convolve(device: str) -> None:
    """Runs a convolution in float16 on a device, and compares it with the CPU's in float32.

    Raises:
        LabError: it cannot, or it computes something else.
    """
    import tensorflow as tf

    generator = np.random.default_rng(0)
    x = generator.normal(size=(8, 27, 27, 96)).astype(np.float16)
    kernel = generator.normal(0, 0.03, (5, 5, 48, 256)).astype(np.float16)
    try:
        with tf.device(device):
            found = tf.nn.conv2d(x, kernel, 1, "SAME").numpy()  # conv2's: in two groups
    except tf.errors.OpError as error:
        raise LabError(_why(error)) from None
    with tf.device("CPU:0"):
        wanted = tf.nn.conv2d(x.astype(np.float32), kernel.astype(np.float32), 1, "SAME").numpy()
    apart = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    if not apart < 0.01:  # float16 has 11 bits: 0.0005
        raise LabError(
            f"expected the CPU's convolution from {device} within 0.01 of its largest value; "
            f"received {apart:.2g}: do not use this GPU"
        )


def _why(error: Exception) -> str:
    """What an error of TensorFlow's on a GPU means."""
    text = str(error).lower()
    if type(error).__name__ == "ResourceExhaustedError" or "out of memory" in text:
        return "no memory: the GPU has too little free; end what uses it: nvidia-smi names it"
    if any(name in text for name in LIBRARIES):
        return (
            f"library missing: {shown(str(error), 80)}: .venv/bin/pip install --force-reinstall -r "
            "requirements-gpu.txt"
        )
    return f"the GPU cannot run a convolution: {shown(str(error), 160)}"


def check() -> dict[str, Any]:
    """Looks for a GPU and runs a convolution on each.

    Returns:
        The first GPU's details, as TensorFlow has them: device_name, compute_capability.

    Raises:
        LabError: there is none that can be used; the message says what is missing.
    """
    found = command_line.import_tensorflow()
    import tensorflow as tf

    built = tf.sysconfig.get_build_info()
    if not found:
        driver(int(built.get("cuda_version", "12").partition(".")[0]))
        lacking = missing_libraries()
        if lacking:
            raise LabError(
                f"library missing: {shown(', '.join(lacking), 120)}: .venv/bin/pip install -r "
                "requirements-gpu.txt"
            )
        raise LabError(
            "TensorFlow finds no GPU, though driver and libraries are here: look for the reason in "
            "TF_CPP_MIN_LOG_LEVEL=0 .venv/bin/python -c 'import tensorflow as tf; "
            'tf.config.list_physical_devices("GPU")\''
        )
    try:
        devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    except (RuntimeError, tf.errors.OpError) as error:  # starting them takes memory
        raise LabError(_why(error)) from None
    for device in devices:
        convolve(device)
    return tf.config.experimental.get_device_details(found[0])


@command_line.script
def main(argv: list[str]) -> None:
    command_line.Parser(__doc__).parse_args(argv)
    details = check()
    capability = ".".join(map(str, details.get("compute_capability", ("unknown",))))
    show(f"GPU: {details.get('device_name', 'unknown')}, compute capability {capability}")


if __name__ == "__main__":
    sys.exit(main())

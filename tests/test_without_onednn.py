"""TensorFlow without the library oneDNN: its own code for CPUs convolves in no groups.

So it should be on Apple's processors, and is wherever TF_ENABLE_ONEDNN_OPTS=0 is set. Which of the
two computes is settled when TensorFlow is imported: these tests start Python anew.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ASKED = "from lab import layers; print(layers.has_onednn(layers.tf.float32))"


def python(*args, **settings):
    """Python's output in the project's folder, with TF_ENABLE_ONEDNN_OPTS as given."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"} | settings
    done = subprocess.run(
        [sys.executable, *args], cwd=ROOT, env=environment, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN is in TensorFlow for x86")
def test_it_is_on_unless_it_is_forbidden():
    """On every x86 processor, also those on which TensorFlow itself leaves it off."""
    assert python("-c", ASKED).strip() == "True"
    assert python("-c", ASKED, TF_ENABLE_ONEDNN_OPTS="0").strip() == "False"


def test_network_gradients_and_fast_path():
    """The same comparisons as with oneDNN, the first with onnxruntime."""
    tests = [
        "test_alexnet.py::test_every_layer_equals_the_independent_runtime",
        "test_alexnet.py::test_gradients_of_grouped_convolution",
        "test_fast_cpu.py::test_every_layer[None]",
        "test_fast_cpu.py::test_one_picture_at_a_time[None]",
    ]
    command = "-m", "pytest", "-n", "0", "-p", "no:cacheprovider"
    said = python(*command, *(f"tests/{name}" for name in tests), TF_ENABLE_ONEDNN_OPTS="0")
    assert "7 passed" in said and "failed" not in said

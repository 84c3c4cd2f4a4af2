"""The comparison of a GPU with the CPU, on a CPU: what it computes, and what it says is not run."""

import json
import subprocess
from argparse import Namespace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import gpu_check
from lab import command_line, files
from lab.training import whole_network

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)


def test_a_whole_check(monkeypatch, tmp_path):
    """On a CPU: nothing is outside its tolerance; what has not been run is said."""
    asked = []

    def run(command, **how):
        asked.append(command)
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(gpu_check, "PRECISIONS", ("bfloat16", "float16"))
    options = Namespace(batch=2, seconds=0.01, signs=300)
    result = gpu_check.check(options, "pool5", run)
    files.write_json(tmp_path / "gpu-check.json", result)
    result = json.loads((tmp_path / "gpu-check.json").read_text())
    assert result["device"] == "CPU:0" and result["failed"] == []
    assert any("compared with itself" in words for words in result["not_run"])
    found = result["agreement"]["bfloat16"]["layers"]
    assert {"conv1", "norm1", "conv5", "pool5"} <= set(found)
    assert all(0 < row["error"] < 0.1 and row["within"] for row in found.values())
    found = result["agreement"]["float16"]["gradients"]
    assert len(found) == 12 and all(row["error"] < 0.2 for row in found.values())
    assert found["conv1/kernel"]["error"] > 0.001  # it was computed in float16
    speed = result["pictures_per_second"]
    assert 0 < speed["training"]["bfloat16"] < speed["features"]["bfloat16"]
    assert result["peak_memory_mib"] > 100
    named = [command[1].rpartition("/")[2] for command in asked]
    assert named[:3] == [
        *("imagenet_inference.py", "traffic_sign_inference.py", "feature_extraction.py"),
    ]
    kinds = [command[command.index("--train") + 1] for command in asked[3:]]
    assert kinds == ["head", "all", "scratch"]


def test_gradients_are_those_of_the_loss():
    """Against differences of the loss, for some weights of the head and of conv5."""
    arrays = whole_network.random_arrays(0)
    large, labels = gpu_check.alexnet.enlarge(IMAGES), np.arange(2)
    found = gpu_check.gradients(arrays, "float32", "CPU:0", large, labels)
    assert {"conv1/kernel", "conv5/bias", "head/kernel"} <= set(found)
    halved = found["conv5/bias"] * 0.5
    assert gpu_check.compare(halved, found["conv5/bias"], "bfloat16", "gradients") == {
        "error": pytest.approx(0.5),
        "within": False,
    }
    # The head's bias starts at 0 and its kernel near it: p is nearly 1 / 43.
    wanted = np.full(43, 1 / 43) - np.bincount(labels, minlength=43) / 2
    np.testing.assert_allclose(found["head/bias"], wanted, atol=0.1)
    assert found["head/bias"].sum() == pytest.approx(0, abs=1e-6)


def test_what_is_no_number_is_outside_every_tolerance():
    """NaN and infinity are failures, and JSON has a null for them."""
    for value in (np.nan, np.inf):
        found = gpu_check.compare([1.0, value], [1.0, 1.0], "float16", "layers")
        assert found == {"error": None, "within": False}


def test_a_script_that_fails_is_told(monkeypatch):
    """With the end of what it said."""

    def run(command, **how):
        return SimpleNamespace(returncode=2, stderr="error: no")

    monkeypatch.setattr(gpu_check, "commands", lambda *given: [["a.py", "/x/b.png", "--top", "2"]])
    (row,) = gpu_check.scripts(1, run)
    assert (row["command"], row["status"], row["error"]) == ("a.py b.png --top 2", 2, "error: no")
    assert gpu_check.failures({"agreement": {}, "scripts": [row]}) == ["a.py b.png --top 2"]


def test_power_is_that_of_all_gpus(monkeypatch):
    """Two GPUs' watts are added; where there is no nvidia-smi it is not known."""

    def run(command, **how):
        assert command[0] == "nvidia-smi"
        return SimpleNamespace(stdout="70.5\n30.0\n")

    monkeypatch.setattr(subprocess, "run", run)
    with gpu_check.Power() as power:
        gpu_check.time.sleep(0.7)
    assert power.mean == 100.5

    def absent(command, **how):
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", absent)
    with gpu_check.Power() as power:
        gpu_check.time.sleep(0.7)
    assert power.mean is None


def test_a_gpu_s_memory_grows(monkeypatch, capfd):
    """A shared GPU is not taken whole: said to TensorFlow of each, before anything is computed."""
    grown, listed = [], ["GPU:0", "GPU:1"]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: listed)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *d: grown.append(d))
    details = {"device_name": "Tesla T4"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    assert command_line.start_tensorflow().startswith("Tesla T4, ")
    assert grown == [("GPU:0", True), ("GPU:1", True)]
    assert "device: Tesla T4" in capfd.readouterr().err


def test_a_gpu_without_memory_is_one_line(capfd):
    """TensorFlow's own error: status 2, and what to do."""

    @command_line.script
    def main(argv):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    assert main([]) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: the device's memory is exhausted: ") and said.count("\n") == 1

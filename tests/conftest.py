"""Fixtures shared by the tests: real data, tiny data, and cache and runs of a test's own."""

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import runs, weights
from lab.drawn_signs import photographs

CLASSES = (9, 10, 20)  # of the tiny data; three tracks each: to learn, to choose, to test


def pytest_collection_modifyitems(items):
    """The real job first: begun last, it would keep one of the two processes alone at the end."""
    items.sort(key=lambda item: item.path.name != "test_real.py")


@pytest.fixture(scope="session")
def lab_data() -> Path:
    """The folder of real data that LAB_DATA names; the test is skipped, visibly, without it."""
    folder = os.environ.get("LAB_DATA")
    if not folder:
        pytest.skip("LAB_DATA is not set: this test needs the real data")
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def true_float32():
    """A GPU's TensorFloat-32 has 10 bits; these tests look at what float32 has."""
    import tensorflow as tf  # here, as the process that only hands out the tests needs none

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """No test reads or leaves features in the user's cache, or runs among the user's."""
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs")


@pytest.fixture(scope="session")
def tiny():
    """A dict like train.p's: three classes, each with three signs that come nearer in 30 frames."""
    images, labels = photographs.signs(90 * len(CLASSES), seed=5, classes=CLASSES)
    order = np.argsort(labels, kind="stable")
    side = np.tile(np.linspace(20, 80, 30).astype(np.int64), 3 * len(CLASSES))
    sizes = np.stack([side, side], axis=1) + 10
    coords = np.stack([0 * side + 5, 0 * side + 5, side + 5, side + 5], axis=1)
    features = {"features": images[order], "labels": labels[order].astype(np.uint8)}
    return features | {"sizes": sizes, "coords": coords}


@pytest.fixture(scope="session")
def tiny_p(tiny, tmp_path_factory) -> Path:
    """The tiny data as a pickle."""
    path = tmp_path_factory.mktemp("data") / "tiny.p"
    path.write_bytes(pickle.dumps(tiny, 3))
    return path


@pytest.fixture(scope="session")
def conv_npz(tmp_path_factory) -> Path:
    """Random weights of conv1 to conv5."""
    from lab.training import whole_network

    path = tmp_path_factory.mktemp("weights") / "conv.npz"
    weights.save(path, whole_network.random_arrays(0))
    return path


@pytest.fixture(scope="session")
def full_npz(tmp_path_factory) -> Path:
    """Random weights of the whole network, in half precision: 122 MB."""
    from lab.training import whole_network

    path = tmp_path_factory.mktemp("weights") / "full.npz"
    weights.save(path, whole_network.random_arrays(0, "prob"), np.float16)
    return path

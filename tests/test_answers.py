"""The temperature of heads on frozen features: by pictures, and by random copies of them."""

import numpy as np
import pytest
from scipy import optimize, special

from lab import weights
from lab.classifier import Classifier
from lab.data import class_names, train_p
from lab.features.recipes import Recipe
from lab.training import answers, whole_network
from lab.training.answers import Answers, fitted_temperature

SMALL = Recipe("small", ("pool5",), size=99)  # 1,024 features


@pytest.fixture
def trunk(tmp_path):
    """Random weights of conv1 to conv5."""
    weights.save(tmp_path / "conv.npz", whole_network.random_arrays(0))
    return weights.read(tmp_path / "conv.npz")


@pytest.fixture
def data():
    """Sixty pictures of noise, of three classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 32, 32, 3), np.uint8)
    return train_p.from_dict({"features": images, "labels": np.arange(60) % 3}, "test")


def answered(data, trunk, rows):
    """Answers of two random heads about these rows, a half each; and both."""
    rng, heads = np.random.default_rng(1), []
    for _ in range(2):
        kernel = rng.normal(0, 0.5, (SMALL.width, 43)).astype(np.float32)
        bias = np.where(np.arange(43) < 3, 4, 0).astype(np.float32)  # those that there are
        heads.append(Classifier(kernel, bias, class_names(), SMALL, "caffe", trunk.sha256))
    halves = np.array_split(np.arange(len(rows)), 2)
    pairs = list(zip(heads, halves, strict=True))
    parts = [head.logits(data.images[rows[half]], trunk) for head, half in pairs]
    return Answers(rows, np.concatenate(parts), np.zeros((len(rows), 2)), pairs), heads


def best(logits, labels):
    """The temperature at which the labels are most probable, by scipy's search."""

    def loss(log):
        log_p = special.log_softmax(logits / np.exp(log), axis=1)
        return -log_p[np.arange(len(labels)), labels].mean()

    return float(np.exp(optimize.minimize_scalar(loss, (-3, 6), method="brent").x))


def test_copies_count_as_much_as_pictures(data, trunk, monkeypatch):
    """Each head answers the copies of its own pictures; nothing else goes into the temperature."""
    rows = np.arange(10, 50)
    given, heads = answered(data, trunk, rows)

    def flat(batch, seed, ranges):
        return np.full_like(batch, 40)

    monkeypatch.setattr(answers.augmentation, "as_pictures", flat)
    halves = rows[:20], rows[20:]
    copies = [
        head.logits(np.full_like(data.images[half], 40), trunk)
        for head, half in zip(heads, halves, strict=True)
    ]
    labels = np.tile(data.labels[rows], 2)
    wanted = best(np.concatenate([given.logits, *copies]), labels)
    assert abs(wanted / best(given.logits, data.labels[rows]) - 1) > 0.05  # the copies are seen
    assert fitted_temperature(given, data, trunk, 0) == pytest.approx(wanted, rel=1e-3)


def test_a_sample_is_enough(data, trunk, monkeypatch):
    """Of many pictures only some are copied, of the real copies' size and kind."""
    monkeypatch.setattr(answers, "MOST", 7)
    seen, real = [], answers.augmentation.as_pictures

    def watched(batch, seed, ranges):
        copies = real(batch, seed, ranges)
        assert copies.shape == batch.shape and copies.dtype == np.uint8
        assert 5 < np.abs(copies.numpy().astype(float) - batch).mean() < 120
        seen.append(len(copies))
        return copies

    monkeypatch.setattr(answers.augmentation, "as_pictures", watched)
    given, _ = answered(data, trunk, np.arange(60))
    assert fitted_temperature(given, data, trunk, 0) > 0
    assert seen == [7]

"""The head: Adam against its paper, the same result from the same seed, logits in pieces."""

import numpy as np
import pytest

from lab.features import linear
from lab.training import linear_head

WIDTH, CLASSES = 20, 5


@pytest.fixture
def data():
    """Features of 90 pictures that tell their class, and the labels."""
    generator = np.random.default_rng(1)
    labels = generator.integers(0, CLASSES, 90)
    centres = generator.normal(size=(CLASSES, WIDTH))
    return (centres[labels] + generator.normal(size=(90, WIDTH))).astype(np.float16), labels


def adam(kernel, bias, x, labels, steps):
    """Kingma & Ba, algorithm 1, by section 2's faster order ("epsilon hat"), in float64.

    Yields kernel, bias and the loss before the step.
    """
    variables = [kernel.astype(np.float64), bias.astype(np.float64)]
    moments = [[np.zeros(v.shape), np.zeros(v.shape)] for v in variables]
    for t in range(1, steps + 1):
        logits = x @ variables[0] + variables[1]
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        right = np.arange(len(x)), labels
        loss = -np.log(probabilities[right]).mean()
        probabilities[right] -= 1
        error = probabilities / len(x)
        rate = 1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for i, gradient in enumerate([x.T @ error, error.sum(axis=0)]):
            m, v = moments[i]
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            variables[i] = variables[i] - rate * m / (np.sqrt(v) + 1e-8)
        yield *variables, loss


def test_adam(data):
    """Twenty steps on the same rows: kernel, bias and loss after each."""
    x, labels = data
    rows = np.arange(3, 80)  # the others must not matter
    head = linear_head.LinearHead(WIDTH, CLASSES, seed=4)
    start = head.kernel, head.bias
    steps = adam(*start, x[rows].astype(np.float64), labels[rows], 20)
    for kernel, bias, wanted in steps:
        loss, seconds = head.train_epoch(x, labels, rows, batch=len(rows))
        assert loss == pytest.approx(wanted, rel=1e-5)
        assert seconds > 0
        np.testing.assert_allclose(head.kernel, kernel, rtol=0, atol=1e-5)
        np.testing.assert_allclose(head.bias, bias, rtol=0, atol=1e-5)
    assert np.abs(head.kernel - start[0]).min() > 1e-3  # a hundred times the tolerance


def test_initial_kernel():
    """Normal, deviation 0.01; no bias."""
    head = linear_head.LinearHead(4096, 43)
    assert head.kernel.shape == (4096, 43)
    assert np.std(head.kernel) == pytest.approx(0.01, rel=0.01)
    assert np.mean(head.kernel) == pytest.approx(0, abs=1e-4)
    assert not head.bias.any()


def trained(data, seed, epochs=3):
    """A head after some epochs, and each one's loss."""
    head = linear_head.LinearHead(WIDTH, CLASSES, seed)
    return head, [head.train_epoch(*data, np.arange(80), batch=16)[0] for _ in range(epochs)]


def test_same_seed_same_head(data):
    """Bit by bit; another seed gives another one."""
    (first, losses), (second, same), (other, _) = (trained(data, seed) for seed in (0, 0, 1))
    assert losses == same
    np.testing.assert_array_equal(first.kernel, second.kernel)
    np.testing.assert_array_equal(first.bias, second.bias)
    assert (first.kernel != other.kernel).any()


def test_loss_falls(data):
    """From chance downwards, and the head knows the pictures it learned from."""
    head, losses = trained(data, 0, epochs=60)
    assert losses[0] == pytest.approx(np.log(CLASSES), rel=0.05)
    assert np.all(np.diff(losses[::10]) < 0)
    x, labels = data
    assert np.mean(head.logits(x, np.arange(80)).argmax(axis=1) == labels[:80]) > 0.9


class Recorded:
    """Features that remember which rows were taken."""

    def __init__(self, x):
        self.x, self.taken = x, []

    def __getitem__(self, rows):
        self.taken.append(rows)
        return self.x[rows]


def test_each_epoch_takes_every_row_once_in_another_order(data):
    """Batches of 32, the last smaller, told one by one."""
    x, labels = Recorded(data[0]), data[1]
    head, rows, told = linear_head.LinearHead(WIDTH, CLASSES), np.arange(0, 90, 2), []
    for _ in range(2):
        head.train_epoch(x, labels, rows, 32, lambda: told.append(head.epoch))
    assert told == [0, 0, 1, 1]
    assert [len(some) for some in x.taken] == [32, 13, 32, 13]
    for epoch in (x.taken[:2], x.taken[2:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), rows)
    assert (x.taken[0] != x.taken[2]).any()


@pytest.mark.parametrize("chunk", [1, 7, 2048])
def test_logits_in_pieces(data, monkeypatch, chunk):
    """They equal the plain product, in the order of the rows asked for."""
    monkeypatch.setattr(linear, "CHUNK", chunk)
    x, labels = data
    head, rows = (
        linear_head.LinearHead(WIDTH, CLASSES),
        np.array([80, 3, 3, 41, 0, 89, 12, 5, 6, 7]),
    )
    head.train_epoch(x, labels, np.arange(90), 16)
    logits = head.logits(x, rows)
    wanted = x[rows].astype(np.float64) @ head.kernel + head.bias
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, wanted, rtol=1e-5, atol=1e-6)


def test_projection_nearly_keeps_distances():
    """4096 numbers become 256, always the same; few stay as they are."""
    x = np.random.default_rng(2).normal(size=(30, 4096)).astype(np.float16)
    rows = np.arange(29, 9, -1)
    projected = linear.sketch(x, rows)
    assert projected.shape == (20, 256)
    np.testing.assert_array_equal(projected, linear.sketch(x, rows))
    distance = np.linalg.norm(x[29].astype(float) - x[28:9:-1], axis=1)
    np.testing.assert_allclose(np.linalg.norm(projected[0] - projected[1:], axis=1), distance, 0.25)
    few = linear.sketch(x[:, :8], rows)
    assert few.dtype == np.float32
    np.testing.assert_array_equal(few, x[rows, :8])


def test_projection_is_the_same_on_all_machines():
    """A saved measure of novelty holds projected features: the signs are part of its format."""
    first = linear.sketch(np.eye(1, 300, dtype=np.float16))[0, :16] * 16
    assert first.tolist() == [-1, 1, -1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, 1, -1]


@pytest.mark.parametrize("chunk", [7, 20, 1000])
def test_back_in_pieces(data, monkeypatch, chunk):
    """The transpose times errors, whatever the pieces; rows that are not named do not count."""
    monkeypatch.setattr(linear, "CHUNK", chunk)
    x, _ = data
    rows = np.arange(5, 45)
    errors = np.random.default_rng(2).normal(size=(40, 3)).astype(np.float32)
    wanted = x[rows].astype(np.float64).T @ errors
    np.testing.assert_allclose(linear.back(x, rows, errors), wanted, rtol=1e-4, atol=1e-4)

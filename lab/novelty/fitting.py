"""Fits a measure of novelty to the pictures that a head was trained on."""

import numpy as np

from lab.features import Recipe, linear
from lab.features.cache import Features
from lab.features.spectrum import spectrum
from lab.novelty.measure import Novelty
from lab.novelty.spaces import CHUNK, TINY, apart, scaled

SAMPLE = 8_000  # pictures that a fit looks at, the same number of each class
LEAST = 8  # of each class, however many classes there are
LEAST_SPREAD = 0.25  # of the mean over the classes: one of two pictures has hardly any
FLOOR = 1e-6  # of a variance, where the mean of all is 1: what float16 can still hold the root of


def fit(
    x: Features,
    rows: np.ndarray,
    labels: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    recipe: Recipe,
    seed: int = 0,
) -> Novelty:
    """Fits the measure to the pictures that a head was trained on.

    Args:
        x: float16 (n, d), see `lab.features.cache.Features`.
        rows: int64 (m,), the pictures that the head was trained on.
        labels: int64 (m,), of those rows.
        kernel, bias: float32 (d, classes) and (classes,), the head.
        recipe: of the features.
        seed: of the sample.

    Returns:
        The measure, without a threshold: call `calibrated`.
    """
    from sklearn.covariance import ledoit_wolf  # half a second, which an answer need not wait for

    chosen = sample(labels, seed)
    rows, labels = rows[chosen], labels[chosen]
    logits = linear.logits(x, rows, kernel, bias)
    chunks = (slice(i, i + CHUNK) for i in range(0, len(rows), CHUNK))
    parts = [scaled(x[rows[chunk]], logits[chunk], recipe) for chunk in chunks]
    averages, logits, sketch = (np.concatenate(part) for part in zip(*parts, strict=True))
    centres, scales = _centres(logits, labels)
    middles, reach = _middles(sketch, labels)
    mean = averages.mean(axis=0)
    averages -= mean
    inverse = 1 / max(averages.std(), TINY)
    # The shrinkage of Ledoit and Wolf (2004): pictures may be fewer than dimensions.
    covariance, _ = ledoit_wolf(averages * inverse, assume_centered=True)
    variances, axes = spectrum(covariance)
    whiten = axes * np.maximum(variances, FLOOR) ** -0.5  # (k, k)
    arrays = {
        "centres": centres,
        "scales": scales,
        "middles": middles,
        "reach": reach,
        "mean": mean,
        "inverse": np.float32(inverse),
        "whiten": whiten.astype(np.float16),
        "limits": np.ones(2, np.float32),
    }
    return Novelty(recipe, arrays)


def sample(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """The pictures that `fit` looks at: `SAMPLE` in all, the same number of each class.

    Args:
        labels: int64 (m,).
        seed: of the choice.

    Returns:
        int64 (s,), ascending places in `labels`.
    """
    classes = np.unique(labels)
    most = max(SAMPLE // len(classes), LEAST)
    rng = np.random.default_rng(seed)
    each = (rng.permutation(np.flatnonzero(labels == label))[:most] for label in classes)
    return np.sort(np.concatenate(list(each)))


def _centres(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class means, float32 (classes, classes), and what a distance from each is divided by.

    The divisor, float32 (classes,), is the means' own length, since heads that were trained for
    longer have larger logits, times the root of how far the class's own pictures are from its mean,
    compared with other classes.
    """
    classes = np.unique(labels)
    centres = np.stack([logits[labels == label].mean(axis=0) for label in classes])
    own = [apart(logits[labels == label], centres[[i]]) for i, label in enumerate(classes)]
    spread = np.array([np.median(distances) for distances in own])
    spread = np.maximum(spread, max(LEAST_SPREAD * spread.mean(), TINY))
    size = max(float(np.mean(np.sum(centres**2, axis=1))) ** 0.5, TINY)
    return centres, (size * np.sqrt(spread / spread.mean())).astype(np.float32)


def _middles(sketch: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class means, float32 (m, s), and how far pictures are from their own, float32 ()."""
    classes = np.unique(labels)
    middles = np.stack([sketch[labels == label].mean(axis=0) for label in classes])
    away = np.linalg.norm(sketch - middles[np.searchsorted(classes, labels)], axis=1)
    return middles, np.asarray(max(np.median(away), TINY), np.float32)

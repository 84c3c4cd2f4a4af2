"""Principal components of features, and whitening: one penalty then suits all directions."""

import numpy as np
from scipy import linalg

from lab.errors import LabError
from lab.features import linear
from lab.features.cache import Features
from lab.progress import SILENT, Progress
from lab.training.linear_head import OVERFLOW

SAMPLE = 8_000  # pictures that the principal components are found on
FEW = 3_000  # pictures: up to as many, the components are exact and take a second
SPARE = 64  # additional directions, for exact last components
PASSES = 2  # of the randomised range finder
SHRINK = 0.1  # of the mean variance, added to each: the last components are not amplified


def principal_axes(
    x: Features, rows: np.ndarray, components: int, seed: int = 0, progress: Progress = SILENT
) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and the directions in which the features vary most.

    The covariance of 13,824 features would take minutes to decompose. Of few pictures, their
    products with each other tell the same; of many, a randomised range finder (Halko, Martinsson
    and Tropp, 2011) finds the directions on a sample.

    Args:
        x, rows: as in `lab.training.logistic_head.LogisticHead`.
        components: how many directions, at most.
        seed: of the sample.
        progress: reports the phases.

    Returns:
        mean float32 (d,), axes float32 (d, k), orthonormal columns, the largest variance first.
    """
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.permutation(rows)[:SAMPLE])
    count = len(sample)
    mean = finite(linear.back(x, sample, np.full((count, 1), 1 / count, np.float32))[:, 0])
    if count <= FEW:
        centred = x[sample].astype(np.float32) - mean  # (s, d)
        variances, vectors = np.linalg.eigh(centred @ centred.T)
        largest = np.argsort(-variances)[:components]
        largest = largest[variances[largest] > 1e-6 * variances.max()]  # s pictures span s - 1
        return mean, centred.T @ (vectors[:, largest] * variances[largest] ** -0.5)
    width = min(components + SPARE, count, x.shape[1])
    axes = rng.standard_normal((x.shape[1], width), np.float32)
    for _ in progress.over("principal axes", range(PASSES)):
        scores = linear.logits(x, sample, axes, -(mean @ axes))  # (s, width)
        axes = linear.back(x, sample, scores)  # scores add up to 0: no mean to subtract
        # scipy's stays in float32, where NumPy's takes four times the memory.
        axes, _ = linalg.qr(axes, overwrite_a=True, mode="economic")  # (d, width)
    scores = linear.logits(x, sample, axes, -(mean @ axes))
    variances, vectors = np.linalg.eigh(scores.T @ scores / len(scores))
    order = np.argsort(-variances)[:components]
    return mean, axes @ vectors[:, order].astype(np.float32)


def finite(x: np.ndarray) -> np.ndarray:
    """Returns the features, or raises a LabError if one is NaN or infinite."""
    if not np.isfinite(x).all():
        raise LabError(f"expected finite features; received others: {OVERFLOW}")
    return x


def whitening(scores: np.ndarray, labels: np.ndarray, by: str | None) -> np.ndarray:
    """A linear map of features after which one penalty suits all directions.

    Args:
        scores: float32 (m, k), of mean 0.
        labels: int64 (m,).
        by: the covariance that becomes about the identity, up to a factor: "within" classes or in
            "total"; None: features are only scaled.

    Returns:
        float32 (k, k). The mapped scores have a mean square length of 1.
    """
    scaled = np.eye(scores.shape[1], dtype=np.float32)
    if by:
        apart = scores - _means(scores, labels) if by == "within" else scores
        if not apart.any():  # one picture a class: no covariance within classes
            apart = scores
        variances, vectors = np.linalg.eigh(apart.T @ apart / len(apart))
        gains = (np.maximum(variances, 0) + SHRINK * variances.mean()) ** -0.5
        scaled = (vectors * gains).astype(np.float32)
    covariance = scores.T @ scores / len(scores)
    return scaled / np.sqrt(np.sum((covariance @ scaled) * scaled))


def _means(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float32 (m, k): each picture's class mean."""
    counts = np.bincount(labels).astype(np.float32)
    sums = np.zeros((len(counts), scores.shape[1]), np.float32)
    np.add.at(sums, labels, scores)
    return (sums / np.maximum(counts, 1)[:, None])[labels]

"""Principal components of features: the directions in which pictures differ most."""

import numpy as np
from scipy import linalg

from lab.errors import LabError
from lab.features import linear
from lab.features.cache import Features
from lab.features.spectrum import spectrum
from lab.progress import SILENT, Progress
from lab.training.linear_head import OVERFLOW

SAMPLE = 8_000  # pictures that the principal components are found on
FEW = 3_000  # pictures: up to as many, the components are exact and take a second
SPARE = 64  # additional directions, for exact last components
PASSES = 2  # of the randomised range finder


class Components:
    """Features by their principal components, computed once for all heads that are fitted to them.

    Args:
        x: float16 (n, d), see `lab.features.cache.Features`.
        rows: int64 (m,), the pictures that the directions are found on.
        count: how many directions, at most.
        seed: of the sample.
        progress: reports the phases.

    Raises:
        LabError: the features are not finite.

    Attributes:
        mean, axes: float32 (d,) and (d, k), as `principal_axes` finds them.
        scores: float32 (n, k), of all pictures.
    """

    def __init__(
        self,
        x: Features,
        rows: np.ndarray,
        count: int,
        seed: int = 0,
        progress: Progress = SILENT,
    ):
        self.mean, self.axes = principal_axes(x, rows, count, seed, progress)
        with progress.phase("principal components"):
            scores = linear.logits(x, np.arange(len(x)), self.axes, -(self.mean @ self.axes))
        self.scores = finite(scores)


def principal_axes(
    x: Features, rows: np.ndarray, count: int, seed: int = 0, progress: Progress = SILENT
) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and the directions in which the features vary most.

    The covariance of 27,648 features would take minutes to decompose. Of few pictures, their
    products with each other tell the same; of many, a randomised range finder (Halko, Martinsson
    and Tropp, 2011) finds the directions on a sample.

    Args:
        x, rows, count, seed, progress: as in `Components`.

    Returns:
        mean float32 (d,), axes float32 (d, k), orthonormal columns, the largest variance first.
    """
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.permutation(rows)[:SAMPLE])
    size = len(sample)
    mean = finite(linear.back(x, sample, np.full((size, 1), 1 / size, np.float32))[:, 0])
    if size <= FEW:
        centred = x[sample].astype(np.float32) - mean  # (s, d)
        variances, vectors = spectrum(centred @ centred.T)
        largest = np.argsort(-variances)[:count]
        largest = largest[variances[largest] > 1e-6 * variances.max()]  # s pictures span s - 1
        return mean, centred.T @ (vectors[:, largest] * variances[largest] ** -0.5)
    width = min(count + SPARE, size, x.shape[1])
    axes = rng.standard_normal((x.shape[1], width), np.float32)
    for left in progress.over("principal axes", range(PASSES - 1, -1, -1)):
        scores = orthonormal(linear.logits(x, sample, axes, -(mean @ axes)))  # (s, width)
        scores -= scores.mean(axis=0)  # it is 0, but where directions are too few
        axes = linear.back(x, sample, scores)  # as if the mean were subtracted from x
        axes = orthonormal(axes) if left else axes  # (d, width)
    # The sample is about scores times these axes, transposed: they tell its variances.
    variances, vectors = spectrum(axes.T @ axes)
    largest = np.argsort(-variances)[:count]
    largest = largest[variances[largest] > 1e-6 * variances.max()]
    return mean, axes @ (vectors[:, largest] * variances[largest] ** -0.5)


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span the same space, float32 (m, k), by Cholesky QR, done twice.

    The second round removes the rounding errors of the first (Yamamoto et al., 2015); both take
    half the time of Householder's QR, which is left for columns that hardly differ.
    """
    result = columns
    for _ in range(2):
        try:
            upper = linalg.cholesky(result.T @ result)
        except linalg.LinAlgError:
            return linalg.qr(columns, mode="economic")[0]
        result = result @ linalg.solve_triangular(upper, np.eye(len(upper), dtype=np.float32))
    return result


def finite(x: np.ndarray) -> np.ndarray:
    """Returns the features, or raises a LabError if one is NaN or infinite."""
    if not np.isfinite(x).all():
        raise LabError(f"expected finite features; received others: {OVERFLOW}")
    return x

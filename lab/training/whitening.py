"""Whitening of features: one penalty then suits all directions."""

import numpy as np

from lab.features.spectrum import spectrum

SHRINK = 0.1  # of the mean variance, added to each: the last components are not amplified


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
        apart = scores
        if by == "within":
            apart = _means(scores, labels)
            np.subtract(scores, apart, out=apart)  # in place: of train.p they are 240 MB each
        if not apart.any():  # one picture a class: no covariance within classes
            apart = scores
        variances, vectors = spectrum(apart.T @ apart / len(apart))
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

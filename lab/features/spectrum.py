"""Eigenvalues and eigenvectors of covariances."""

import numpy as np
from scipy import linalg
from threadpoolctl import threadpool_limits


def spectrum(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of a symmetric matrix, on one core.

    It takes thousands of small steps. Several threads wait for each other in each of them, and
    where something else keeps a core busy, they wait long: of 1,536 dimensions 4 s in place of
    0.25 s, measured on two cores.

    Args:
        matrix: float32 (k, k).

    Returns:
        values float32 (k,), ascending, and vectors float32 (k, k), a column for each.
    """
    with threadpool_limits(1, "blas"):
        values, vectors = linalg.eigh(matrix, driver="evd")
    return values, vectors

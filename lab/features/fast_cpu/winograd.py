"""Winograd's convolution: the same result from a third to a sixth of the multiplications.

A tile of m outputs under a kernel of r taps takes m + r - 1 products along each axis in place of
m * r. Pictures and products have to be multiplied by small matrices for that, so it pays where
there are many channels. See Lavin and Gray (2016), Fast Algorithms for Convolutional Neural
Networks.
"""

import numpy as np
import tensorflow as tf

# The points at which polynomials are evaluated, besides infinity. Small numbers and their inverses
# round least: tests/test_fast_cpu.py has the largest difference from a direct convolution.
POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
PARTS = 2  # that filters come in: AlexNet's groups


def transforms(outputs: int, taps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Toom and Cook's matrices: A @ ((G @ kernel) * (B @ picture)) is the kernel's m outputs.

    Args:
        outputs: m, how many outputs a tile has.
        taps: r, how many values the kernel has; m + r - 1 <= 8.

    Returns:
        float64 A (m, m + r - 1), G (m + r - 1, r) and B (m + r - 1, m + r - 1).
    """
    size = outputs + taps - 1
    points = np.array(POINTS[: size - 1])

    def evaluated(terms: int) -> np.ndarray:
        # (size, terms): the powers of each point; at infinity, only the last one counts
        return np.vstack([np.vander(points, terms, increasing=True), np.eye(terms)[-1:]])

    # Polynomials are multiplied by evaluating, multiplying and interpolating. A convolution layer
    # correlates, which is the transpose of that: so A and B are transposed.
    inverse = np.linalg.inv(evaluated(size)).T
    scale = np.abs(inverse).max(axis=1, keepdims=True)
    return evaluated(outputs).T, evaluated(taps) * scale, inverse / scale


class Winograd:
    """A convolution of stride 1, padded SAME, of square pictures.

    Tile after tile, all pictures at once: what a tile needs stays in the processor's cache.
    Channels and filters come in parts, one after the other in memory, so that each product is one
    of matrices as they are in memory.

    Args:
        kernel: float32 (r, r, c, PARTS * f), r odd.
        size: height and width of the pictures.
        outputs: m, how many outputs a tile has along each axis.
        parts: of the channels: PARTS, or 1 for all filters.
    """

    def __init__(self, kernel: np.ndarray, size: int, outputs: int, parts: int):
        taps, _, _, filters = kernel.shape
        a, g, b = transforms(outputs, taps)
        self.parts, self._size = parts, size
        self._points, self._filters = len(b), filters // PARTS
        # Along one axis, for each tile: its first pixel, the one after its last, and the matrices
        # for these and for its outputs; what it has beyond the picture is zero, or left out.
        self._tiles = []
        for corner in range(0, size, outputs):
            start = corner - taps // 2
            first, last = max(0, start), min(size, start + len(b))
            into = b[:, first - start : last - start]
            self._tiles.append((first, last, into, a[: size - corner]))
        kernel = np.einsum("ia,jb,abcf->ijcf", g, g, kernel, optimize=True)
        kernel = kernel.reshape(*kernel.shape[:3], PARTS, -1)
        self._kernel = _constant(np.moveaxis(kernel, 3, 2))  # (i, j, PARTS, c, f)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """float32 (size, size, parts, n, c) -> (size, size, PARTS, n, f)."""
        size, points, parts = self._size, self._points, self.parts
        n, channels = tf.shape(x)[3], x.shape[4]
        rows = []
        for top, bottom, down, up in self._tiles:
            strip = tf.matmul(_constant(down), tf.reshape(x[top:bottom], (bottom - top, -1)))
            strip, row = tf.reshape(strip, (points, size, -1)), []
            for left, right, across, back in self._tiles:
                y = tf.matmul(_constant(across), strip[:, left:right])  # (points, points, ...)
                y = tf.matmul(tf.reshape(y, (points, points, parts, n, channels)), self._kernel)
                y = tf.matmul(_constant(np.kron(up, back)), tf.reshape(y, (points**2, -1)))
                row.append(tf.reshape(y, (len(up), len(back), -1)))
            rows.append(tf.concat(row, axis=1))
        return tf.reshape(tf.concat(rows, axis=0), (size, size, PARTS, n, self._filters))


def _constant(array: np.ndarray) -> tf.Tensor:
    return tf.constant(array.astype(np.float32))

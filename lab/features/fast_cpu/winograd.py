"""Winograd's convolution: the same result from a third to a sixth of the multiplications.

A tile of m outputs under a kernel of r taps takes m + r - 1 products along each axis in place of
m * r. Pictures and products have to be multiplied by small matrices for that, so it pays where
there are many channels: at conv5 these matrices take a quarter of the products' operations, at
conv2 as many. See Lavin and Gray (2016), Fast Algorithms for Convolutional Neural Networks.
"""

import numpy as np
import tensorflow as tf

# The points at which polynomials are evaluated, besides infinity. Small numbers and their inverses
# round least: tests/test_fast_cpu.py has the largest difference from a direct convolution.
POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


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

    The last axis but one counts the pictures, beside their channels. Every step is then a product
    of matrices as they are in memory.

    Args:
        kernel: float32 (r, r, c, groups * f), r odd.
        size: height and width of the pictures.
        groups: of channels and filters, each convolved by itself.
        outputs: m, how many outputs a tile has along each axis.
    """

    def __init__(self, kernel: np.ndarray, size: int, groups: int, outputs: int):
        taps, _, _, filters = kernel.shape
        a, g, b = transforms(outputs, taps)
        self._count, self._tile = -(-size // outputs), len(b)  # tiles, products of each
        inward = np.zeros((self._count, self._tile, size))
        outward = np.zeros((size, self._count, self._tile))
        for k in range(self._count):  # what a tile has beyond the picture is zero, or left out
            start = k * outputs - taps // 2
            of_tile = [i for i in range(self._tile) if 0 <= start + i < size]
            inward[k][:, [start + i for i in of_tile]] = b[:, of_tile]
            outward[k * outputs : (k + 1) * outputs, k] = a[: size - k * outputs]
        self._inward = _constant(inward.reshape(-1, size))  # (tiles * products, size)
        self._outward = _constant(outward.reshape(size, -1))
        kernel = np.einsum("ia,jb,abcf->ijcf", g, g, kernel)
        kernel = kernel.reshape(*kernel.shape[:3], groups, filters // groups)
        self._kernel = _constant(np.moveaxis(kernel, 3, 2)[:, None])  # (i, 1, j, groups, c, f)
        self._size, self._groups, self._filters = size, groups, filters

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """float32 (size, size, n, groups * c) -> (size, size, n, groups * f)."""
        size, groups, count, tile = self._size, self._groups, self._count, self._tile
        n, points = tf.shape(x)[2], count * tile
        x = tf.reshape(x, (size, size, n, groups, -1))
        x = tf.transpose(x, (0, 1, 3, 2, 4)) if groups > 1 else x  # (size, size, groups, n, c)
        x = tf.matmul(self._inward, tf.reshape(x, (size, -1)))
        x = tf.matmul(self._inward, tf.reshape(x, (points, size, -1)))
        x = tf.reshape(x, (count, tile, count, tile, groups, n, -1))
        x = tf.matmul(x, self._kernel)  # the same kernel for every tile
        x = tf.matmul(self._outward, tf.reshape(x, (points, points, -1)))
        x = tf.matmul(self._outward, tf.reshape(x, (points, -1)))
        x = tf.reshape(x, (size, size, groups, n, -1))
        x = tf.transpose(x, (0, 1, 3, 2, 4)) if groups > 1 else x  # (size, size, n, groups, f)
        return tf.reshape(x, (size, size, n, self._filters))


def _constant(array: np.ndarray) -> tf.Tensor:
    return tf.constant(array.astype(np.float32))

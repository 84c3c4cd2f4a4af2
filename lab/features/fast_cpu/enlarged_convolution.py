"""The first convolution of enlarged pictures, computed directly from the small ones.

Enlarging is linear, like convolution, and 11 x 11 enlarged pixels come from 4 x 4 small ones, or
3 x 3: this takes an eighth of the multiplications, and no enlarged picture is ever made.
"""

import numpy as np
import tensorflow as tf

import alexnet
from lab import pictures


class EnlargedConvolution:
    """A convolution of pictures that are enlarged.

    Its input is the small pictures: each position of the result has its own kernel, for the small
    pixels that it covers.

    Args:
        kernel: float32 (k, k, 3, f).
        stride: of the convolution, which is padded VALID.
        side: height and width of the small pictures in pixels.
        dtype: of the products.
        size: height and width of the enlarged pictures, such as 227.
        zoom: share of the small pictures' height and width that the enlarged ones show.

    Attributes:
        size: height and width of the result.
    """

    def __init__(
        self,
        kernel: np.ndarray,
        stride: int,
        side: int,
        dtype: tf.DType,
        size: int = alexnet.SIZE,
        zoom: float = 1.0,
    ):
        taps = len(kernel)
        weights = pictures.half_pixel(side, size, zoom)  # (227, side)
        corners = range(0, size - taps + 1, stride)
        windows = np.stack([weights[i : i + taps] for i in corners])  # (55, 11, side)
        touched = windows.any(axis=1)  # (55, side): which small pixels a position covers
        reach = touched.sum(axis=1).max()
        starts = np.minimum(touched.argmax(axis=1), side - reach)
        pixels = starts[:, None] + np.arange(reach)  # (55, 4)
        near = np.take_along_axis(windows, pixels[:, None], axis=2)  # (55, 11, 4)
        # Many positions cover the same pixels: these are brought together once for all.
        first = np.arange(side - reach + 1)
        self._squares = first[:, None] + np.arange(reach)  # (29, 4)
        self._covered = starts[:, None] * len(first) + starts  # (55, 55)
        kernels = np.einsum("yap,xbq,abcf->yxpqcf", near, near, kernel, optimize=True)
        self.size, filters = len(starts), kernel.shape[-1]
        kernels = kernels.reshape(self.size, self.size, -1, filters).astype(np.float32)
        self._kernels = tf.cast(kernels, dtype)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(side, side, n, 3) -> (size, size, 1, n, f), of the products' type."""
        n = tf.shape(x)[2]
        x = tf.gather(tf.gather(x, self._squares, axis=0), self._squares, axis=2)
        x = tf.transpose(x, (0, 2, 4, 1, 3, 5))  # (29, 29, n, 4, 4, 3)
        x = tf.gather(tf.reshape(x, (len(self._squares) ** 2, n, -1)), self._covered)
        return tf.matmul(x, self._kernels)[:, :, None]  # x (size, size, n, 48)

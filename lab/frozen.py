"""The frozen network on small pictures, on a CPU in float32, in three fifths of the time.

Two things are known here that `alexnet.build` cannot know: nothing is learned, and every picture
is a small one enlarged. So conv1 is taken straight from the small picture, and the other
convolutions are Winograd's. Tensors lie as (height, width, n, channels), which suits both.
"""

import numpy as np
import tensorflow as tf

import alexnet
from lab import pictures
from lab.winograd import Winograd

# Outputs of a tile along each axis: the fastest of those that `winograd.POINTS` reach.
TILES = {"conv2": 4, "conv3": 5, "conv4": 5, "conv5": 5}


class Frozen:
    """What `features.enlarge` and the network give, but for rounding.

    Args:
        arrays: dict, layer name -> (kernel, bias), as `alexnet.build` takes it.
        layers: names wanted, among conv3, conv4, conv5, pool5, fc6 and fc7.
        side: height and width of the small pictures in pixels.
    """

    def __init__(self, arrays, layers, side=32):
        self._layers = layers
        last = max(alexnet.LAYERS.index(name) for name in layers)
        needed = alexnet.LAYERS[: last + 1]
        self._rows = []
        for row in (row for row in alexnet.CONVOLUTIONS if row.name in needed):
            kernel, bias = arrays[row.name]
            if row.name == "conv1":
                product = FromSmall(kernel, row.stride, side)
                bias, size = bias + product.of_mean, product.size
            else:
                product = Winograd(kernel, size, row.groups, TILES[row.name])
            self._rows.append((row, product, tf.constant(bias)))
            size = (size - 3) // 2 + 1 if "pool" in row.then else size
        self._dense = {
            name: [tf.constant(array) for array in arrays[name]]
            for name in alexnet.DENSE
            if name in needed
        }

    def __call__(self, images):
        """Layer name -> float32 (n, h, w, c) or (n, 4096), of pictures (n, side, side, 3)."""
        x, layers = tf.transpose(tf.cast(images, tf.float32), (1, 2, 0, 3)), {}
        for row, product, bias in self._rows:
            x = layers[row.name] = _activated(product(x), bias, "norm" in row.then)
            if "pool" in row.then:
                x = layers["pool" + row.name[-1]] = _pooled(x)
        layers = {name: tf.transpose(x, (2, 0, 1, 3)) for name, x in layers.items()}
        if self._dense:
            x = tf.reshape(layers["pool5"], (-1, 9216))
        for name, (kernel, bias) in self._dense.items():
            x = layers[name] = tf.nn.relu(tf.matmul(x, kernel) + bias)  # (n, 4096)
        return {name: layers[name] for name in self._layers}


class FromSmall:
    """conv1 of enlarged pictures, as a product of each small patch and a kernel of its place.

    Enlarging is linear, as convolving is: 11 x 11 enlarged pixels come from 4 x 4 small ones.

    Args:
        kernel: float32 (k, k, 3, f), for BGR.
        stride: of the convolution, which is padded VALID.
        side: height and width of the small pictures in pixels.

    Attributes:
        size: height and width of the result.
        of_mean: float32 (f,): what the mean colour, left in the pictures, comes to.
    """

    def __init__(self, kernel, stride, side):
        kernel, taps = kernel[:, :, ::-1], len(kernel)
        weights = pictures.half_pixel(side, alexnet.SIZE)  # (227, side)
        corners = range(0, alexnet.SIZE - taps + 1, stride)
        windows = np.stack([weights[i : i + taps] for i in corners])  # (55, 11, side)
        touched = windows.any(axis=1)  # (55, side): which small pixels a place sees
        reach = touched.sum(axis=1).max()
        starts = np.minimum(touched.argmax(axis=1), side - reach)
        self._pixels = starts[:, None] + np.arange(reach)  # (55, 4)
        near = np.take_along_axis(windows, self._pixels[:, None], axis=2)  # (55, 11, 4)
        kernels = np.einsum("yap,xbq,abcf->yxpqcf", near, near, kernel, optimize=True)
        self.size, filters = len(starts), kernel.shape[-1]
        self._kernels = tf.constant(kernels.reshape(self.size, self.size, -1, filters), tf.float32)
        mean = np.array(alexnet.MEAN_BGR[::-1])
        self.of_mean = -np.einsum("abcf,c->f", kernel, mean).astype(np.float32)

    def __call__(self, x):
        """float32 (side, side, n, 3) -> (size, size, n, f)."""
        n = tf.shape(x)[2]
        x = tf.gather(tf.gather(x, self._pixels, axis=0), self._pixels, axis=2)
        x = tf.transpose(x, (0, 2, 4, 1, 3, 5))  # (size, size, n, 4, 4, 3)
        return tf.matmul(tf.reshape(x, (self.size, self.size, n, -1)), self._kernels)


@tf.function(jit_compile=True)
def _activated(x, bias, normalized):
    x = tf.nn.relu(x + bias)
    return alexnet.LocalResponseNormalization()(x) if normalized else x


def _pooled(x):  # (h, w, n, c) -> (h / 2, w / 2, n, c): pictures are so many channels to it
    h, w, n, c = x.shape[0], x.shape[1], tf.shape(x)[2], x.shape[3]
    x = tf.nn.max_pool2d(tf.reshape(x, (1, h, w, n * c)), 3, 2, "VALID")
    return tf.reshape(x, (*x.shape[1:3], n, c))

"""The frozen network on a CPU: its layers from fewer operations and fewer passes over memory."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import alexnet
from lab import pictures
from lab.features.fast_cpu.enlarged_convolution import EnlargedConvolution
from lab.features.fast_cpu.winograd import Winograd
from lab.layers import LocalResponseNormalization, convolved, has_onednn

# Outputs of a tile along each axis: the fastest of 2 to 5, on two CPU cores, in float32. bfloat16
# keeps to TensorFlow's convolutions, see fast_cpu/__init__.py.
TILES = {"conv2": 4, "conv3": 5, "conv4": 5, "conv5": 5}
MEAN = np.array(alexnet.MEAN_BGR[::-1])  # RGB


class FastNetwork:
    """Computes what enlarging and the network would, but for rounding.

    Args:
        network: what `alexnet.build` made, variant "caffe", in float32 or bfloat16.
        layers: names of the outputs, among conv3, conv4, conv5, pool5, fc6 and fc7.
        zoom: it is given signs as they are, of which this share is to be enlarged; None: it is
            given the network's input.
        single: it is given one picture at a time. Reading the weights then takes most of the time:
            Winograd's kernels are five times as many numbers.
    """

    def __init__(
        self,
        network: keras.Model,
        layers: Sequence[str],
        zoom: float | None = 1.0,
        single: bool = False,
    ):
        self._layers, self._zoom, self._single = layers, zoom, single
        self._dtype = tf.as_dtype(network.get_layer("conv1").compute_dtype)
        last = max(alexnet.LAYERS.index(name) for name in layers)
        needed = alexnet.LAYERS[: last + 1]
        self._size, self._rows = network.input_shape[1], []
        size = self._size
        for row in (row for row in alexnet.CONVOLUTIONS if row.name in needed):
            kernel, bias = network.get_layer(row.name).get_weights()
            if row.name == "conv1":
                kernel = kernel[:, :, ::-1]  # for RGB
                # Whole numbers are taken from the pixels, which bfloat16 has exactly, the rest here
                bias = bias - np.einsum("abcf,c->f", kernel, MEAN - np.round(MEAN))
                size = (size - len(kernel)) // row.stride + 1
            self._rows.append(
                (row, self._product(row, kernel, size), tf.constant(bias, tf.float32))
            )
            size = (size - 3) // 2 + 1 if "pool" in row.then else size
        # oneDNN computes fc6 and fc7 faster from kernels with a row for each unit: of 128 pictures
        # 1.7 times as fast (AVX2, two cores). Without oneDNN, one picture would take ten times as
        # long so.
        self._dense, self._rowwise = [], has_onednn(self._dtype)
        for name in (name for name in alexnet.DENSE if name in needed):
            kernel, bias = network.get_layer(name).get_weights()
            kernel, bias = (
                tf.cast(a, self._dtype) for a in (kernel.T if self._rowwise else kernel, bias)
            )
            self._dense.append((name, kernel, bias))

    def _product(self, row: alexnet.Conv, kernel: np.ndarray, size: int) -> Any:
        first = row.name == "conv1"
        if first and self._zoom:
            enlarged = self._dtype, self._size, self._zoom
            return EnlargedConvolution(kernel, row.stride, pictures.SIGN, *enlarged)
        if row.name in TILES and self._dtype == tf.float32 and not self._single:
            return Winograd(kernel, size, TILES[row.name], row.groups)
        return Direct(kernel, row.stride, "VALID" if first else "SAME", self._dtype)

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Layer name -> (n, h, w, c) or (n, 4096), of the network's type.

        Args:
            images: RGB, 0 to 255: uint8 or float (n, 32, 32, 3) signs, or (n, size, size, 3).
        """
        x = tf.cast(tf.cast(images, tf.float32) - np.round(MEAN).astype(np.float32), self._dtype)
        x, layers = tf.transpose(x, (1, 2, 0, 3)) if self._zoom else x, {}
        following = [product.parts for _, product, _ in self._rows[1:]] + [None]
        for (row, product, bias), parts in zip(self._rows, following, strict=True):
            normalized = "norm" in row.then
            if normalized and self._single:  # then no product is Winograd's: all take (n, h, w, c)
                x = _activated_and_pooled(product(x), bias)
                continue
            if isinstance(product, Direct) and not normalized:
                # Written so, all three are one operation.
                x = tf.nn.relu(tf.nn.bias_add(product(x), tf.cast(bias, self._dtype)))
            else:
                x = _activated(product(x), bias, normalized)
            layers["norm" + row.name[-1] if normalized else row.name] = x
            x = _pooled(x, parts) if "pool" in row.then else _ordered(x, parts)
            if "pool" in row.then:
                layers["pool" + row.name[-1]] = x
        layers = {name: _ordered(x, None) for name, x in layers.items() if name in self._layers}
        if self._dense:
            x = tf.reshape(x, (-1, alexnet.DENSE["fc6"][0]))  # (n, 9216)
        for name, kernel, bias in self._dense:
            # Written so, they are one operation: with Keras' own addition TensorFlow makes two.
            x = tf.matmul(x, kernel, transpose_b=self._rowwise)
            x = tf.nn.relu(tf.nn.bias_add(x, bias))
            layers[name] = x  # (n, 4096)
        return {name: layers[name] for name in self._layers}


class Direct:
    """A convolution as TensorFlow has it, of pictures (n, h, w, c)."""

    def __init__(self, kernel: np.ndarray, stride: int, padding: str, dtype: tf.DType):
        # A NumPy array becomes a constant of the graph: oneDNN then brings it into its own order
        # once, not in every call.
        self._kernel, self.parts = kernel.astype(dtype.as_numpy_dtype), None
        self._stride, self._padding = stride, padding

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(n, h, w, c) -> (n, h / stride, w / stride, f)."""
        return convolved(x, self._kernel, self._stride, self._padding)


@tf.function(jit_compile=True)
def _activated(x: tf.Tensor, bias: tf.Tensor, normalized: bool) -> tf.Tensor:
    # (n, h, w, c) -> the same. (h, w, parts, n, c) -> the same; normalized, which goes across the
    # parts, (h, w, 1, n, c).
    if not normalized:
        wide = tf.cast(x, tf.float32) + tf.reshape(bias, (x.shape[2], 1, -1))
        return tf.cast(tf.nn.relu(wide), x.dtype)
    whole = _whole(x) if x.shape.rank == 5 else x
    whole = tf.nn.relu(tf.cast(whole, tf.float32) + bias)
    whole = tf.cast(LocalResponseNormalization()(whole), x.dtype)
    return whole[:, :, None] if x.shape.rank == 5 else whole


@tf.function(jit_compile=True)
def _pooled(x: tf.Tensor, parts: int | None) -> tf.Tensor:
    """The largest of 3x3, every second one.

    Args:
        x: (h, w, parts, n, c) or (n, h, w, c).
        parts: of the channels of the result (h, w, parts, n, c); None: it is (n, h, w, c).
    """
    x = tf.transpose(x, (1, 2, 0, 3)) if x.shape.rank == 4 else x
    count = (x.shape[0] - 3) // 2 + 1
    ends = [slice(i, i + 2 * count - 1, 2) for i in range(3)]
    # After ReLU nothing is negative: the bits, read as whole numbers, have the same order. bfloat16
    # itself would go through float32, nine times, which takes four times as long.
    half, dtype = x.dtype == tf.bfloat16, x.dtype
    x = tf.bitcast(x, tf.int16) if half else x
    x = functools.reduce(tf.maximum, [x[i, j] for i in ends for j in ends])
    x = tf.bitcast(x, dtype) if half else x
    return _arranged(_whole(x) if x.shape.rank == 5 else x, parts)


@tf.function(jit_compile=True)
def _activated_and_pooled(x: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    # (1, h, w, c) or (h, w, 1, 1, c) -> (1, h / 2, w / 2, c) in one pass; for many, two are faster
    return _pooled(_activated(x, bias, True), None)


def _ordered(x: tf.Tensor, parts: int | None) -> tf.Tensor:
    """Arranges layers as `_pooled` does; what is so arranged is left as it is."""
    if (x.shape.rank == 4 and parts is None) or (x.shape.rank == 5 and x.shape[2] == parts):
        return x
    return _arranged(_whole(x) if x.shape.rank == 5 else tf.transpose(x, (1, 2, 0, 3)), parts)


@tf.function(jit_compile=True)
def _arranged(x: tf.Tensor, parts: int | None) -> tf.Tensor:
    # (h, w, n, c) -> (n, h, w, c) or (h, w, parts, n, c / parts)
    if parts is None:
        return tf.transpose(x, (2, 0, 1, 3))
    h, w, _, c = x.shape
    return tf.transpose(tf.reshape(x, (h, w, -1, parts, c // parts)), (0, 1, 3, 2, 4))


def _whole(x: tf.Tensor) -> tf.Tensor:
    """(h, w, parts, n, c) -> (h, w, n, parts * c)."""
    h, w, parts, _, c = x.shape
    return tf.reshape(tf.transpose(x, (0, 1, 3, 2, 4)), (h, w, -1, parts * c))

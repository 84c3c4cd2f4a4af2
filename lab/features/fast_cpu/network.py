"""The frozen network on small pictures: its layers from fewer operations."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

import alexnet
from lab import pictures
from lab.features.fast_cpu.enlarged_convolution import EnlargedConvolution
from lab.features.fast_cpu.winograd import Winograd
from lab.layers import LocalResponseNormalization

# Outputs of a tile along each axis: the fastest of 2 to 5, on two CPU cores.
TILES = {"conv2": 4, "conv3": 5, "conv4": 5, "conv5": 5}


class FastNetwork:
    """Computes what enlarging and the network would, but for rounding.

    Args:
        network: what `alexnet.build` made, in float32, variant "caffe".
        layers: names of the outputs, among conv3, conv4, conv5, pool5, fc6 and fc7.
    """

    def __init__(self, network: keras.Model, layers: Sequence[str]):
        self._layers = layers
        last = max(alexnet.LAYERS.index(name) for name in layers)
        needed = alexnet.LAYERS[: last + 1]
        self._rows = []
        for row in (row for row in alexnet.CONVOLUTIONS if row.name in needed):
            kernel, bias = network.get_layer(row.name).get_weights()
            if row.name == "conv1":
                enlarged = EnlargedConvolution(kernel, row.stride, pictures.SIGN)
                bias, size = bias + enlarged.of_mean, enlarged.size
                product: Callable[[tf.Tensor], tf.Tensor] = enlarged
            else:
                product = Winograd(kernel, size, row.groups, TILES[row.name])
            self._rows.append((row, product, tf.constant(bias)))
            size = (size - 3) // 2 + 1 if "pool" in row.then else size
        self._dense = [network.get_layer(name) for name in alexnet.DENSE if name in needed]

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Layer name -> float32 (n, h, w, c) or (n, 4096).

        Args:
            images: uint8 or float (n, 32, 32, 3), RGB, 0 to 255.
        """
        x, layers = tf.transpose(tf.cast(images, tf.float32), (1, 2, 0, 3)), {}
        for row, product, bias in self._rows:
            normalized = "norm" in row.then
            x = _activated(product(x), bias, normalized)
            layers["norm" + row.name[-1] if normalized else row.name] = x
            if "pool" in row.then:
                x = layers["pool" + row.name[-1]] = _pooled(x)
        layers = {
            name: tf.transpose(x, (2, 0, 1, 3))
            for name, x in layers.items()
            if name in (*self._layers, "pool5")
        }
        if self._dense:
            x = tf.reshape(layers["pool5"], (-1, alexnet.DENSE["fc6"][0]))  # (n, 9216)
        for layer in self._dense:
            x = layers[layer.name] = layer(x)  # (n, 4096)
        return {name: layers[name] for name in self._layers}


@tf.function(jit_compile=True)
def _activated(x: tf.Tensor, bias: tf.Tensor, normalized: bool) -> tf.Tensor:
    x = tf.nn.relu(x + bias)
    return LocalResponseNormalization()(x) if normalized else x


def _pooled(x: tf.Tensor) -> tf.Tensor:
    # (h, w, n, c) -> (h / 2, w / 2, n, c): the pictures become channels of one picture.
    h, w, n, c = x.shape[0], x.shape[1], tf.shape(x)[2], x.shape[3]
    x = tf.nn.max_pool2d(tf.reshape(x, (1, h, w, n * c)), 3, 2, "VALID")
    return tf.reshape(x, (*x.shape[1:3], n, c))

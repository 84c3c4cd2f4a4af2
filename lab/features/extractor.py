"""Runs the frozen network over pictures: a recipe's features of each."""

import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import alexnet
from lab import pictures
from lab.errors import LabError
from lab.features.batches import batches
from lab.features.fast_cpu import FastNetwork
from lab.features.recipes import Recipe
from lab.weights import Arrays

MANY = 1500  # pictures: preparing the fast path takes about 2 s, and it saves 2 ms a picture
# The mean and the deviation that `even` gives each picture, about those of ImageNet's. A picture
# with a deviation below FLAT shows nothing but noise, which must not be amplified.
MEAN, DEVIATION, FLAT = 115.0, 55.0, 4.0


def enlarge(images: tf.Tensor, size: int, variant: str = "caffe", zoom: float = 1.0) -> tf.Tensor:
    """Enlarges small pictures by bilinear interpolation, as two matrix products.

    On a CPU `tf.image.resize` takes a twentieth of the network's own time for this, the products
    half of that.

    Args:
        images: uint8 or float tensor (n, h, w, 3), h and w static.
        size: height and width of the result in pixels.
        variant: a key of `alexnet.VARIANTS`: by its rule.
        zoom: share of the pictures' height and width that the result shows, from their middle.

    Returns:
        float32 tensor (n, size, size, 3).
    """
    _, height, width, channels = images.shape
    rule = alexnet.VARIANTS[variant].rule
    down = rule(height, size, zoom)  # (size, h)
    across = np.kron(rule(width, size, zoom), np.eye(channels, dtype=np.float32))
    x = tf.reshape(tf.cast(images, tf.float32), (-1, height, width * channels))
    x = tf.matmul(tf.broadcast_to(down, (tf.shape(x)[0], size, height)), x)  # (n, size, w * 3)
    x = tf.matmul(tf.reshape(x, (-1, width * channels)), across, transpose_b=True)
    return tf.reshape(x, (-1, size, size, channels))


def even(images: tf.Tensor) -> tf.Tensor:
    """Gives all pictures the same mean and deviation, over pixels and colours together.

    Args:
        images: uint8 or float tensor (n, h, w, 3).

    Returns:
        float32 tensor of the same shape, 0 to 255.
    """
    images = tf.cast(images, tf.float32)
    mean, variance = tf.nn.moments(images, axes=(1, 2, 3), keepdims=True)  # (n, 1, 1, 1)
    deviation = tf.maximum(tf.sqrt(variance), FLAT)
    return tf.clip_by_value((images - mean) / deviation * DEVIATION + MEAN, 0.0, 255.0)


def prepared(
    images: tf.Tensor, recipe: Recipe, size: int | None = None, variant: str = "caffe"
) -> tf.Tensor:
    """The network's input as a recipe has it: even contrast, if so, zoomed and enlarged.

    Args:
        images: uint8 or float tensor (n, h, w, 3), h and w static.
        recipe: `lab.features.recipes.Recipe`.
        size: height and width of the result, if not the recipe's.
        variant: a key of `alexnet.VARIANTS`.

    Returns:
        float32 tensor (n, size, size, 3), 0 to 255.
    """
    images = even(images) if recipe.contrast else images
    return enlarge(images, size or recipe.size, variant, recipe.zoom)


class Extractor:
    """Computes a recipe's features of pictures, by the frozen network.

    Args:
        arrays: dict, layer name -> (kernel, bias), as `alexnet.build` takes it.
        recipe: `lab.features.recipes.Recipe`.
        variant: a key of `alexnet.VARIANTS`.
        precision: a key of `alexnet.PRECISIONS`: what the network computes in.
        count: how many pictures it is made for: from `MANY` on, the fast path,
            `lab.features.fast_cpu`, is worth its preparation; on a CPU, variant "caffe".
        side: height and width of the pictures: signs are enlarged to the network's 227.
    """

    def __init__(
        self,
        arrays: Arrays,
        recipe: Recipe,
        variant: str = "caffe",
        precision: str = "float32",
        count: int = 1,
        side: int = pictures.SIGN,
    ):
        self.recipe = recipe
        dtype = alexnet.PRECISIONS[precision]
        network = alexnet.build(arrays, recipe.last, variant=variant, dtype=dtype, size=recipe.size)
        outputs = {name: network.get_layer(name).output for name in recipe.layers}
        frozen = functools.partial(keras.Model(network.input, outputs), training=False)
        self._layers = lambda images: frozen(prepared(images, recipe, variant=variant))
        quick = variant == "caffe" and precision in ("float32", "bfloat16") and count >= MANY
        if quick and not tf.config.list_logical_devices("GPU"):
            signs = side == pictures.SIGN
            fast = FastNetwork(network, recipe.layers, recipe.zoom if signs else None)
            enlarged = functools.partial(prepared, recipe=recipe, variant=variant)
            contrast = even if recipe.contrast else tf.identity
            prepare = contrast if signs else enlarged
            self._layers = lambda images: fast(prepare(images))
        signature = [tf.TensorSpec((None, side, side, 3), tf.uint8)]
        self._compiled = tf.function(self._features, input_signature=signature)

    def __call__(self, images: np.ndarray) -> tf.Tensor:
        """float16 (n, d) of pictures uint8 (n, side, side, 3)."""
        return self._compiled(images)

    def _features(self, images: tf.Tensor) -> tf.Tensor:
        layers = self._layers(images)
        parts = []
        for name in self.recipe.layers:
            x = layers[name]
            if name in ("conv3", "conv4", "conv5"):  # (n, 13, 13, c) -> (n, 6, 6, c)
                x = tf.nn.max_pool2d(x, 3, 2, "VALID")
            x = tf.cast(tf.reshape(x, (-1, np.prod(x.shape[1:]))), tf.float32)
            x = tf.sqrt(x) if self.recipe.power == 0.5 else x
            if self.recipe.unit:
                # Length sqrt(d), not 1: float16 has few digits for the smallest of 13,824 parts.
                x = tf.math.l2_normalize(x, axis=1) * np.float32(x.shape[1] ** 0.5)
            parts.append(x)
        return tf.cast(self.recipe.scale * tf.concat(parts, axis=1), tf.float16)  # (n, d)


def predict(
    network: keras.Model, images: np.ndarray, prepare: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """A network's outputs, in batches: memory suffices for any number of pictures.

    Args:
        network: a Keras model.
        images: (n, h, w, 3).
        prepare: makes a batch of images the network's input.
    """
    outputs = [network.predict_on_batch(prepare(batch)) for batch in batches(images)]
    if not all(np.isfinite(output).all() for output in outputs):
        raise LabError("expected finite activations; received others: take another weights file")
    return np.concatenate(outputs)

"""The frozen network, run once over pictures: a recipe's features of each."""

import functools

import keras
import numpy as np
import tensorflow as tf

import alexnet
from lab import pictures
from lab.features.fast_cpu.network import Frozen

BATCH = 128
MANY = 1500  # pictures: preparing the quick way takes some 2 s, and it saves some 2 ms a picture
# What `even` brings pictures to: about the mean and deviation of ImageNet's. A picture whose values
# deviate by less than FLAT shows nothing but noise, which is not to be blown up.
MEAN, DEVIATION, FLAT = 115.0, 55.0, 4.0
POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


def enlarge(images, size, variant="caffe"):
    """Enlarges small pictures by bilinear interpolation, as two matrix products.

    On a CPU `tf.image.resize` takes a twentieth of the network's own time for this, the products
    half of that.

    Args:
        images: uint8 or float tensor (n, h, w, 3), h and w static.
        size: height and width of the result in pixels.
        variant: {"caffe", "lab"}: pixel centres, or TensorFlow 1's corners.

    Returns:
        float32 tensor (n, size, size, 3).
    """
    _, height, width, channels = images.shape
    rule = pictures.corner if variant == "lab" else pictures.half_pixel
    down = rule(height, size)  # (size, h)
    across = np.kron(rule(width, size), np.eye(channels, dtype=np.float32))
    x = tf.reshape(tf.cast(images, tf.float32), (-1, height, width * channels))
    x = tf.matmul(tf.broadcast_to(down, (tf.shape(x)[0], size, height)), x)  # (n, size, w * 3)
    x = tf.matmul(tf.reshape(x, (-1, width * channels)), across, transpose_b=True)
    return tf.reshape(x, (-1, size, size, channels))


def even(images):
    """Brings each picture to one mean and one deviation, over its pixels and colours together.

    Args:
        images: uint8 or float tensor (n, h, w, 3).

    Returns:
        float32 tensor of the same shape, 0 to 255.
    """
    images = tf.cast(images, tf.float32)
    mean, variance = tf.nn.moments(images, axes=(1, 2, 3), keepdims=True)  # (n, 1, 1, 1)
    deviation = tf.maximum(tf.sqrt(variance), FLAT)
    return tf.clip_by_value((images - mean) / deviation * DEVIATION + MEAN, 0.0, 255.0)


class Extractor:
    """From small pictures to a recipe's features, through the frozen network.

    Args:
        arrays: dict, layer name -> (kernel, bias), as `alexnet.build` takes it.
        recipe: `lab.recipes.Recipe`.
        variant: {"caffe", "lab"}.
        precision: {"float32", "bfloat16", "float16"}: what the network computes in.
        count: how many pictures it is made for: from `MANY` on, the quicker way to their features,
            `lab.frozen`, is worth its preparation.
    """

    def __init__(self, arrays, recipe, variant="caffe", precision="float32", count=1):
        self.recipe = recipe
        network = alexnet.build(arrays, recipe.last, variant=variant, dtype=POLICIES[precision])
        outputs = {name: network.get_layer(name).output for name in recipe.layers}
        self._network = functools.partial(keras.Model(network.input, outputs), training=False)
        self._of_small = lambda images: self._network(enlarge(images, alexnet.SIZE, variant))
        usual = variant == "caffe" and precision == "float32"
        if usual and count >= MANY and not tf.config.list_logical_devices("GPU"):
            self._of_small = Frozen(network, recipe.layers)

    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.uint8)])
    def __call__(self, images):
        """float16 (n, d) of pictures uint8 (n, 32, 32, 3)."""
        return self._features(self._of_small(self._lit(images)))

    def _lit(self, images):  # (n, 32, 32, 3)
        return even(images) if self.recipe.contrast else images

    def _features(self, layers):  # name -> (n, h, w, c) or (n, 4096)
        parts = []
        for x in (layers[name] for name in self.recipe.layers):
            if x.shape[1] == 13:  # (n, 13, 13, c) -> (n, 6, 6, c)
                x = tf.nn.max_pool2d(x, 3, 2, "VALID")
            x = tf.cast(tf.reshape(x, (-1, np.prod(x.shape[1:]))), tf.float32)
            x = tf.sqrt(x) if self.recipe.power == 0.5 else x
            if self.recipe.unit:
                # Longer than 1, as float16 has few digits for the smallest of 13,824 parts of it.
                x = tf.math.l2_normalize(x, axis=1) * np.float32(x.shape[1] ** 0.5)
            parts.append(x)
        return tf.cast(self.recipe.scale * tf.concat(parts, axis=1), tf.float16)  # (n, d)


def width(recipe):
    """How many features a recipe has: 6 x 6 places of each channel, or fc6's and fc7's 4096."""
    channels = {name: shape[-1] for name, shape in alexnet.SHAPES.items()}
    channels["pool5"] = channels["conv5"]
    return sum(channels[name] * (1 if name in alexnet.DENSE else 36) for name in recipe.layers)


def batches(images):
    """Some of the images after the other, so that any number fits into memory."""
    return (images[i : i + BATCH] for i in range(0, len(images), BATCH))


def predict(network, images, prepare):
    """A network's answers, in batches: any number of pictures fits.

    Args:
        network: a Keras model.
        images: (n, h, w, 3).
        prepare: function from some of the images to the network's input.
    """
    parts = [network.predict_on_batch(prepare(some)) for some in batches(images)]
    return np.concatenate(parts)

"""Runs the frozen network once over a data set; keeps the result under a key: all that made it."""

import functools
import hashlib
import json
import math
import time

import keras
import numpy as np
import tensorflow as tf

import alexnet
from lab import augmentation, frozen, pictures, storage
from lab.kept import Kept

BATCH = 128
MANY = 1500  # pictures: preparing the quick way takes some 2 s, and it saves some 2 ms a picture
# Copies for a linear head stay nearer to their picture than those for a network: it sees few.
MILD = augmentation.Ranges(2.0, 0.18, 0.13, 0.3, 0.4, 0.6)
# What `even` brings pictures to: about the mean and deviation of ImageNet's. A picture whose values
# deviate by less than FLAT shows nothing but noise, which is not to be blown up.
MEAN, DEVIATION, FLAT = 115.0, 55.0, 4.0
STALE = 3600  # seconds without a write after which half an array is nobody's
FEATURES = ("power", "scale", "unit", "copies", "contrast")  # fields of a recipe that make them
VERSION = 3  # of the computation below: another number makes every kept result unused
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
            self._of_small = frozen.Frozen(network, recipe.layers)

    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.uint8)])
    def __call__(self, images):
        """float16 (n, d) of pictures uint8 (n, 32, 32, 3)."""
        return self._features(self._of_small(self._lit(images)))

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 32, 32, 3), tf.uint8),
            tf.TensorSpec((2,), tf.int32),
        ]
    )
    def of_copies(self, images, seed):
        """The same of one random copy of each picture."""
        copies = augmentation.augment(self._lit(images), alexnet.SIZE, seed, MILD)
        return self._features(self._network(copies))

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


def key(signs_hash, weights_hash, recipe, variant, precision):
    """All that makes a result, as a dict: equal keys mean equal results, but for rounding."""
    return {
        "version": VERSION,
        "data_sha256": signs_hash,
        "weights_sha256": weights_hash,
        "recipe": {name: getattr(recipe, name) for name in FEATURES}
        | {"layers": list(recipe.layers)},
        "variant": variant,
        "precision": precision,
    }


def compute(images, extract, made_of, progress=iter):
    """Features of a data set: from the cache, or computed and put there.

    Args:
        images: uint8 (n, 32, 32, 3).
        extract: function that gives the `Extractor`; called only where there is work to do.
        made_of: the dict of `key`.
        progress: wraps the iterable of batches.

    Returns:
        features: `Kept`, float16 (n * (1 + copies), d): row i + k * n is that of picture i's k-th
            copy, of which number 0 is the picture itself.
        seconds: from the first picture read to the last feature on disk; None where kept.

    Raises:
        LabError: no room left for them.
    """
    text = json.dumps(made_of, sort_keys=True)
    folder = storage.CACHE / hashlib.sha256(text.encode()).hexdigest()[:16]
    array, label = folder / "features.npy", folder / "key.json"
    n, copies = len(images), made_of["recipe"]["copies"]
    count = n * (1 + copies)
    found = _kept(array, label, json.loads(text), count)
    if found is not None:
        return found, None
    label.unlink(missing_ok=True)
    _sweep(folder)
    run = extract()
    shape = (count, run(images[:BATCH]).shape[1])  # compiles for this size of batch, too
    storage.check_space(folder, 2 * math.prod(shape))
    start = time.perf_counter()
    with storage.atomic(array) as part, open(part, "wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for k, i in progress([(k, i) for k in range(1 + copies) for i in range(0, n, BATCH)]):
            some = images[i : i + BATCH]
            x = run.of_copies(some, tf.constant([k, i])) if k else run(some)
            file.write(np.asarray(x).astype("<f2", copy=False).tobytes())
    seconds = time.perf_counter() - start
    storage.write_json(label, made_of)  # last: a folder without it holds nothing finished
    return Kept(array), seconds


def _sweep(folder):
    """Removes what killed runs left half-written; another run may be at work."""
    for part in folder.glob(".features-*"):
        if time.time() - part.stat().st_mtime > STALE:
            part.unlink()


def _kept(array, label, made_of, count):
    """The features that a folder holds; None where it has none, others, or damaged ones."""
    try:
        same = json.loads(label.read_text(encoding="utf-8")) == made_of
        x = Kept(array)
    except (OSError, ValueError):  # absent, no JSON, or shorter than its header says
        return None
    return x if same and x.dtype == np.float16 and x.shape[:1] == (count,) else None

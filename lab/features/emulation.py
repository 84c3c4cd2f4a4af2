"""How slow a precision is that the processor only emulates."""

import time

import numpy as np
import tensorflow as tf

from lab.features.extractor import Extractor
from lab.features.recipes import Recipe
from lab.weights import Arrays

PICTURES, ROUNDS = 16, 4  # the fastest round counts: what else the machine does only adds to it


def slowdown(arrays: Arrays, recipe: Recipe, precision: str) -> float | None:
    """How many times as long the network takes as in float32, measured here and now.

    Args:
        arrays: layer name -> (kernel, bias).
        recipe: as far as which layer.
        precision: a key of `alexnet.PRECISIONS`.

    Returns:
        None where it has not to be emulated: on a GPU.
    """
    if tf.config.list_logical_devices("GPU"):
        return None
    images = np.random.default_rng(0).integers(0, 256, (PICTURES, 32, 32, 3), np.uint8)
    networks = [Extractor(arrays, recipe, precision=name) for name in (precision, "float32")]
    for network in networks:
        network(images)  # compiles
    taken = np.empty((ROUNDS, 2))
    for i in range(ROUNDS):
        for j, network in enumerate(networks):
            start = time.perf_counter()
            np.asarray(network(images))
            taken[i, j] = time.perf_counter() - start
    own, float32 = taken.min(axis=0)
    return float(own / float32)

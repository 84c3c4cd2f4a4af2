"""What distances are measured on: averages over places, logits and sketches of features."""

import numpy as np
import tensorflow as tf
from scipy import linalg

import alexnet
from lab.features import Recipe, linear

DENSE_GROUP = 16  # of fc6's or fc7's units that are averaged, 256 apart; of a map, its places
# Blurred and dark pictures of a known class have shorter logits of the same direction: the square
# of a difference in length counts this much.
RADIAL = 0.3
TINY = 1e-12  # in place of a length or a deviation of 0
CHUNK = 512  # pictures at a time: in float32, split and averaged, features take five times the room


def scaled(
    features: np.ndarray, logits: np.ndarray, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What distances are measured on, as if the features had length 1.

    Args:
        features: float16 (n, d).
        logits: float32 (n, classes).
        recipe: of the features.

    Returns:
        averages: float32 (n, k), over the places of each map, or groups of fc6's or fc7's units;
            k is a thirty-sixth or a sixteenth of d.
        logits: float32 (n, classes), less their mean, which no softmax depends on.
        sketch: float32 (n, s), see `lab.features.linear.sketch`: it stands for the features.
    """
    x = tf.cast(features, tf.float32)  # (n, d)
    lengths = np.maximum(tf.norm(x, axis=1).numpy(), TINY)[:, None]
    layers = tf.split(x, recipe.widths, axis=1)  # (n, places * channels) each
    maps = [tf.reshape(layer, (len(features), places(recipe), -1)) for layer in layers]
    averages = tf.concat([tf.reduce_mean(layer, axis=1) for layer in maps], axis=1).numpy()
    logits = logits - logits.mean(axis=1, keepdims=True)
    return averages / lengths, logits / lengths, linear.sketch(features) / lengths


def places(recipe: Recipe) -> int:
    """How many numbers of a layer are averaged."""
    return DENSE_GROUP if recipe.last in alexnet.DENSE else recipe.grid**2


def apart(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Distances float64 (n, m) of x, (n, d), from centres, (m, d): radially they are shortened."""
    x, centres = x.astype(np.float64), centres.astype(np.float64)  # small angles would be lost
    long, far = linalg.norm(x, axis=1)[:, None], linalg.norm(centres, axis=1)
    squares = 2 * np.maximum(long * far - x @ centres.T, 0)  # 0 if both have one direction
    return np.sqrt(squares + RADIAL * (long - far) ** 2)

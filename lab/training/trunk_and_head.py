"""The network that is trained as a whole: conv1 to pool5, and a linear head."""

import keras
import numpy as np
import tensorflow as tf

import alexnet
from lab.features import extractor
from lab.training.plans import Plan
from lab.weights import Arrays


def network(arrays: Arrays, plan: Plan, classes: int, gain: float = 1.0) -> keras.Model:
    """Builds conv1 to pool5 and a linear head.

    The head is one for pool5 of the plan's last size; that of a smaller input is enlarged to it.

    Args:
        arrays: dict, layer name -> (kernel, bias), conv1 to conv5, for input of 0 to 255.
        plan: `Plan`.
        classes: number of classes.
        gain: what pool5 is multiplied by before the head.

    Returns:
        Keras model: RGB pictures (n, s, s, 3), 0 to 255 -> float32 logits (n, classes).
    """
    kernel, bias = arrays["conv1"]
    arrays = {**arrays, "conv1": (kernel / plan.scale, bias)}
    dtype = alexnet.PRECISIONS[plan.precision]
    trunk = alexnet.build(arrays, "pool5", dtype=dtype, size=None, scale=plan.scale)
    grid = plan.recipe.grid
    x = keras.layers.Resizing(grid, grid, interpolation="nearest", dtype=dtype)(trunk.output)
    x = keras.layers.Reshape((plan.recipe.width,), dtype="float32")(x)  # (n, 9216)
    x = keras.layers.Rescaling(gain, dtype="float32", name="features")(x)
    x = keras.layers.Dense(classes, kernel_initializer="zeros", dtype="float32", name="head")(x)
    return keras.Model(trunk.input, x)


def pool5_gain(arrays: Arrays, images: np.ndarray, plan: Plan) -> float:
    """1 / the root mean square of pool5 on a sample: the head's input gets unit variance."""
    trunk = alexnet.build(arrays, "pool5", size=None)
    pool5 = trunk(extractor.prepared(tf.constant(images), plan.recipe)).numpy()
    return float(1 / max(np.sqrt(np.mean(np.square(pool5))), 1e-12))

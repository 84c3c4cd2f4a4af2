"""A linear layer over features that need not fit into memory: forward and back in chunks."""

import functools

import numpy as np
import tensorflow as tf

from lab.features.cache import Features, SharedFeatures

CHUNK = 2048  # pictures at a time
SKETCH = 256  # numbers of a random projection


def initial(width: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The lab's initial kernel (width, classes), normal with deviation 0.01, and bias, zero."""
    generator = np.random.default_rng(seed)
    kernel = generator.normal(0, 0.01, (width, classes)).astype(np.float32)
    return kernel, np.zeros(classes, np.float32)


def logits(
    features: Features, rows: np.ndarray, kernel: np.ndarray, bias: np.ndarray | np.float32
) -> np.ndarray:
    """float32 logits (m, classes) of rows int (m,) of the features."""
    if isinstance(features, SharedFeatures):
        mine, own = features.mine(rows), rows - features.start
        result = np.zeros((len(rows), kernel.shape[1]), np.float32)
        if mine.any():
            result[mine] = logits(features.own, own[mine], kernel, bias)
        return features.workers.summed(result)
    kernel, bias = tf.convert_to_tensor(kernel), tf.convert_to_tensor(bias)
    chunks = (features[rows[i : i + CHUNK]] for i in range(0, len(rows), CHUNK))
    return np.concatenate([_product(chunk, kernel, bias).numpy() for chunk in chunks])


def back(features: Features, rows: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Back through a linear layer: the transposed features times the errors.

    Args:
        features: float16 (n, d).
        rows: int (m,), the rows of features that the errors belong to.
        errors: float32 (m, k).

    Returns:
        float32 (d, k).
    """
    if isinstance(features, SharedFeatures):
        mine, own = features.mine(rows), rows - features.start
        return features.workers.summed(back(features.own, own[mine], errors[mine]))
    total = tf.zeros((features.shape[1], errors.shape[1]))
    for i in range(0, len(rows), CHUNK):
        total = _added(total, features[rows[i : i + CHUNK]], errors[i : i + CHUNK])
    return total.numpy()


@tf.function(reduce_retracing=True)
def _added(total: tf.Tensor, x: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
    return total + tf.matmul(tf.cast(x, tf.float32), errors, transpose_a=True)


@tf.function(reduce_retracing=True)
def _product(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    # NumPy, on one core, takes longer to turn float16 into float32 than to multiply.
    return tf.matmul(tf.cast(x, tf.float32), kernel) + bias


def sketch(x: Features, rows: np.ndarray | None = None) -> np.ndarray:
    """A random projection of features that nearly preserves the distances between them.

    Args:
        x: float (m, d).
        rows: int (n,), the rows to project; None: all.

    Returns:
        float32 (n, s), `SKETCH` or, if there are fewer features, those.
    """
    rows = np.arange(len(x)) if rows is None else rows
    if x.shape[1] <= SKETCH:
        return x[rows].astype(np.float32)
    return logits(x, rows, _directions(x.shape[1], SKETCH), np.float32(0))


@functools.cache
def _directions(d: int, width: int) -> tf.Tensor:
    """Signs over the root of width: NumPy promises the bits of a generator, not its normals.

    Saved measures of novelty hold sketches, which have to be the same everywhere.
    """
    bits = np.random.PCG64(0).random_raw(-(-d * width // 64)).astype("<u8")
    signs = np.unpackbits(bits.view(np.uint8), count=d * width).reshape(d, width)
    return tf.constant((2 * signs.astype(np.float32) - 1) * np.float32(width**-0.5))

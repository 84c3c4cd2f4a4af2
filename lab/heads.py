"""Trains a linear head on frozen features: the lab's softmax regression by Adam."""

import functools
import time

import numpy as np
import tensorflow as tf

# Adam as the lab has it: the learning rate, and TensorFlow's defaults for the rest.
ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
CHUNK = 2048  # pictures at a time where nothing is learned
OVERFLOW = (  # how errors end where it shows
    "the features hold numbers that float16 cannot: take another --layer or --precision float32"
)


class Head:
    """A linear layer and its training.

    Args:
        width: number of features.
        classes: number of classes.
        seed: of the initial kernel and of the order in which pictures are taken.
    """

    def __init__(self, width, classes, seed=0):
        self.seed = seed
        kernel, bias = initial(width, classes, seed)
        self.kernel = tf.Variable(kernel)  # (d, 43)
        self.bias = tf.Variable(bias)  # (43,)
        self.moments = [
            (tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v)))
            for v in (self.kernel, self.bias)
        ]
        self.steps, self.epoch = tf.Variable(0.0), 0

    @tf.function(reduce_retracing=True)
    def _descend(self, x, labels):
        x = tf.cast(x, tf.float32)  # (n, d)
        logits = tf.matmul(x, self.kernel) + self.bias  # (n, 43)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        # The gradient of the mean loss, written out: nothing is to be differentiated below x.
        error = tf.nn.softmax(logits) - tf.one_hot(labels, logits.shape[-1])
        error /= tf.cast(tf.shape(x)[0], tf.float32)
        gradients = [tf.matmul(x, error, transpose_a=True), tf.reduce_sum(error, axis=0)]
        self.steps.assign_add(1.0)
        for variable, (m, v), gradient in zip(
            (self.kernel, self.bias), self.moments, gradients, strict=True
        ):
            # The fused kernel: Keras' Adam, a dozen small operations, took three times as long as
            # the head's two matrix products together.
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=ADAM["beta1"] ** self.steps,
                beta2_power=ADAM["beta2"] ** self.steps,
                grad=gradient,
                **ADAM,
            )
        return tf.reduce_mean(losses)

    def train_epoch(self, features, labels, rows, batch, progress=iter):
        """Goes once through some pictures, in an order of this seed and epoch.

        Args:
            features: float16 (n, d).
            labels: int64 (n,).
            rows: indices of the pictures to learn from.
            batch: pictures a step.
            progress: wraps the iterable of steps.

        Returns:
            loss: mean over the steps.
            seconds: what the epoch took.
        """
        start = time.perf_counter()
        rows = np.random.default_rng([self.seed, self.epoch]).permutation(rows)
        losses = []
        for i in progress(range(0, len(rows), batch)):
            # Sorted within the batch: neighbours in the file are then read together.
            some = np.sort(rows[i : i + batch])
            losses.append(self._descend(features[some], labels[some]))
        self.epoch += 1
        return float(np.mean(losses)), time.perf_counter() - start

    def logits(self, features, rows):
        """float32 logits (len(rows), classes)."""
        return logits(features, rows, np.asarray(self.kernel), np.asarray(self.bias))


def initial(width, classes, seed):
    """The lab's initial kernel (width, classes), normal with deviation 0.01, and bias, zero."""
    generator = np.random.default_rng(seed)
    kernel = generator.normal(0, 0.01, (width, classes)).astype(np.float32)
    return kernel, np.zeros(classes, np.float32)


def logits(features, rows, kernel, bias):
    """float32 logits (len(rows), classes) of a linear head, in pieces: the whole need not fit."""
    kernel, bias = tf.convert_to_tensor(kernel), tf.convert_to_tensor(bias)
    chunks = (features[rows[i : i + CHUNK]] for i in range(0, len(rows), CHUNK))
    return np.concatenate([_product(some, kernel, bias).numpy() for some in chunks])


def back(features, rows, errors):
    """Back through a linear head, in pieces as well: the features' transpose times errors.

    Args:
        features: float16 (n, d), an array or `lab.kept.Kept`.
        rows: int (m,), those that are multiplied.
        errors: float32 (m, k).

    Returns:
        float32 (d, k).
    """
    total = tf.zeros((features.shape[1], errors.shape[1]))
    for i in range(0, len(rows), CHUNK):
        total = _added(total, features[rows[i : i + CHUNK]], errors[i : i + CHUNK])
    return total.numpy()


@tf.function(reduce_retracing=True)
def _added(total, x, errors):
    return total + tf.matmul(tf.cast(x, tf.float32), errors, transpose_a=True)


@tf.function(reduce_retracing=True)
def _product(x, kernel, bias):
    # NumPy, on one core, takes longer to turn float16 into float32 than to multiply.
    return tf.matmul(tf.cast(x, tf.float32), kernel) + bias


def projected(x, rows=None, width=256):
    """float32 (n, width): a random projection, in which distances are nearly kept.

    Args:
        x: float (m, d).
        rows: int (n,), those wanted; None: all.
        width: of the result, at most.
    """
    rows = np.arange(len(x)) if rows is None else rows
    if x.shape[1] <= width:
        return x[rows].astype(np.float32)
    return logits(x, rows, _directions(x.shape[1], width), np.float32(0))


@functools.cache
def _directions(d, width):
    kernel = np.random.default_rng(0).normal(0, width**-0.5, (d, width))
    return tf.constant(kernel.astype(np.float32))

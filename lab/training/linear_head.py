"""Trains a linear head on frozen features: the lab's softmax regression by Adam."""

import time

import numpy as np
import tensorflow as tf

from lab.features import linear
from lab.features.cache import Features
from lab.progress import Advance

# Adam as the lab has it: the learning rate, and TensorFlow's defaults for the rest.
ADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
OVERFLOW = (  # the end of error texts
    "the features hold numbers that float16 cannot: take another --layer or --precision float32"
)


class LinearHead:
    """A linear layer and its training.

    Args:
        width: number of features.
        classes: number of classes.
        seed: of the initial kernel and of the order of the pictures.

    Attributes:
        epoch: how many epochs it has been trained for.
    """

    def __init__(self, width: int, classes: int, seed: int = 0):
        self.seed = seed
        kernel, bias = linear.initial(width, classes, seed)
        self._kernel = tf.Variable(kernel)  # (d, classes)
        self._bias = tf.Variable(bias)  # (classes,)
        self._moments = [
            (tf.Variable(tf.zeros_like(weight)), tf.Variable(tf.zeros_like(weight)))
            for weight in (self._kernel, self._bias)
        ]
        self._steps, self.epoch = tf.Variable(0.0), 0

    @property
    def kernel(self) -> np.ndarray:
        """float32 (d, classes)."""
        return np.asarray(self._kernel)

    @property
    def bias(self) -> np.ndarray:
        """float32 (classes,)."""
        return np.asarray(self._bias)

    @tf.function(reduce_retracing=True)
    def _descend(self, x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, tf.float32)  # (n, d)
        logits = tf.matmul(x, self._kernel) + self._bias  # (n, classes)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        # The gradient of the mean loss, written out: no layer below x is trained.
        error = tf.nn.softmax(logits) - tf.one_hot(labels, logits.shape[-1])
        error /= tf.cast(tf.shape(x)[0], tf.float32)
        gradients = [tf.matmul(x, error, transpose_a=True), tf.reduce_sum(error, axis=0)]
        self._steps.assign_add(1.0)
        for variable, (m, v), gradient in zip(
            (self._kernel, self._bias), self._moments, gradients, strict=True
        ):
            # One fused operation: Keras' Adam, a dozen small ones, took three times as long as the
            # head's two matrix products together.
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=ADAM["beta1"] ** self._steps,
                beta2_power=ADAM["beta2"] ** self._steps,
                grad=gradient,
                **ADAM,
            )
        return tf.reduce_mean(losses)

    def train_epoch(
        self,
        features: Features,
        labels: np.ndarray,
        rows: np.ndarray,
        batch: int,
        advance: Advance = int,
    ) -> tuple[float, float]:
        """Trains on each of these pictures once, in an order that depends on seed and epoch.

        Args:
            features: float16 (n, d).
            labels: int64 (n,).
            rows: int64 (m,), the pictures to train on.
            batch: pictures in a step.
            advance: called after each step.

        Returns:
            loss: mean over the steps.
            seconds: what the epoch took.
        """
        start = time.perf_counter()
        rows = np.random.default_rng([self.seed, self.epoch]).permutation(rows)
        losses = []
        for i in range(0, len(rows), batch):
            # Sorted within the batch: neighbours in the file are then read together.
            in_batch = np.sort(rows[i : i + batch])
            losses.append(self._descend(features[in_batch], labels[in_batch]))
            advance()
        self.epoch += 1
        return float(np.mean(losses)), time.perf_counter() - start

    def logits(self, features: Features, rows: np.ndarray) -> np.ndarray:
        """float32 logits (len(rows), classes)."""
        return linear.logits(features, rows, self.kernel, self.bias)

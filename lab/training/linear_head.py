"""Trains a linear head on frozen features: the lab's softmax regression by Adam."""

import time

import numpy as np
import tensorflow as tf

from lab.features import linear
from lab.features.batches import ByRows, read_ahead
from lab.features.cache import Features, SharedFeatures
from lab.progress import Advance
from lab.training.adam import Adam
from lab.workers import ALONE, Workers

RATE, EPSILON = 1e-3, 1e-8  # of Adam: the lab's, and TensorFlow 1's
OVERFLOW = (  # the end of error texts
    "the features hold numbers that float16 cannot: take another --layer or --precision float32"
)


class LinearHead:
    """A linear layer and its training.

    Args:
        width: number of features.
        classes: number of classes.
        seed: of the initial kernel and of the order of the pictures.
        workers: which train it together: the same batches as one, and the same head but for
            rounding.

    Attributes:
        epoch: how many epochs it has been trained for.
    """

    def __init__(self, width: int, classes: int, seed: int = 0, workers: Workers = ALONE):
        self.seed, self.workers = seed, workers
        kernel, bias = linear.initial(width, classes, seed)
        with workers.strategy.scope():
            self._kernel = tf.Variable(kernel)  # (d, classes)
            self._bias = tf.Variable(bias)  # (classes,)
            self._adam = Adam([self._kernel, self._bias], EPSILON)
        self._steps, self.epoch = 0, 0
        # Traced once: all workers must number their sums alike, though their parts differ in size.
        self._descend = tf.function(
            self._on_each_device,
            input_signature=[
                tf.TensorSpec((None, width), tf.float16),
                tf.TensorSpec((None,), tf.int64),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((), tf.float32),
            ],
        )

    @property
    def kernel(self) -> np.ndarray:
        """float32 (d, classes)."""
        return np.asarray(self._kernel)

    @property
    def bias(self) -> np.ndarray:
        """float32 (classes,)."""
        return np.asarray(self._bias)

    def _on_each_device(
        self, x: tf.Tensor, labels: tf.Tensor, count: tf.Tensor, step: tf.Tensor
    ) -> tf.Tensor:
        strategy = self.workers.strategy
        losses = strategy.run(self._step, (x, labels, count, step))
        return strategy.reduce("SUM", losses, axis=None)

    def _step(
        self, x: tf.Tensor, labels: tf.Tensor, count: tf.Tensor, step: tf.Tensor
    ) -> tf.Tensor:
        _, (x, labels) = self.workers.dealt(x, labels)
        x = tf.cast(x, tf.float32)  # (n, d)
        logits = tf.matmul(x, self._kernel) + self._bias  # (n, classes)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        # The gradient of the mean loss, written out: no layer below x is trained.
        error = (tf.nn.softmax(logits) - tf.one_hot(labels, logits.shape[-1])) / count
        gradients = [tf.matmul(x, error, transpose_a=True), tf.reduce_sum(error, axis=0)]
        self._adam.apply(self.workers.summed_gradients(gradients), step, tf.constant(RATE))
        return tf.reduce_sum(losses) / count

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
        # Sorted within the batch: neighbours in the file are then read together.
        steps = [np.sort(rows[i : i + batch]) for i in range(0, len(rows), batch)]
        mine, first = steps, 0
        stored: ByRows = features
        if isinstance(features, SharedFeatures):  # each worker computes with what it has
            mine = [step[features.mine(step)] for step in steps]
            stored, first = features.own, features.start
        losses, batches = [], read_ahead(stored, [own - first for own in mine])
        for step, own, x in zip(steps, mine, batches, strict=True):
            self._steps += 1
            losses.append(self._descend(x, labels[own], float(len(step)), float(self._steps)))
            advance()
        self.epoch += 1
        return float(np.mean(losses)), time.perf_counter() - start

    def logits(self, features: Features, rows: np.ndarray) -> np.ndarray:
        """float32 logits (len(rows), classes)."""
        return linear.logits(features, rows, self.kernel, self.bias)

"""Training of the whole network: fine-tuned from given weights, or from random ones.

It knows arrays and checkpoints, but no options and no printing. For a head on frozen features, see
`lab.training.on_features`.
"""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import alexnet
from lab.errors import LabError
from lab.features import extractor
from lab.features.batches import BATCH, Images, batches, read_ahead, rows_of
from lab.progress import Advance
from lab.training import augmentation, checkpoints
from lab.training.adam import Adam
from lab.training.draws import dropped
from lab.training.plans import WARMUP, Plan, Ranges
from lab.training.trunk_and_head import network, pool5_gain
from lab.weights import Arrays
from lab.workers import ALONE, Workers

CHECKPOINT_STEPS = 250


class Learner:
    """A training in progress: the network, its optimizer, epoch and step.

    Args:
        arrays: the weights to start from.
        images, labels: uint8 (n, h, h, 3) and int64 (n,), the training pictures.
        plan: `Plan`.
        classes: number of classes.
        origin: name -> value of what must be the same, besides the plan, to resume a checkpoint.
        workers: which train it together: the same batches, and of each picture the same random
            copies, as one worker alone.
    """

    def __init__(
        self,
        arrays: Arrays,
        images: Images,
        labels: np.ndarray,
        plan: Plan,
        classes: int,
        origin: dict[str, Any] | None = None,
        workers: Workers = ALONE,
    ):
        self.origin = json.loads(json.dumps((origin or {}) | asdict(plan)))
        self.images, self.labels, self.plan, self.workers = images, labels, plan, workers
        self.batch = min(plan.batch_size, len(images))
        devices = workers.count * len(workers.devices)
        if self.batch < devices:
            raise LabError(
                f"expected batches of at least {devices} pictures, one a device; received "
                f"{self.batch}: give more pictures, a larger --batch-size or fewer devices"
            )
        self.steps = len(images) // self.batch
        gain = pool5_gain(arrays, images[:: max(1, len(images) // 64)][:64], plan)
        self.gain = float(workers.from_chief(np.array(gain, np.float32)))
        with workers.strategy.scope():
            self.model = network(arrays, plan, classes, self.gain)
            trained = [variable.value for variable in self.model.trainable_variables]
            self._adam = Adam(trained, epsilon=1e-7)  # Keras' own
        outputs = self.model.get_layer("features").output
        self._features = keras.Model(self.model.input, outputs)  # pictures -> (n, 9216)
        self.epoch, self.step, self.loss, self.seconds = 0, 0, 0.0, 0.0
        self.history: list[dict[str, Any]] = []

    def train_epoch(self, path: Path | None = None, advance: Advance = int) -> float:
        """Trains on each picture once, but for what fills no batch, or on a resumed epoch's rest.

        Args:
            path: where the state is written to, every `CHECKPOINT_STEPS` steps, or None.
            advance: called after each step.

        Returns:
            Mean loss of the epoch.

        Raises:
            LabError: the loss is not finite; the last checkpoint stays.
        """
        order = np.random.default_rng([self.plan.seed, self.epoch]).permutation(len(self.images))
        order = order[: self.steps * self.batch].reshape(self.steps, self.batch)
        share = self.workers.share(self.batch)
        steps = list(order[self.step :, share])
        start = time.perf_counter()
        for rows, images in zip(steps, read_ahead(self.images, steps), strict=True):
            self._learn(images, self.labels[rows])
            self.step += 1
            self.seconds += time.perf_counter() - start
            if path and self.step % CHECKPOINT_STEPS == 0:
                self.save(path)
            advance()
            start = time.perf_counter()
        return self.loss / self.steps

    def end_epoch(self, **measured: float) -> None:
        """Records what was measured after an epoch, and begins the next."""
        record = {"epoch": self.epoch + 1, "seconds": self.seconds, "loss": self.loss / self.steps}
        self.history.append(record | measured)
        self.epoch, self.step, self.loss, self.seconds = self.epoch + 1, 0, 0.0, 0.0

    def _learn(self, images: np.ndarray, labels: np.ndarray) -> None:
        done = self.epoch * self.steps + self.step
        how = self.plan.size(self.epoch), self.plan.copies(self.epoch, done)
        now = tf.constant([self.plan.seed, done]), tf.constant(self._rate(done), tf.float32)
        batch = tf.constant(images), tf.constant(labels)
        try:
            loss = float(self._on_each_device(*batch, *now, *how))
        except tf.errors.ResourceExhaustedError:
            raise LabError(
                f"expected room for a step of {self.batch} pictures; the device's memory is "
                f"exhausted: start anew with --batch-size {max(1, self.batch // 2)}"
            ) from None
        if not math.isfinite(loss):
            raise LabError(
                f"expected a finite loss; received {loss} in epoch {self.epoch + 1}, "
                f"step {self.step + 1} of {self.steps}; an earlier checkpoint is on disk: "
                "start again with a smaller --batch-size, another --seed or --precision float32"
            )
        self.loss += loss

    @tf.function(reduce_retracing=False)
    def _on_each_device(self, *step: Any) -> tf.Tensor:
        """The loss of a step; see `_descend`."""
        strategy = self.workers.strategy
        losses = strategy.run(self._descend, step)
        return strategy.reduce("SUM", losses, axis=None)

    def _descend(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        rate: tf.Tensor,
        size: int,
        ranges: Ranges,
    ) -> tf.Tensor:
        head, how = self.model.get_layer("head"), (size, seed, ranges, self.plan.recipe)
        first, (images, labels) = self.workers.dealt(images, labels)
        first += self.workers.share(self.batch).start
        rows = first, tf.shape(labels)[0], self.batch
        turned, labels = augmentation.mirrored(labels, self.plan.mirrors, rows, seed)
        # (n, size, size, 3)
        pictures = augmentation.augment(images, *how, first, self.batch, turned)
        with tf.GradientTape() as tape:
            x = self._features(pictures, training=True)  # (n, 9216)
            x = dropped(x, self.plan.dropout, rows, seed)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, head(x))  # (n,)
            loss = tf.reduce_sum(losses) / self.batch
        gradients = tape.gradient(loss, self.model.trainable_variables)
        gradients = self.workers.summed_gradients(gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        self._adam.apply(gradients, tf.cast(seed[1] + 1, tf.float32), rate)
        return loss

    def _rate(self, done: int) -> float:
        total = self.plan.epochs * self.steps
        warm = min(1.0, (done + 1) / min(WARMUP, max(1, total // 10)))
        return self.plan.rate * warm * 0.5 * (1 + math.cos(math.pi * done / total))

    def predict(self, images: Images, size: int) -> np.ndarray:
        """float32 logits (n, classes) of uint8 pictures (n, h, h, 3)."""
        logits = np.zeros((len(images), self.model.output.shape[1]), np.float32)
        share = self.workers.share(len(images))
        i = share.start
        for batch in batches(rows_of(images, share)):
            logits[i : i + len(batch)] = self._logits(batch, size)
            i += len(batch)
        return self.workers.summed(logits)

    @tf.function(reduce_retracing=True)
    def _logits(self, images: tf.Tensor, size: int) -> tf.Tensor:
        strategy = self.workers.strategy
        logits = strategy.run(self._logits_of_part, (images, size))
        return tf.concat(strategy.experimental_local_results(logits), axis=0)

    def _logits_of_part(self, images: tf.Tensor, size: int) -> tf.Tensor:
        _, (images,) = self.workers.dealt(images)
        return self.model(extractor.prepared(images, self.plan.recipe, size), training=False)

    def predict_copies(self, images: Images, seed: int) -> np.ndarray:
        """float32 logits (n, classes) of a random copy of each picture, as large as the picture."""
        logits = np.zeros((len(images), self.model.output.shape[1]), np.float32)
        mine = self.workers.share(math.ceil(len(images) / BATCH))  # of the batches
        rows = slice(mine.start * BATCH, min(mine.stop * BATCH, len(images)))
        parts = batches(rows_of(images, rows), size=BATCH)
        for number, batch in enumerate(parts, mine.start):
            i = number * BATCH
            copies = self._logits_of_copies(batch, tf.constant([seed, number]))
            logits[i : i + len(batch)] = copies
        return self.workers.summed(logits)

    @tf.function(reduce_retracing=True)
    def _logits_of_copies(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        dirtiest = self.plan.late or self.plan.ranges
        copies = augmentation.as_pictures(images, seed, dirtiest)
        return self.model(extractor.prepared(copies, self.plan.recipe), training=False)

    def arrays(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The network's weights now: dict, layer name -> (kernel, bias), for input of 0 to 255."""
        arrays = {
            name: tuple(self.model.get_layer(name).get_weights())
            for name in alexnet.SHAPES
            if name.startswith("conv")
        }
        kernel, bias = arrays["conv1"]
        return arrays | {"conv1": (kernel * np.float32(self.plan.scale), bias)}

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """The head now: kernel (d, classes) and bias (classes,) for pool5 as it is."""
        kernel, bias = self.model.get_layer("head").get_weights()
        return kernel * np.float32(self.gain), bias

    def _state(self) -> list[Any]:
        return [*self.model.variables, *self._adam.variables]

    def save(self, path: Path) -> None:
        """Writes all that is needed to resume, atomically; but no state with NaN or infinity."""
        where: dict[str, Any] = {name: getattr(self, name) for name in checkpoints.PLACE}
        values = [np.asarray(variable) for variable in self._state()]
        checkpoints.write(path, where | {"origin": self.origin}, values)

    def restore(self, path: Path) -> None:
        """Goes back to a checkpoint that `save` wrote, of several workers to the chief's.

        Raises:
            LabError: the file cannot be read or belongs to another plan.
        """
        state, where = self._state(), dict[str, Any]()
        values = [np.asarray(variable) for variable in state]
        if self.workers.chief:
            epochs = self.plan.epochs
            values, where = checkpoints.read(path, self.origin, values, epochs, self.steps)
        where = json.loads(self.workers.text_from_chief(json.dumps(where)))
        for variable, value in zip(state, values, strict=True):
            variable.assign(self.workers.from_chief(value))
        for name in checkpoints.PLACE:
            setattr(self, name, where[name])

"""All workers of a training, as one of them sees them: shares of the pictures, sums over all."""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from lab.errors import LabError


@dataclass(frozen=True)
class Workers:
    """All workers of a training, as one of them sees them.

    Args:
        addresses: "host:port" of each; none where this process is the only one.
        index: which of them this is; 0 is the chief, which writes the results.
    """

    addresses: tuple[str, ...] = ()
    index: int = 0

    @property
    def count(self) -> int:
        """The number of workers."""
        return max(1, len(self.addresses))

    @property
    def chief(self) -> bool:
        """Whether this worker writes the results."""
        return self.index == 0

    @cached_property
    def devices(self) -> list[str]:
        """This worker's devices: its GPUs, else its CPU."""
        import tensorflow as tf

        if self.addresses:
            return list(self.strategy.extended.worker_devices)
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        return [device.name for device in tf.config.list_logical_devices(kind)]

    @cached_property
    def strategy(self) -> Any:
        """The tf.distribute.Strategy whose scope the trained variables are made in."""
        import tensorflow as tf

        if self.addresses:
            return tf.distribute.MultiWorkerMirroredStrategy()
        if len(self.devices) > 1:
            return tf.distribute.MirroredStrategy(self.devices)
        return tf.distribute.get_strategy()

    def share(self, total: int) -> slice:
        """This worker's part of `total` rows; all workers' parts are disjoint and complete."""
        first, last = (total * i // self.count for i in (self.index, self.index + 1))
        return slice(first, last)

    def dealt(self, *columns: Any) -> tuple[Any, list[Any]]:
        """This device's part of its worker's rows, where `strategy.run` runs a function.

        Args:
            columns: tensors (n, ...), in the worker's memory.

        Returns:
            The first row of the part, and the part of each column.
        """
        import tensorflow as tf

        count = len(self.devices)
        if count == 1:
            return 0, list(columns)
        context = tf.distribute.get_replica_context()
        place = context.replica_id_in_sync_group - self.index * count
        with tf.device("CPU:0"):  # cut there: a GPU is sent its own part alone
            n = tf.shape(columns[0])[0]
            first, last = n * place // count, n * (place + 1) // count
            return first, [column[first:last] for column in columns]

    def summed(self, array: np.ndarray) -> np.ndarray:
        """The sum of all workers' arrays, float or int32 of one shape; all must call this."""
        if self.count == 1:
            return array
        values = self.strategy.experimental_distribute_values_from_function(
            # of a worker's devices, the first one has it
            lambda to: array if to.replica_id_in_sync_group % len(self.devices) == 0 else 0 * array
        )
        return self.strategy.reduce("SUM", values, axis=None).numpy()

    def summed_gradients(self, gradients: list[Any]) -> list[Any]:
        """The sums over all devices, where `strategy.run` runs a function."""
        import tensorflow as tf

        return tf.distribute.get_replica_context().all_reduce("SUM", gradients)

    def from_chief(self, array: np.ndarray) -> np.ndarray:
        """The chief's array; the others give one of its shape and type."""
        return self.summed(array if self.chief else np.zeros_like(array))

    def text_from_chief(self, text: str) -> str:
        """The chief's text; what the others give does not count."""
        code = np.frombuffer(text.encode(), np.uint8).astype(np.int32)
        length = int(self.from_chief(np.array(len(code), np.int32)))
        code = self.from_chief(code if self.chief else np.zeros(length, np.int32))
        return bytes(code.astype(np.uint8)).decode()

    def agree(self, **parts: Any) -> None:
        """Stops all workers where one has begun with something else than the chief.

        Args:
            parts: name -> what must be the same, as JSON has it.

        Raises:
            LabError: it is not; the message names the worker and the part.
        """
        texts = [json.dumps(part, sort_keys=True, default=str) for part in parts.values()]
        prints = [np.frombuffer(sha256(text.encode()).digest(), np.uint8) for text in texts]
        table = np.zeros((self.count, *np.shape(prints)), np.int32)
        table[self.index] = prints
        table = self.summed(table)
        same = (table == table[0]).all(axis=2)  # (workers, parts)
        for worker, part in np.argwhere(~same):
            name = list(parts)[part]
            raise LabError(
                f"{self.named(int(worker))}: expected the same {name} as worker 0; received other: "
                f"start all workers with the same {name}"
            )

    def named(self, *workers: int) -> str:
        """Workers, for messages."""
        return ", ".join(f"worker {i} ({self.addresses[i]})" for i in workers)


ALONE = Workers()

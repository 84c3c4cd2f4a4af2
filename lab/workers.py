"""One training on several GPUs and machines, by TensorFlow's distribution strategies.

Each machine runs the same script with the same options; TF_CONFIG, in its environment, names all
workers and which of them this one is. A worker computes on its own share of the pictures; sums over
all workers keep the weights of all equal. Worker 0, the chief, writes the results. Without
TF_CONFIG there is one worker, with all GPUs of its machine.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from lab.command_line import import_tensorflow
from lab.errors import LabError, shown
from lab.progress import tell

PATIENCE = 60.0  # seconds that a worker waits for the others to come
BEAT, MISSED = 2.0, 4  # seconds between two looks at the others; this many in vain: it is gone
FORM = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Workers:
    """All workers of a training, as one of them sees them.

    Args:
        addresses: "host:port" of each; none where this process is the only one.
        index: which of them this is; 0 is the chief, which writes the results.
    """

    addresses: tuple[str, ...] = ()
    index: int = 0
    _left: threading.Event = field(default_factory=threading.Event, repr=False)

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

    def _watch(self) -> None:
        """Ends this process where another worker is gone.

        A sum that waits for that worker fails at once or never: a thread sees it in either case.
        """
        missed = {worker: 0 for worker in range(self.count) if worker != self.index}
        while not self._left.wait(BEAT):
            for worker, times in missed.items():
                missed[worker] = 0 if _answers(self.addresses[worker]) else times + 1
            gone = [worker for worker, times in missed.items() if times >= MISSED]
            if gone and not self._left.is_set():
                names = self.named(*gone)
                tell(f"error: {names} is gone: start all workers again, worker 0 with --resume")
                os._exit(2)

    def _leave(self) -> None:
        """Waits until all workers have come here: from then on none is missed."""
        self.summed(np.zeros(1, np.float32))
        self._left.set()
        with contextlib.suppress(Exception):  # who is gone by now had all sums
            self.summed(np.zeros(1, np.float32))


ALONE = Workers()


@contextlib.contextmanager
def joined() -> Iterator[Workers]:
    """Meets the workers that TF_CONFIG names, and parts from them at the end.

    Yields:
        `ALONE`, at once, where it names no other.

    Raises:
        LabError: TF_CONFIG cannot be used, a worker has not come after `PATIENCE` seconds, this
            one's port is in use, or another one is gone.
    """
    text = os.environ.get("TF_CONFIG")
    workers = from_config(text) if text else ALONE
    if workers.count == 1:
        yield ALONE
        return
    _meet(workers)
    import tensorflow as tf

    watch = threading.Thread(target=workers._watch, daemon=True)
    try:
        devices = len(workers.devices) * workers.count  # TensorFlow's strategy begins here
        tell(f"{workers.named(workers.index)} of {workers.count}, {devices} devices in all")
        watch.start()
        yield workers
        workers._leave()
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        if watch.is_alive():
            watch.join(2 * BEAT * MISSED)  # it ends this process, and names who is gone
        raise LabError(f"the workers have lost each other: {shown(str(error))}") from None
    finally:
        workers._left.set()


def from_config(text: str) -> Workers:
    """The workers that the text of TF_CONFIG names.

    Raises:
        LabError: it is not of the form that TensorFlow gives it.
    """
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        chief, others = list(cluster.get("chief", [])), list(cluster.get("worker", []))
        addresses, index = [*chief, *others], task["index"]
        places = [_place(address) for address in addresses]
        place = {"chief": 0, "worker": len(chief)}[task["type"]] + index
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError("the index is no whole number")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LabError(f"expected TF_CONFIG as {FORM}; received {shown(text, 80)}") from None
    if not addresses:
        raise LabError("expected the address of a worker in TF_CONFIG; received none: name all")
    if not 0 <= index < len(chief if task["type"] == "chief" else others):
        raise LabError(
            f"expected a task in TF_CONFIG among its {len(addresses)} workers, from 0; received "
            f"{task['type']} {index}: give each worker its own index"
        )
    if len(set(addresses)) < len(addresses) or not all(
        host and 0 < port < 2**16 for host, port in places
    ):
        raise LabError(
            f"expected addresses host:port in TF_CONFIG, all different, ports 1 to 65535; received "
            f"{shown(', '.join(addresses), 80)}"
        )
    return Workers(tuple(addresses), place)


def _meet(workers: Workers) -> None:
    """Waits until all workers have come; while TensorFlow starts they would wait for ever."""
    own = workers.named(workers.index)
    try:
        server = socket.create_server(("", _place(workers.addresses[workers.index])[1]))
    except OSError as error:
        raise LabError(
            f"{own}: expected a port that is free here; received: {error.strerror}: end what uses "
            "it, or name another in all workers' TF_CONFIG"
        ) from None
    with server:
        import_tensorflow()
        start, missing = time.monotonic(), [i for i in range(workers.count) if i != workers.index]
        while missing and time.monotonic() - start < PATIENCE:
            missing = [i for i in missing if not _answers(workers.addresses[i])]
            time.sleep(BEAT / 10 * bool(missing))
    if missing:
        raise LabError(
            f"expected all workers within {PATIENCE:.0f} s; {shown(workers.named(*missing), 150)} "
            "has not come: start it, and the others again"
        )


def _place(address: str) -> tuple[str, int]:
    """Host and port of an address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _answers(address: str) -> bool:
    """Whether somebody listens at an address."""
    try:
        socket.create_connection(_place(address), timeout=BEAT).close()
    except OSError:
        return False
    return True

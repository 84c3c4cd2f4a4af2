"""Meeting the workers that TF_CONFIG names, seeing who is gone, and parting."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np

from lab.command_line import import_tensorflow
from lab.errors import LabError, shown
from lab.progress import tell
from lab.workers.shares import ALONE, Workers
from lab.workers.tf_config import from_config, host_and_port

PATIENCE = 60.0  # seconds that a worker waits for the others to come
BEAT, MISSED = 2.0, 4  # seconds between two looks at the others; this many in vain: it is gone


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

    left = threading.Event()
    watch = threading.Thread(target=_watch, args=(workers, left), daemon=True)
    try:
        devices = len(workers.devices) * workers.count  # TensorFlow's strategy begins here
        tell(f"{workers.named(workers.index)} of {workers.count}, {devices} devices in all")
        watch.start()
        yield workers
        _leave(workers, left)
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        if watch.is_alive():
            watch.join(2 * BEAT * MISSED)  # it ends this process, and names who is gone
        raise LabError(f"the workers have lost each other: {shown(str(error))}") from None
    finally:
        left.set()


def _meet(workers: Workers) -> None:
    """Waits until all workers have come; while TensorFlow starts they would wait for ever."""
    own = workers.named(workers.index)
    try:
        server = socket.create_server(("", host_and_port(workers.addresses[workers.index])[1]))
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


def _watch(workers: Workers, left: threading.Event) -> None:
    """Ends this process where another worker is gone.

    A sum that waits for that worker fails at once or never: a thread sees it in either case.
    """
    missed = {worker: 0 for worker in range(workers.count) if worker != workers.index}
    while not left.wait(BEAT):
        for worker, times in missed.items():
            missed[worker] = 0 if _answers(workers.addresses[worker]) else times + 1
        gone = [worker for worker, times in missed.items() if times >= MISSED]
        if gone and not left.is_set():
            names = workers.named(*gone)
            tell(f"error: {names} is gone: start all workers again, worker 0 with --resume")
            os._exit(2)


def _leave(workers: Workers, left: threading.Event) -> None:
    """Waits until all workers have come here: from then on none is missed."""
    workers.summed(np.zeros(1, np.float32))
    left.set()
    with contextlib.suppress(Exception):  # who is gone by now had all sums
        workers.summed(np.zeros(1, np.float32))


def _answers(address: str) -> bool:
    """Whether somebody listens at an address."""
    try:
        socket.create_connection(host_and_port(address), timeout=BEAT).close()
    except OSError:
        return False
    return True

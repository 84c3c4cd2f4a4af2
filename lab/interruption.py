"""Ctrl-C and SIGTERM: the process ends at once, wherever it is, and says how to go on.

Python's own handler waits until the main thread comes back to Python, and a step of TensorFlow may
take long. Here, a thread waits for the signal and ends the process: what `lab.files` writes is
whole after a kill at any moment, so nothing else has to end first.

A script calls `watch` before all other imports, so this module needs little itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}  # 128 + the signal's number, as in shells
AGAIN = "interrupted; give the same command again"
CHILD = 1.5  # seconds for a child to end
PARTS: set[Path] = set()  # temporary files that this process is writing


class Stop:
    """What is done and said when the process is told to stop.

    Attributes:
        advice: gives the last line, which says how to go on.
        child: a process that must end, too.
    """

    advice: Callable[[], str] = staticmethod(lambda: AGAIN)
    child: subprocess.Popen | None = None


stop = Stop()


def watch() -> None:
    """From now on, Ctrl-C and SIGTERM end this process with status 130 and 143."""
    if os.name == "nt":  # signals wake up sockets alone there: KeyboardInterrupt must do
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)  # written to while the main thread is in C++, too
    for number in STATUS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as shells start what is in the background
            signal.signal(number, lambda *_: None)
    # stderr's copy: while TensorFlow starts, nobody reads what is written to stderr
    threading.Thread(target=_wait, args=(reader, os.dup(2)), daemon=True).start()


def _wait(reader: int, stderr: int) -> None:
    number = os.read(reader, 1)[0]
    try:
        if stop.child:
            _end(stop.child)
        for part in list(PARTS):
            part.unlink(missing_ok=True)
        line = stop.advice().encode(errors="backslashreplace") + b"\n"
        if select.select([], [stderr], [], 0)[1]:  # somebody reads it
            os.write(stderr, (b"\r\x1b[K" if os.isatty(stderr) else b"") + line)  # over the bar
    finally:
        os._exit(STATUS.get(signal.Signals(number), 1))


def _end(child: subprocess.Popen) -> None:
    import subprocess

    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(CHILD)

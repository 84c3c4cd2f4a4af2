"""Locks between processes: each is gone with the process that held it, however that one ended."""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def lock(file: int, wait: bool = False) -> bool | None:
    """Takes the lock of an open file or folder; closing it gives the lock back.

    Args:
        file: its descriptor.
        wait: until another process gives it back.

    Returns:
        Whether it is held; None where there are no locks: on Windows and some network drives.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


@contextmanager
def held(path: Path, wait: bool = True) -> Iterator[bool | None]:
    """Holds the lock of a file or folder that is there while the block runs.

    A folder's own lock leaves nothing behind; but network drives lock files alone.

    Args:
        path: the file or folder.
        wait: until no other process has the lock, and say so; else ask once.

    Yields:
        As `lock`: False is given only if it does not wait.
    """
    try:
        file = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except OSError:  # Windows opens no folders
        yield None
        return
    try:
        got = lock(file)
        if got is False and wait:
            with contextlib.suppress(OSError):
                print(f"waiting for another run, which writes to {path}", file=sys.stderr)
            got = lock(file, wait=True)
        yield got
    finally:
        os.close(file)

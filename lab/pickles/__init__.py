"""The only reader of pickles: NumPy arrays in plain containers, from files that nobody vouches for.

machine   the stack, and the opcodes that arrays and plain containers take
arrays    what a pickle may name, and the arrays that it makes

A pickle is a program for a small machine, which may import any function and call it. The machine
here knows only what arrays and plain containers take; whatever else a pickle asks for is refused by
its name. It makes each object once, out of bytes that the file holds, so that no file takes more
memory than its own size, but for a limited number of small objects.
"""

from pathlib import Path
from typing import Any

from lab import untrusted
from lab.pickles.machine import read

__all__ = ["load", "read"]


def load(path: str | Path, expected: str) -> Any:
    """Reads a pickle of Python 2 or 3, in any protocol, without calling what it names.

    Args:
        path: the file.
        expected: what it should be, for messages, such as "a pickle like train.p".

    Returns:
        See `read`.

    Raises:
        LabError: there is no such file, or it is empty, cut short, no pickle, or asks for more than
            NumPy arrays need.
    """
    with untrusted.opened(path, expected) as file:
        return read(file)

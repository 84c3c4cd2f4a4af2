"""Files of strangers: one door for all that reads them.

`reading` names the file and what it should be; `parse` calls a parser, whose errors, of any type,
are the file's fault; `array_size` judges a declared array before anything is done with it. An error
of the lab's own code is no fault of the file and passes as it is.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lab.errors import LabError, shown

OWN = str(Path(__file__).resolve().parent)
MOST_AXES = 4  # of a convolution's kernel, or of pictures
LONGEST_CAUSE = 100  # characters


class Broken(Exception):
    """A file that is damaged or holds something else; the text goes on from "received ..."."""


@contextmanager
def reading(
    path: str | Path, expected: str, advice: str = "get it again or take another"
) -> Iterator[None]:
    """Turns what is found wrong with a file into one line.

    Args:
        path: the file.
        expected: what it should be, such as "a pickle like train.p".
        advice: what to do where it is broken.

    Raises:
        LabError: the block raised `Broken`, or the file cannot be opened.
    """
    name = shown(str(path))
    try:
        yield
    except Broken as broken:
        received = shown(str(broken))
        raise LabError(f"{name}: expected {expected}; received {received}; {advice}") from broken
    except FileNotFoundError:
        raise LabError(
            f"{name}: expected {expected}; there is no such file; check the name"
        ) from None
    except OSError as error:
        reason = error.strerror or cause(error)
        raise LabError(f"{name}: expected {expected}; received: {reason}; check the name") from None


def parse(parser: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a parser makes of a file; whatever it raises is the file's fault.

    Raises:
        Broken: the parser, or what it calls of other packages, raised anything. What the lab's own
            code raises in a call back passes: it is a bug, or says already what is wrong.
    """
    try:
        return parser(*arguments, **options)
    except (Broken, LabError):
        raise
    except (MemoryError, RecursionError) as error:  # wherever it struck
        raise Broken(f"something that is too deep or too large to read ({cause(error)})") from None
    except Exception as error:
        *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
        file = innermost.f_code.co_filename
        if file != __file__ and file.startswith(OWN):
            raise
        raise Broken(f"something that cannot be read ({cause(error)})") from error


def cause(error: BaseException) -> str:
    """What an error says, as a part of one line; its type where it says nothing."""
    text = str(error)[: 4 * LONGEST_CAUSE]  # some hold the whole file
    return shown(" ".join(text.split()), LONGEST_CAUSE) or type(error).__name__


def array_size(shape: Any, dtype: np.dtype, room: int) -> int:
    """Bytes of an array that a file declares, in Python's integers: NumPy's overflow.

    Args:
        shape: what the file says; anything at all.
        dtype: a type of numbers or of text, its items not empty.
        room: bytes, the most that it may have.

    Raises:
        Broken: it is no shape, or the array is larger.
    """
    if not isinstance(shape, tuple | list) or len(shape) > MOST_AXES:
        raise Broken("an array whose shape is no short list of numbers")
    size = dtype.itemsize
    if not 0 < size <= room:
        raise Broken(f"an array of {dtype}, {size} bytes each, in {room} bytes")
    for length in shape:
        if type(length) is not int or not 0 <= length <= room:
            raise Broken("an array that claims more than the file holds")
        size *= length
        if size > room:
            raise Broken("an array that claims more than the file holds")
    return size

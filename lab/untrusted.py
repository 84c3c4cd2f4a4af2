"""Files of strangers: one door for all that reads them.

`opened` names the file and what it should be; `parse` calls a parser, whose errors, of any type,
are the file's fault; `array_size` judges a declared array before anything is done with it. An error
of the lab's own code is no fault of the file and passes as it is.
"""

import json
import os
import stat
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lab.errors import LabError, shown

OWN = str(Path(__file__).resolve().parent)
MOST_AXES = 4  # of a convolution's kernel, or of pictures
MOST_NESTED = 20  # containers in containers; Python's own functions break at 1000
MOST_JSON, MOST_ITEMS = 2**23, 2**19  # bytes, and items: an empty list takes 60
LONGEST_CAUSE, LONGEST_FAULT = 100, 130  # characters of a message


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
        received = shown(str(broken), LONGEST_FAULT)
        raise LabError(f"{name}: expected {expected}; received {received}; {advice}") from broken
    except FileNotFoundError:
        raise LabError(
            f"{name}: expected {expected}; there is no such file; check the name"
        ) from None
    except IsADirectoryError:
        raise LabError(f"{name}: expected {expected}; received a folder; name a file") from None
    except OSError as error:
        reason = error.strerror or cause(error)
        raise LabError(f"{name}: expected {expected}; received: {reason}; check the name") from None


@contextmanager
def opened(
    path: str | Path, expected: str, advice: str = "get it again or take another"
) -> Iterator[BinaryIO]:
    """Opens a file for reading, its errors as in `reading`; a device or a pipe might never end."""
    with reading(path, expected, advice), regular(path) as file:
        yield file


def regular(path: str | Path) -> BinaryIO:
    """Opens a file for reading.

    Raises:
        Broken: it is a device or a pipe, where merely opening it may wait for good.
        OSError: it cannot be opened.
    """
    if "\0" in str(path):
        raise Broken("a name with a null character")
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise Broken("a device or a pipe")
    return open(path, "rb")


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


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object that is not too large and not nested too deeply.

    Raises:
        Broken: it is something else.
    """
    if len(text) > MOST_JSON:
        raise Broken("a JSON object that is too large")
    text = parse(text.decode, "utf-8") if isinstance(text, bytes) else text
    if sum(map(text.count, "[{,")) > MOST_ITEMS:
        raise Broken("a JSON object of too many items")
    content = parse(json.loads, text)
    for _ in leaves(content):
        pass
    if not isinstance(content, dict):
        raise Broken("JSON that is no object")
    return content


def json_file(path: Path) -> dict[str, Any]:
    """The JSON object that a file of the lab's own holds, if nobody has changed it.

    Raises:
        Broken: it is something else.
        OSError: it cannot be opened.
    """
    with regular(path) as file:
        return json_object(file.read(MOST_JSON + 1))


def leaves(content: Any) -> Iterator[Any]:
    """What dicts, lists and tuples hold in the end.

    Raises:
        Broken: they are nested too deeply.
    """
    level = [content]
    for _ in range(MOST_NESTED):
        inside: list[Any] = []
        for item in level:
            if isinstance(item, dict | list | tuple):
                inside += item.values() if isinstance(item, dict) else item
            else:
                yield item
        if not inside:
            return
        level = inside
    raise Broken(f"parts that are nested more than {MOST_NESTED} deep")


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

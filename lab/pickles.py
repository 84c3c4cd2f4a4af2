"""The only unpickler: NumPy arrays in plain containers, from files that may not be trusted.

A pickle is a program: it may import any function and call it. Here it may only name what is on an
allow-list, and even those names do not call NumPy. While the file is read, each call becomes a
record of its arguments; afterwards this module turns the records into arrays and checks every size.
"""

import math
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lab.errors import LabError, shown
from lab.files import human_size


class _Record:
    """An object that a pickle asks for: its arguments and state, not built yet."""

    def __init__(self, *arguments: Any):
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(_Record):
    """An array in protocols 0 to 4: its data come as state."""


class _ArrayType(_Record):
    """The class numpy.ndarray: an argument of `_Array`."""


class _Dtype(_Record):
    """A dtype: code as argument, byte order in the state."""


class _Scalar(_Record):
    """A NumPy scalar: dtype, bytes."""


class _Buffer(_Record):
    """An array in protocol 5: data, dtype, shape, order."""


class _Bytes(_Record):
    """Bytes in Python 3's protocols 0 to 2: text and "latin1", or no argument at all."""


# NumPy 2 renamed numpy.core to numpy._core.
_ALLOWED = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Bytes,
    ("__builtin__", "bytes"): _Bytes,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Buffer for core in ("core", "_core")},
}
# Only numbers and text: no objects, no fields.
_DTYPE = re.compile(r"[biufSU]\d{1,5}")


class _Refused(Exception):
    """The pickle asks for something that plain data do not need."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type[_Record]:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _Refused(f"names {module}.{name}") from None


def load(source: str | Path | BinaryIO, what: str) -> Any:
    """Reads a pickle of Python 2 or 3, in any protocol, without calling what it names.

    Args:
        source: a file's name, or a file opened for reading bytes, read from where it stands.
        what: what the file should be, for messages, such as "a pickle like train.p".

    Returns:
        dict, list, tuple, str, bytes, int, float, bool, None and NumPy arrays, nested. Arrays are
        numbers or text; they share the memory that the file was read into and may be read-only. A
        0-d array of objects is given as its object. Dict keys that Python 2 wrote as `str` are str.

    Raises:
        LabError: there is no such file, or it is empty, cut short, no pickle, or names anything
            that NumPy arrays do not need.
    """
    if not isinstance(source, str | Path):
        return _read(source, f"{source.name}: expected {what}")
    expected = f"{source}: expected {what}"
    try:
        with open(source, "rb") as file:
            return _read(file, expected)
    except FileNotFoundError:
        raise LabError(f"{expected}; there is no such file; check the name") from None
    except OSError as error:
        raise LabError(f"{expected}; received: {error.strerror}; check the name") from None


def _read(file: BinaryIO, expected: str) -> Any:
    start = file.tell()
    size = file.seek(0, 2) - start
    if not size:
        raise LabError(f"{expected}; received an empty file; get it again")
    try:
        file.seek(start)
        _scan(file, size)
        file.seek(start)
        return _Plain().value(_Unpickler(file, encoding="bytes").load())
    except OSError:
        raise
    except _Refused as refused:
        raise LabError(
            f"{expected}; received a pickle that {shown(str(refused), 80)}, which such data has no "
            "use for, so it was not loaded; get the file from a source that you trust"
        ) from None
    except Exception as error:  # a broken pickle can raise anything at all
        reason = shown(" ".join(str(error).split()), 100) or type(error).__name__
        raise LabError(
            f"{expected}; received {human_size(size)} that end early or are no pickle ({reason}); "
            "get it again"
        ) from error


def _scan(file: BinaryIO, size: int) -> None:
    """Refuses lengths and memo indices beyond the file's end, before anything is allocated.

    The C unpickler makes its memo as long as the highest index: 10 bytes could claim 64 GB.
    """
    for opcode, argument, _ in pickletools.genops(file):
        index = argument if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") else 0
        if isinstance(index, int) and index > size:
            raise _Refused(f"claims {index} objects in {human_size(size)}")


class _Plain:
    """Turns records into arrays, through nested containers.

    `done` holds each object's result, so that one referred to a million times is built once.
    `sources` holds the objects themselves: the id of a freed one would be given to another.
    """

    def __init__(self) -> None:
        self.done: dict[int, Any] = {}
        self.sources: list[Any] = []

    def value(self, source: Any) -> Any:
        """The plain object for something unpickled."""
        if source is None or type(source) in (bool, int, float, str, bytes, bytearray):
            return source
        if id(source) not in self.done:
            self.sources.append(source)
            self.done[id(source)] = _Refused  # until it is built, see below
            self.done[id(source)] = self._build(source)
        if self.done[id(source)] is _Refused:
            raise _Refused("contains itself")
        return self.done[id(source)]

    def _build(self, source: Any) -> Any:
        kind = type(source)
        if kind is dict:
            return {self._key(key): self.value(item) for key, item in source.items()}
        if kind in (list, tuple):
            return kind(self.value(item) for item in source)
        if kind is _Bytes:
            return self._bytes(*source.arguments)
        if kind is _Array:
            return self._array(source)
        if kind is _Buffer:
            data, dtype, shape, order, *_ = source.arguments
            return _view(data, self._dtype(dtype), shape, order == "F")
        if kind is _Scalar:
            dtype, data = source.arguments
            return _view(self.value(data), self._dtype(dtype), (), False)[()]
        if kind is type or issubclass(kind, _Record):
            raise _Refused("leaves an array unfinished")
        raise _Refused(f"holds a {kind.__name__}")

    def _key(self, source: Any) -> Any:
        key = self.value(source)
        return key.decode("latin1") if isinstance(key, bytes) else key

    def _bytes(self, text: str = "", encoding: str = "latin1") -> bytes:
        if type(text) is not str or encoding != "latin1":
            raise _Refused("makes bytes of something else than text")
        if id(text) not in self.done:
            self.sources.append(text)
            self.done[id(text)] = text.encode("latin1")
        return self.done[id(text)]

    def _array(self, source: _Array) -> Any:
        if source.arguments[0] is not _ArrayType:
            raise _Refused("builds another kind of array")
        _, shape, dtype, fortran, data = source.state
        if _code(dtype) in ("O", "O4", "O8"):
            if shape != () or len(data) != 1:
                raise _Refused("holds an array of objects")
            return self.value(data[0])
        return _view(self.value(data), self._dtype(dtype), shape, bool(fortran))

    def _dtype(self, source: Any) -> np.dtype:
        code = _code(source)
        order = source.state[1] if source.state else "|"
        order = order.decode() if isinstance(order, bytes) else order
        if not _DTYPE.fullmatch(code) or order not in ("<", ">", "|", "="):
            raise _Refused(f"holds an array of {order}{code}")
        return np.dtype(order + code)


def _code(source: Any) -> str:
    if type(source) is not _Dtype:
        raise _Refused("holds an array of no known type")
    code = source.arguments[0]
    return code.decode("latin1") if isinstance(code, bytes) else code


def _view(data: Any, dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    """An array over these bytes, without a copy; it must use all of them."""
    if not isinstance(data, bytes | bytearray) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array {shape} of {dtype} whose data are not of that size")
    return np.ndarray(shape, dtype, data, order="F" if fortran else "C")

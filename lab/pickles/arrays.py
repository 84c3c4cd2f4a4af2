"""What a pickle may name, and the arrays that it makes."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab import untrusted
from lab.errors import shown
from lab.untrusted import Broken, parse

SHORT = 100  # characters of names, keys and types
DAMAGED = "a pickle that ends early or is none"
# What a pickle may name, and what is made in its place. NumPy 2 renamed numpy.core.
NAMES = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("_codecs", "encode"): "encode",  # bytes in Python 3's protocols 0 to 2
    ("__builtin__", "bytes"): "no bytes",
    **{(f"numpy.{core}.multiarray", "_reconstruct"): "array" for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): "buffer" for core in ("core", "_core")},
}
NUMBERS = re.compile(r"b1|[iu][1248]|f[248]")


@dataclass
class Name:
    """Something of `NAMES` that the pickle named."""

    what: str


@dataclass
class Dtype:
    """A type of numbers: code, such as f4, and byte order."""

    code: str
    order: str = "|"


class Empty:
    """An array whose shape and data are still to come."""


def name(module: object, text: object) -> Name:
    """What a pickle means by a name.

    Raises:
        Broken: it may not name that.
    """
    what = NAMES.get((module, text)) if type(module) is type(text) is str else None
    if what is None:
        raise Broken(
            f"a pickle that names {shown(f'{module}.{text}', 80)}, which such data has no use for, "
            "so it was not loaded"
        )
    return Name(what)


def called(function: object, arguments: object, room: int) -> Any:
    """What a call stands for: bytes, or an array or a part of it.

    Args:
        function: a `Name`, or the call is refused.
        arguments: of the call.
        room: bytes that the file has.
    """
    match function, arguments:  # str("K"), not "K": an array equals a text in each of its elements
        case Name("no bytes"), ():
            return b""
        case Name("encode"), (str(text), str("latin1")):
            return parse(text.encode, "latin1")
        case Name("dtype"), (code, *_):
            return Dtype(_text(code))
        case Name("array"), (Name("ndarray"), *_):
            return Empty()
        case Name("buffer"), (data, dtype, shape, str("K"), axes):
            return parse(_array(shape, dtype, data, "C", room).transpose, axes)
        case Name("buffer"), (data, dtype, shape, str("C" | "F") as order, *_):
            return _array(shape, dtype, data, order, room)
    raise Broken("a pickle that makes something else than an array")


def completed(target: Any, state: object, room: int) -> Any:
    """An object with its state: a dtype's byte order, or an array's shape and data."""
    match target, state:
        case Dtype(), (_, order, *_):
            target.order = _text(order)  # in place: the pickle may refer to it already
            return target
        case Empty(), (_, (), Dtype("O" | "O4" | "O8"), _, [item]):
            return item
        case Empty(), (_, shape, dtype, int(fortran), data):
            return _array(shape, dtype, data, "F" if fortran else "C", room)
    raise Broken("a pickle that changes something else than an array")


def _array(shape: Any, dtype: Any, data: Any, order: Any, room: int) -> np.ndarray:
    """An array over these bytes, without a copy; it must use all of them."""
    if not isinstance(dtype, Dtype):
        raise Broken("a pickle that holds an array of no type")
    if not NUMBERS.fullmatch(dtype.code) or dtype.order not in ("<", ">", "|", "="):
        code = shown(dtype.order + dtype.code, 20)
        raise Broken(f"a pickle that holds an array of {code}, where only numbers are read")
    kind = np.dtype(dtype.order + dtype.code)
    size = untrusted.array_size(shape, kind, room)
    if not isinstance(data, bytes) or len(data) != size:
        raise Broken(f"an array {tuple(shape)} of {kind} whose data are not of that size")
    return np.ndarray(shape, kind, data, order=order)


def _text(value: Any) -> str:
    text = value.decode("latin1") if isinstance(value, bytes) else value
    if not isinstance(text, str) or len(text) > SHORT:
        raise Broken(DAMAGED)
    return text

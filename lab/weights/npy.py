"""NumPy's .npy: an array's header, and the pickled dict of layers that bvlc-alexnet.npy is."""

import math
import warnings
from typing import Any, BinaryIO

import numpy as np

from lab import pickles
from lab.untrusted import Broken

MAGIC = b"\x93NUMPY"
MOST_AXES = 4  # of a convolution's kernel


def layers(file: BinaryIO) -> dict[Any, Any]:
    """Reads an .npy that holds a dict, as the lab has AlexNet, from Python 2 or 3.

    Args:
        file: the open file, at its start.

    Returns:
        The dict as the file has it: layer name -> [kernel, bias] where it is one of weights. The
        arrays share the memory that the file was read into.

    Raises:
        Broken: it is cut short, or holds anything else.
        LabError: it holds a pickle that is broken or asks for more than data need.
    """
    shape, _, dtype = header(file)
    wanted = "an .npy must hold a dict of [kernel, bias] like bvlc-alexnet.npy"
    if not dtype.hasobject:
        raise Broken(f"one array {shape} of {dtype}; {wanted}")
    content = pickles.load(file, "a dict of [kernel, bias] like bvlc-alexnet.npy")
    if not isinstance(content, dict):
        raise Broken(f"a {type(content).__name__}; {wanted}")
    pairs = [pair for pair in content.values() if isinstance(pair, list | tuple)]
    held = sum(a.nbytes for pair in pairs for a in pair[:2] if isinstance(a, np.ndarray))
    if held > file.tell():  # as float32, each would take memory of its own
        raise Broken("layers that share their numbers")
    return content


def header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Reads the header of an .npy: shape, whether in Fortran order, and dtype.

    Raises:
        Broken: it is none, or of a version that is only for arrays with fields.
    """
    start = file.read(8)
    if start != MAGIC + b"\x01\x00":
        raise Broken(f"an .npy in a format that is not read here; it starts with {start!r}")
    try:
        with warnings.catch_warnings(action="ignore"):  # NumPy's, on headers of Python 2
            return np.lib.format.read_array_header_1_0(file)
    except Exception:  # of any type, and some of NumPy's texts advise to read it unsafely
        raise Broken("an .npy whose header is damaged") from None


def array(data: bytes, start: int, declared: tuple[tuple[int, ...], bool, np.dtype]) -> np.ndarray:
    """An array on the bytes that follow a header, not copied.

    Args:
        data: a whole .npy.
        start: where its header ends.
        declared: what `header` read.

    Raises:
        Broken: the data are not exactly the numbers or the text that the header declares.
    """
    shape, fortran, dtype = declared
    room = len(data) - start
    # In Python's integers: NumPy's overflow, and it divides by the size of an item.
    fits = len(shape) <= MOST_AXES and all(0 <= n <= room for n in shape) and dtype.itemsize > 0
    if not fits or dtype.kind not in "fuiU" or math.prod(shape) * dtype.itemsize != room:
        raise Broken(f"an array of {dtype} in {room} bytes that is declared as {shape}")
    return np.ndarray(shape, dtype, data, start, order="F" if fortran else "C")

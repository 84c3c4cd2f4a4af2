"""The columns of a pickle like train.p: each checked, or named with what is wrong with it.

Each function takes the column as it was read and the file's name for messages, and raises LabError.
"""

import numpy as np

from lab.data.gtsrb import CLASSES, SIDE
from lab.errors import LabError


def images(value: object, source: str) -> np.ndarray:
    """Pictures: uint8 (n, 32, 32, 3), n at least 1."""
    array = _array(value, "features", source)
    if not array.size:
        raise LabError(f"{source}: expected pictures; received none; give a file that holds some")
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (SIDE, SIDE, 3):
        raise LabError(
            f"{source}: expected features uint8 (n, {SIDE}, {SIDE}, 3), RGB from 0 to 255; "
            f"received {array.dtype} {array.shape}; convert the pictures first"
        )
    return array


def labels(value: object, source: str) -> np.ndarray:
    """Class numbers: whole numbers (n,) from 0 to 42, as int64."""
    array = _array(value, "labels", source)
    wanted = f"{source}: expected labels as whole numbers from 0 to {CLASSES - 1}, one a picture"
    if array.dtype.kind not in "iu" or array.ndim != 1:
        example = f", such as {array[:1].tolist()!r:.40}" if array.ndim == 1 and array.size else ""
        raise LabError(
            f"{wanted}; received {array.dtype} {array.shape}{example}; "
            "use the numbers of signnames.csv"
        )
    wrong = np.flatnonzero((array < 0) | (array >= CLASSES))
    if len(wrong):
        raise LabError(
            f"{wanted}; received {array[wrong[0]]} for picture {wrong[0]} ({len(wrong)} wrong in "
            "all); use the numbers of signnames.csv"
        )
    return array.astype(np.int64)


def whole_numbers(value: object, name: str, width: int, source: str) -> np.ndarray | None:
    """Whole numbers (n, width) as int64; None stays None."""
    if value is None:
        return None
    array = _array(value, name, source)
    if array.dtype.kind not in "iu" or array.ndim != 2 or array.shape[1] != width:
        raise LabError(
            f"{source}: expected {name} as whole numbers (n, {width}); received {array.dtype} "
            f"{array.shape}; correct them or leave {name} out"
        )
    return array.astype(np.int64)  # a difference of uint8 would wrap round


def _array(value: object, name: str, source: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:  # a ragged list
        raise LabError(
            f"{source}: expected {name} to be one array; received a list of unequal parts; give "
            "pictures of one size, and as many numbers for each"
        ) from None

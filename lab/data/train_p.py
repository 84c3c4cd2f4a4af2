"""A pickle like the lab's train.p: read, checked column by column, or made from the archive."""

import pickle
from pathlib import Path

import numpy as np

from lab import files, pickles, untrusted
from lab.data import gtsrb, tracks
from lab.data.classes import CLASSES
from lab.data.dataset import Dataset
from lab.errors import LabError, shown
from lab.pictures import SIGN

MOST_PLACE = 2**20  # pixels


def read(path: str | Path) -> Dataset:
    """Reads a pickle like train.p, without running any code in it; see `from_dict`."""
    with untrusted.opened(path, "a pickle like train.p") as file:
        return from_dict(pickles.read(file), str(path))


def from_dict(content: object, source: str) -> Dataset:
    """Checks a dict like train.p's (features, labels, and maybe sizes and coords).

    Args:
        content: features uint8 (n, 32, 32, 3), RGB; labels whole numbers (n,), class numbers; sizes
            whole numbers (n, 2) and coords (n, 4), as in `Dataset`.
        source: where it comes from, for messages.

    Returns:
        The set, with its tracks where its order shows them.

    Raises:
        LabError: it is anything else; the message names the column and what is wrong with it.
    """
    wanted = f"{source}: expected a dict with features and labels, like train.p"
    if not isinstance(content, dict):
        raise LabError(f"{wanted}; received a {type(content).__name__}; give another file")
    for name in ("features", "labels"):
        if name not in content:
            keys = shown(", ".join(sorted(map(str, content))[:8]), 80) or "none"
            raise LabError(f"{wanted}; {name} is missing (its keys: {keys}); give another file")
    names = [name for name in ("features", "labels", "sizes", "coords") if name in content]
    columns = {name: _array(content[name], name, source) for name in names}
    images = _images(columns.pop("features"), source)
    for name, column in columns.items():
        if len(column) != len(images):
            raise LabError(
                f"{source}: expected features and {name} of equal length; received {len(images)} "
                f"features and {len(column)} {name}; give a complete file"
            )
    labels = _labels(columns["labels"], source)
    sizes = _whole_numbers(columns.get("sizes"), "sizes", 2, source)
    coords = _whole_numbers(columns.get("coords"), "coords", 4, source)
    numbers, reason = tracks.find(labels, sizes, coords)
    return Dataset(images, labels, numbers, reason, sizes, coords, source=source)


def convert_archive(archive: str | Path, target: str | Path) -> None:
    """Writes a train.p from the official training set, all or nothing.

    Args:
        archive: zip or folder, as for `gtsrb.read`.
        target: the pickle, protocol 3: a dict of features and labels uint8, sizes and coords int32.

    Raises:
        LabError: as `gtsrb.read`, or it is the test set.
    """
    data = gtsrb.read(archive, gtsrb.published_rule)
    if data.tracks is None:
        raise LabError(
            f"{archive}: expected the training set; received the test set; take "
            f"{gtsrb.TRAINING_ZIP}"
        )
    content = {
        "features": data.images,
        "labels": data.labels.astype(np.uint8),
        "sizes": np.asarray(data.sizes, np.int32),
        "coords": np.asarray(data.coords, np.int32),
    }
    with files.atomic(Path(target)) as temporary, open(temporary, "wb") as file:
        pickle.dump(content, file, protocol=3)


def _images(array: np.ndarray, source: str) -> np.ndarray:
    """Pictures: uint8 (n, 32, 32, 3), n at least 1."""
    if not array.size:
        raise LabError(f"{source}: expected pictures; received none; give a file that holds some")
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (SIGN, SIGN, 3):
        raise LabError(
            f"{source}: expected features uint8 (n, {SIGN}, {SIGN}, 3), RGB from 0 to 255; "
            f"received {array.dtype} {array.shape}; convert the pictures first"
        )
    return array


def _labels(array: np.ndarray, source: str) -> np.ndarray:
    """Class numbers: whole numbers (n,), as int64."""
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


def _whole_numbers(
    array: np.ndarray | None, name: str, width: int, source: str
) -> np.ndarray | None:
    """Whole numbers (n, width) as int64; None stays None."""
    if array is None:
        return None
    wanted = f"{source}: expected {name} as whole numbers (n, {width})"
    if array.dtype.kind not in "iu" or array.ndim != 2 or array.shape[1] != width:
        raise LabError(
            f"{wanted}; received {array.dtype} {array.shape}; correct them or leave {name} out"
        )
    if ((array < -MOST_PLACE) | (array > MOST_PLACE)).any():
        raise LabError(f"{wanted} of pixels; received one of {array.max()}; leave {name} out")
    return array.astype(np.int64)  # a difference of uint8 would wrap round


def _array(value: object, name: str, source: str) -> np.ndarray:
    """One array of a column: itself, or a list of numbers, of tuples of them, or of arrays."""
    if isinstance(value, np.ndarray) and value.ndim:
        return value
    wanted = f"{source}: expected {name} to be one array of numbers"
    # NumPy gives every text the room of the longest, and every number that of the widest.
    kinds = {type(leaf) for leaf in untrusted.leaves(value)}
    if not isinstance(value, list | tuple) or not kinds <= {int, float, np.ndarray}:
        raise LabError(f"{wanted}; received a {type(value).__name__} of something else; convert it")
    if np.ndarray in kinds and len(kinds) > 1:
        raise LabError(f"{wanted}; received a list of arrays and numbers; give one of either")
    if np.ndarray in kinds and len({(a.dtype, a.shape) for a in untrusted.leaves(value)}) != 1:
        raise LabError(f"{wanted}; received a list of unequal arrays; give pictures of one size")
    try:
        return np.asarray(value)
    except ValueError:  # a ragged list
        raise LabError(
            f"{wanted}; received a list of unequal parts; give as many numbers for each"
        ) from None

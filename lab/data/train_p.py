"""A pickle like the lab's train.p: read, checked column by column, or made from the archive."""

import pickle
from pathlib import Path

import numpy as np

from lab import files, pickles
from lab.data import gtsrb, tracks
from lab.data.classes import CLASSES
from lab.data.dataset import Dataset
from lab.errors import LabError
from lab.pictures import SIGN


def read(path: str | Path) -> Dataset:
    """Reads a pickle like train.p, without running any code in it; see `from_dict`."""
    return from_dict(pickles.load(path, "a pickle like train.p"), str(path))


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
            keys = ", ".join(sorted(map(str, content))[:8]) or "none"
            raise LabError(f"{wanted}; {name} is missing (its keys: {keys}); give another file")
    images = _images(content["features"], source)
    labels = _labels(content["labels"], source)
    sizes = _whole_numbers(content.get("sizes"), "sizes", 2, source)
    coords = _whole_numbers(content.get("coords"), "coords", 4, source)
    for name, column in (("labels", labels), ("sizes", sizes), ("coords", coords)):
        if column is not None and len(column) != len(images):
            raise LabError(
                f"{source}: expected features and {name} of equal length; received {len(images)} "
                f"features and {len(column)} {name}; give a complete file"
            )
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


def _images(value: object, source: str) -> np.ndarray:
    """Pictures: uint8 (n, 32, 32, 3), n at least 1."""
    array = _array(value, "features", source)
    if not array.size:
        raise LabError(f"{source}: expected pictures; received none; give a file that holds some")
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (SIGN, SIGN, 3):
        raise LabError(
            f"{source}: expected features uint8 (n, {SIGN}, {SIGN}, 3), RGB from 0 to 255; "
            f"received {array.dtype} {array.shape}; convert the pictures first"
        )
    return array


def _labels(value: object, source: str) -> np.ndarray:
    """Class numbers: whole numbers (n,), as int64."""
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


def _whole_numbers(value: object, name: str, width: int, source: str) -> np.ndarray | None:
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

"""GTSRB as the lab uses it: pictures of 43 traffic signs, their labels, tracks and splits.

A *track* is one physical sign, filmed while driving by: 30 consecutive frames. Two of them are
nearly the same picture, so only a split by track tells how a classifier does on signs that it never
met. Network and training are not this module's business.
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lab import files, pickles
from lab.data import gtsrb, tracks, train_p
from lab.errors import LabError


@dataclass(frozen=True, eq=False)
class Dataset:
    """A labelled set of traffic signs.

    Args:
        images: uint8 (n, 32, 32, 3), RGB.
        labels: int64 (n,), 0 to 42.
        tracks: int64 (n,), one number for each physical sign, or None where they are not known.
        no_tracks: why tracks is None.
        sizes: int64 (n, 2), width and height of the original picture, or None.
        coords: int64 (n, 4), the sign's box x1, y1, x2, y2 in the original picture, or None.
        files: each picture's file, or None.
        source: where the set comes from, for messages.
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    tracks: np.ndarray | None = field(default=None, repr=False)
    no_tracks: str = ""
    sizes: np.ndarray | None = field(default=None, repr=False)
    coords: np.ndarray | None = field(default=None, repr=False)
    files: list[str] | None = field(default=None, repr=False)
    source: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, index: np.ndarray) -> "Dataset":
        """The pictures that index, int (m,) or bool (n,), names; tracks keep their numbers."""
        index = np.arange(len(self))[index]
        parts = {
            name: value[index]
            for name in ("images", "labels", "tracks", "sizes", "coords")
            if (value := getattr(self, name)) is not None
        }
        files = None if self.files is None else [self.files[i] for i in index]
        return replace(self, **parts, files=files)


def class_names() -> list[str]:
    """The names of the 43 classes, in the order of the official benchmark, from signnames.csv."""
    with open(files.ROOT / "signnames.csv", newline="", encoding="utf-8") as file:
        return [row["SignName"] for row in csv.DictReader(file)]


def load(path: str | Path) -> Dataset:
    """Reads a labelled set.

    Args:
        path: a pickle like train.p, or GTSRB as published, folder or zip; see `lab.gtsrb`.

    Returns:
        The set, in the pickle's order, or by class, track and frame.

    Raises:
        LabError: it cannot be read, or is no such set.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() == ".zip":
        found = gtsrb.read(path)
        reason = "" if found["tracks"] is not None else "the official test set names none"
        images = found.pop("features")
        return Dataset(images, no_tracks=reason, source=str(path), **found)
    return from_dict(pickles.load(path, "a pickle like train.p"), str(path))


def from_dict(content: object, source: str) -> Dataset:
    """Checks a dict like train.p's (features, labels, and maybe sizes and coords).

    Args:
        content: features uint8 (n, 32, 32, 3), RGB; labels whole numbers (n,), 0 to 42; sizes whole
            numbers (n, 2) and coords (n, 4), as in `Dataset`.
        source: where it comes from, for messages.

    Returns:
        The set, with its tracks where its order shows them.

    Raises:
        LabError: anything else.
    """
    wanted = f"{source}: expected a dict with features and labels, like train.p"
    if not isinstance(content, dict):
        raise LabError(f"{wanted}; received a {type(content).__name__}; give another file")
    for name in ("features", "labels"):
        if name not in content:
            keys = ", ".join(sorted(map(str, content))[:8]) or "none"
            raise LabError(f"{wanted}; {name} is missing (its keys: {keys}); give another file")
    images = train_p.images(content["features"], source)
    labels = train_p.labels(content["labels"], source)
    sizes = train_p.whole_numbers(content.get("sizes"), "sizes", 2, source)
    coords = train_p.whole_numbers(content.get("coords"), "coords", 4, source)
    for name, column in (("labels", labels), ("sizes", sizes), ("coords", coords)):
        if column is not None and len(column) != len(images):
            raise LabError(
                f"{source}: expected features and {name} of equal length; received {len(images)} "
                f"features and {len(column)} {name}; give a complete file"
            )
    numbers, reason = tracks.find(labels, sizes, coords)
    return Dataset(images, labels, numbers, reason, sizes, coords, source=source)


def sha256(signs: Dataset) -> str:
    """A hash of pictures, labels and their order, whatever file held them."""
    digest = hashlib.sha256(repr(signs.images.shape).encode())
    digest.update(np.ascontiguousarray(signs.images).data)
    digest.update(np.ascontiguousarray(signs.labels, "<i8").data)
    return digest.hexdigest()


def picture_hashes(images: np.ndarray) -> np.ndarray:
    """A hash of each picture, to find those that two sets share.

    Args:
        images: uint8 (n, ...).

    Returns:
        uint64 (n,): the first 8 bytes of blake2b of each picture's bytes.
    """
    digests = (hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def random_split(labels: np.ndarray | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The lab's split: 33% for validation, random_state 0, frames of the same signs on both sides.

    Args:
        labels: int (n,).

    Returns:
        int64 indices of training and of validation, in the lab's order.

    Raises:
        LabError: too few pictures, one class only, or a class missing on one side.
    """
    from sklearn.model_selection import train_test_split

    labels = np.asarray(labels)
    if len(labels) < 3:
        raise LabError(f"expected at least 3 pictures to split; received {len(labels)}; give more")
    train, validation = train_test_split(np.arange(len(labels)), test_size=0.33, random_state=0)
    check_sides(labels, train, validation, "random")
    return train, validation


def folds(labels: np.ndarray, tracks: np.ndarray, k: int = 5, seed: int = 0) -> np.ndarray:
    """Deals the tracks of each class out to k folds.

    The tracks of class c are permuted by `np.random.default_rng([seed, c])`; the one at position p
    goes to fold (p + c) % k.

    Args:
        labels, tracks: int64 (n,).
        k: number of folds.
        seed: same seed, same folds, on any machine.

    Returns:
        int64 (n,), the fold of each picture.
    """
    result = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        index = np.flatnonzero(labels == label)
        ids, number = np.unique(tracks[index], return_inverse=True)
        position = np.empty(len(ids), np.int64)
        position[np.random.default_rng([seed, label]).permutation(len(ids))] = np.arange(len(ids))
        result[index] = (position[number] + label) % k
    return result


def track_split(signs: Dataset, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Holds out a fifth of each class's tracks: fold 0 of five.

    Args:
        signs: a set whose tracks are known.
        seed: as in `folds`.

    Returns:
        int64 indices of training and of held-out pictures, ascending.

    Raises:
        LabError: no tracks, one class only, or a class missing on one side.
    """
    if signs.tracks is None:
        raise LabError(
            f"{signs.source}: expected tracks for a split by track; {signs.no_tracks}; "
            "take --split random, or data in GTSRB's order"
        )
    fold = folds(signs.labels, signs.tracks, seed=seed)
    train, held_out = np.flatnonzero(fold != 0), np.flatnonzero(fold == 0)
    check_sides(signs.labels, train, held_out, "track")
    return train, held_out


def three_way_split(signs: Dataset, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Holds out the tracks of `track_split` for testing, and a tenth of the others to choose by.

    Args:
        signs: a set whose tracks are known.
        seed: as in `folds`; the second cut takes the next one.

    Returns:
        int64 indices of training, validation and test pictures, ascending. Classes of few tracks
        may have none in validation.

    Raises:
        LabError: as `track_split`.
    """
    rest, test = track_split(signs, seed)
    fold = folds(signs.labels[rest], signs.tracks[rest], k=10, seed=seed + 1)
    return rest[fold != 0], rest[fold == 0], test


def check_sides(labels: np.ndarray, train: np.ndarray, held_out: np.ndarray, split: str) -> None:
    """Refuses a split, by its name, that leaves one side without a class, or one class only."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise LabError(
            f"expected pictures of at least 2 classes; received class {classes[0]} alone; "
            "add another class"
        )
    for side, index in (("training", train), ("held-out", held_out)):
        lacking = np.setdiff1d(classes, labels[index])
        if len(lacking):
            raise LabError(
                f"expected every class on both sides of the {split} split; class {lacking[0]} "
                f"has no picture on the {side} side ({len(lacking)} such classes); "
                "add pictures of it or leave it out"
            )

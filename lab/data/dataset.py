"""A labelled set of pictures, the same whatever it was read from."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lab.data.classes import class_names
from lab.data.photographs import Photographs
from lab.errors import LabError, shown

NUMBER = re.compile("[0-9]{1,5}")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures, their labels, and what else is known about them.

    A *track* is one physical sign, filmed while driving by: 30 consecutive frames that are nearly
    the same picture; of photographs, a group of pictures that show one object.

    Args:
        images: uint8 (n, 32, 32, 3), RGB; of photographs (n, 227, 227, 3), on disk.
        labels: int64 (n,), class numbers from 0.
        tracks: int64 (n,), one number for each track, or None where they are not known.
        no_tracks: why tracks is None.
        sizes: int64 (n, 2), width and height of the original picture, or None.
        coords: int64 (n, 4), the sign's box x1, y1, x2, y2 in the original picture, or None.
        files: each picture's file, or None.
        source: where the set comes from, for messages.
        hashes: uint64 (n,), of each sign as train.p has it, or of each photograph as `images` has
            it; None for signs whose images are train.p's.
        names: of the classes, by number; the traffic signs' by default.
        crop: how the pictures came to their size, a key of `pictures.CROPS`.
        given: bool (n,), which pictures the source itself holds out, in a folder val/ or test/;
            None where it has no such folder.
    """

    images: np.ndarray | Photographs = field(repr=False)
    labels: np.ndarray = field(repr=False)
    tracks: np.ndarray | None = field(default=None, repr=False)
    no_tracks: str = ""
    sizes: np.ndarray | None = field(default=None, repr=False)
    coords: np.ndarray | None = field(default=None, repr=False)
    files: list[str] | None = field(default=None, repr=False)
    source: str = ""
    hashes: np.ndarray | None = field(default=None, repr=False)
    names: Sequence[str] = field(default_factory=class_names, repr=False)
    crop: str = "sign"
    given: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def source_name(self) -> str:
        """The last part of `source`; of "." and ".." the folder's own name."""
        path = Path(self.source)
        return path.resolve().name if path.name in ("", "..") else path.name

    def subset(self, index: np.ndarray) -> "Dataset":
        """The pictures at `index`, int (m,) or bool (n,); tracks keep their numbers."""
        index = np.arange(len(self))[index]
        columns = {
            name: value[index]
            for name in ("labels", "tracks", "sizes", "coords", "hashes", "given")
            if (value := getattr(self, name)) is not None
        }
        images = self.images
        images = images.subset(index) if isinstance(images, Photographs) else images[index]
        files = None if self.files is None else [self.files[i] for i in index]
        return replace(self, images=images, files=files, **columns)


def sha256(data: Dataset) -> str:
    """A hash of pictures, labels and their order, whatever file they come from."""
    digest = hashlib.sha256(repr(data.images.shape).encode())
    if isinstance(data.images, Photographs):
        digest.update(np.ascontiguousarray(data.hashes, "<u8").data)
    else:
        digest.update(np.ascontiguousarray(data.images).data)
    digest.update(np.ascontiguousarray(data.labels, "<i8").data)
    return digest.hexdigest()


def aligned(data: Dataset, names: Sequence[str]) -> Dataset:
    """Numbers a set's classes as another set, or a classifier, does.

    Args:
        data: the set; it need not have a picture of every class.
        names: of the other's classes. For the traffic signs' own, a set whose classes are named by
            numbers, as in GTSRB's folders 00000 to 00042, is numbered by those.

    Returns:
        The set, its labels numbers in `names`.

    Raises:
        LabError: a class of the set is not among `names`.
    """
    own = [data.names[label] for label in np.unique(data.labels)]
    numbers = {name: number for number, name in enumerate(names)}
    if list(names) == class_names() and all(map(NUMBER.fullmatch, own)):
        numbers = {name: int(name) for name in own if int(name) < len(names)}
    lacking = [name for name in own if name not in numbers]
    if lacking:
        known, received = (shown(", ".join(of), 60) for of in (names, map(repr, lacking)))
        raise LabError(
            f"{data.source}: expected classes among the {len(names)} of the training: {known}; "
            f"received {len(lacking)} others: {received}; rename them or leave them out"
        )
    table = np.array([numbers.get(name, -1) for name in data.names], np.int64)
    return replace(data, labels=table[data.labels], names=list(names))

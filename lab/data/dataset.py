"""A labelled set of traffic signs in memory, the same whatever it was read from."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures, their labels, and what else is known about them.

    A *track* is one physical sign, filmed while driving by: 30 consecutive frames that are nearly
    the same picture.

    Args:
        images: uint8 (n, 32, 32, 3), RGB.
        labels: int64 (n,), class numbers from 0.
        tracks: int64 (n,), one number for each physical sign, or None where they are not known.
        no_tracks: why tracks is None.
        sizes: int64 (n, 2), width and height of the original picture, or None.
        coords: int64 (n, 4), the sign's box x1, y1, x2, y2 in the original picture, or None.
        files: each picture's file, or None.
        source: where the set comes from, for messages.
        hashes: uint64 (n,), of each picture as train.p has it, or None where images are that.
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    tracks: np.ndarray | None = field(default=None, repr=False)
    no_tracks: str = ""
    sizes: np.ndarray | None = field(default=None, repr=False)
    coords: np.ndarray | None = field(default=None, repr=False)
    files: list[str] | None = field(default=None, repr=False)
    source: str = ""
    hashes: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, index: np.ndarray) -> "Dataset":
        """The pictures at `index`, int (m,) or bool (n,); tracks keep their numbers."""
        index = np.arange(len(self))[index]
        columns = {
            name: value[index]
            for name in ("images", "labels", "tracks", "sizes", "coords", "hashes")
            if (value := getattr(self, name)) is not None
        }
        files = None if self.files is None else [self.files[i] for i in index]
        return replace(self, **columns, files=files)


def sha256(data: Dataset) -> str:
    """A hash of pictures, labels and their order, whatever file they come from."""
    digest = hashlib.sha256(repr(data.images.shape).encode())
    digest.update(np.ascontiguousarray(data.images).data)
    digest.update(np.ascontiguousarray(data.labels, "<i8").data)
    return digest.hexdigest()

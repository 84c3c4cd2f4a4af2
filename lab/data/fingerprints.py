"""Which pictures two sets share, and which ones a network or a head was trained on.

The accuracy on pictures that were trained on says nothing about new pictures. A picture is
recognised by its pixels, or by its class, its original size and the sign's box in it: resizing
GTSRB's originals by another rule changes the pixels of the same picture.
"""

import hashlib
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from lab.data.dataset import Dataset
from lab.errors import LabError

COPY = 0.8  # a set is a copy of another if at least this share of its pictures is recognised


class Fingerprinted(Protocol):
    """Weights with uint64 (m,) fingerprints of what was trained on and what was held out."""

    @property
    def trained_on(self) -> np.ndarray: ...
    @property
    def held_out(self) -> np.ndarray: ...


def picture_hashes(images: Iterable[np.ndarray]) -> np.ndarray:
    """A hash of each picture.

    Args:
        images: n arrays of any dtype and shape.

    Returns:
        uint64 (n,): the first 8 bytes of blake2b of each picture's bytes.
    """
    digests = (hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def of(data: Dataset) -> np.ndarray:
    """Fingerprints of a set's pictures.

    Returns:
        uint64 (n, 1), of the pixels, or (n, 2), also of label, original size and box, where known.
    """
    columns = [picture_hashes(np.asarray(data.images)) if data.hashes is None else data.hashes]
    if data.sizes is not None and data.coords is not None:
        places = np.column_stack([data.labels, data.sizes, data.coords]).astype("<i8")
        columns.append(picture_hashes(places))
    return np.stack(columns, axis=1)


def joined(*known: np.ndarray) -> np.ndarray:
    """The union of fingerprints of any shape, uint64 (m,)."""
    return np.unique(np.concatenate([part.ravel() for part in known]))


def seen(prints: np.ndarray, trained_on: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """bool (n,): which pictures were trained on.

    Class, size and box can agree by chance: 39% of the frames of train.p's test tracks share theirs
    with a frame of another track. So they count only in a set that is a copy as a whole: one in
    which nearly every picture is recognised, by its pixels or by them.

    Args:
        prints: as `of` gives them.
        trained_on, held_out: uint64 (m,); pictures whose pixels were held out are never seen.
    """
    known = np.isin(prints, trained_on)  # (n, 1) or (n, 2)
    held = np.isin(prints[:, 0], held_out)
    copy = np.mean(known.any(axis=1) | held) >= COPY
    return (known.any(axis=1) if copy else known[:, 0]) & ~held


def seen_by(weights: Fingerprinted, data: Dataset) -> np.ndarray:
    """bool (n,): which of a set's pictures the weights were trained on.

    Raises:
        LabError: all of them: there is nothing to judge on.
    """
    if not len(weights.trained_on):
        return np.zeros(len(data), bool)
    result = seen(of(data), weights.trained_on, weights.held_out)
    if result.all():
        raise LabError(
            f"{data.source}: expected pictures that the network was not trained on; it was trained "
            f"on all {len(data)}, and its answers on those say nothing about new pictures: take "
            "another set, or all of train.p: its test tracks are then judged"
        )
    return result


def shared(test: Dataset, data: Dataset, weights: Fingerprinted | None = None) -> np.ndarray:
    """bool (n,): which pictures of a second set a training on the first will have seen.

    Before the training, this applies the rule that `seen_by` applies after it: none of the other
    pictures will then turn out to have been seen.

    Args:
        test: the second set.
        data: the first; all of it counts, since the saved classifier is trained on all of it.
        weights: what the training starts from, or None for random weights.

    Raises:
        LabError: all of them: there is nothing to judge on.
    """
    prints = of(data)
    trained_on, held_out = prints, np.zeros(0, np.uint64)
    if weights is not None:
        trained_on = joined(prints, weights.trained_on)
        held_out = np.setdiff1d(weights.held_out, prints[:, 0])
    result = seen(of(test), trained_on, held_out)
    if result.all():
        raise LabError(
            f"{test.source}: expected pictures for --test that the training does not learn from; "
            f"all {len(test):,} are in {data.source} or known to the weights: take another set"
        )
    return result

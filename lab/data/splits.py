"""Which pictures are trained on and which are held out.

A random split puts frames of one sign on both sides; only a split by track tells how a classifier
does on signs that it has not seen.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.data.dataset import Dataset
from lab.errors import LabError

NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a set, each on one side only.

    Args:
        train: int64 (n,), what is trained on.
        held_out: int64 (m,), what the accuracy is measured on; if there is a test part, what
            decisions are based on (epochs, a temperature).
        test: int64 (k,), what is judged once, at the end; may be empty.
        name: {"random", "track"}.
    """

    train: np.ndarray = field(repr=False)
    held_out: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    name: str


def random(data: Dataset, seed: int = 0) -> Split:
    """The lab's split: 33% held out, frames of the same signs on both sides.

    Args:
        data: the set; its tracks are ignored.
        seed: scikit-learn's `random_state`; the lab's is 0.

    Returns:
        The split, in the lab's order, without a test part.

    Raises:
        LabError: too few pictures, one class only, or a class missing on one side.
    """
    from sklearn.model_selection import train_test_split

    n = len(data)
    if n < 3:
        raise LabError(f"expected at least 3 pictures to split; received {n}; give more")
    train, held_out = train_test_split(np.arange(n), test_size=0.33, random_state=seed)
    return _checked(data, Split(train, held_out, NONE, "random"))


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


def by_track(data: Dataset, seed: int = 0) -> Split:
    """Holds out a fifth of each class's tracks: fold 0 of five.

    Args:
        data: a set whose tracks are known.
        seed: as in `folds`.

    Returns:
        The split, each part ascending, without a test part.

    Raises:
        LabError: no tracks, one class only, or a class missing on one side.
    """
    fold = folds(data.labels, _tracks(data), seed=seed)
    split = Split(np.flatnonzero(fold != 0), np.flatnonzero(fold == 0), NONE, "track")
    return _checked(data, split)


def three_way(data: Dataset, seed: int = 0) -> Split:
    """Tests on the tracks that `by_track` holds out, and holds out a tenth of the others.

    Args:
        data: a set whose tracks are known.
        seed: as in `folds`; the second cut takes seed + 1.

    Returns:
        The split, each part ascending. A class of few tracks may have none held out.

    Raises:
        LabError: as `by_track`, or no class has enough tracks for the second cut.
    """
    outer = by_track(data, seed)
    rest = outer.train
    fold = folds(data.labels[rest], _tracks(data)[rest], k=10, seed=seed + 1)
    if not (fold == 0).any():
        raise LabError(
            f"{data.source}: expected about ten tracks a class, so that one can be held out beside "
            "the test tracks; received fewer: give more, or take --split random"
        )
    return Split(rest[fold != 0], rest[fold == 0], outer.held_out, "track")


def by_seen(data: Dataset, seen: np.ndarray) -> Split:
    """Holds out what a network was not trained on: its own test tracks.

    Args:
        data: the set.
        seen: bool (n,), as `fingerprints.seen_by` gives it.

    Raises:
        LabError: one class only, or a class missing on one side.
    """
    split = Split(np.flatnonzero(seen), np.flatnonzero(~seen), NONE, "track")
    return _checked(data, split)


def _tracks(data: Dataset) -> np.ndarray:
    if data.tracks is None:
        raise LabError(
            f"{data.source}: expected tracks for a split by track; {data.no_tracks}; "
            "take --split random, or data in GTSRB's order"
        )
    return data.tracks


def _checked(data: Dataset, split: Split) -> Split:
    """Refuses a split that leaves one side without a class, or one class only."""
    classes = np.unique(data.labels)
    if len(classes) < 2:
        raise LabError(
            f"expected pictures of at least 2 classes; received class {classes[0]} alone; "
            "add another class"
        )
    for side, index in (("training", split.train), ("held-out", split.held_out)):
        lacking = np.setdiff1d(classes, data.labels[index])
        if len(lacking):
            raise LabError(
                f"expected every class on both sides of the {split.name} split; class {lacking[0]} "
                f"has no picture on the {side} side ({len(lacking)} such classes); "
                "add pictures of it or leave it out"
            )
    return split

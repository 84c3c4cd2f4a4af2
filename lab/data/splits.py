"""Which pictures are trained on and which are held out.

A random split puts frames of one sign on both sides; only a split by track tells how a classifier
does on signs that it has not seen. Photographs are split class by class, so that every split has
each class in proportion, and what is known to show one object is never on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lab.data import folds
from lab.data.dataset import Dataset
from lab.errors import LabError

NONE = np.zeros(0, np.int64)
OWN = "weights' own"  # the split of what a network was trained on and what it was not
SIDES = {"train": "training", "held_out": "held-out", "test": "test"}
FEW = 5_000  # photographs: with fewer, five heads judge all of them in turn


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a set, each on one side only.

    Args:
        train: int64 (n,), what is trained on.
        held_out: int64 (m,), what the accuracy is measured on; if there is a test part, what
            decisions are based on (epochs, a temperature).
        test: int64 (k,), what is judged once, at the end; may be empty.
        name: {"random", "track", "given", "folds", OWN}.
        fold: int64 (n,), of "folds", where each picture is held out from the head of its fold.
    """

    train: np.ndarray = field(repr=False)
    held_out: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    name: str
    fold: np.ndarray = field(default_factory=lambda: NONE, repr=False)


def random(data: Dataset, seed: int = 0) -> Split:
    """The lab's split: 33% held out, frames of the same signs on both sides.

    Of photographs, 33% of each class are; where groups are known, the split is `by_track`.

    Args:
        data: the set; the tracks of signs are ignored.
        seed: scikit-learn's `random_state`; the lab's is 0.

    Returns:
        The split without a test part: of signs in the lab's order, of photographs ascending.

    Raises:
        LabError: too few pictures, one class only, or a class missing on one side.
    """
    from sklearn.model_selection import train_test_split

    n = len(data)
    if n < 3:
        raise LabError(f"expected at least 3 pictures to split; received {n}; give more")
    if data.crop == "sign":
        train, held_out = train_test_split(np.arange(n), test_size=0.33, random_state=seed)
        return _checked(data, Split(train, held_out, NONE, "random"))
    if data.tracks is not None:
        return by_track(data, seed)
    folds.check_classes(data)
    fold = np.zeros(n, bool)
    for label in np.unique(data.labels):  # one by one: a class of two has one on each side
        index = np.flatnonzero(data.labels == label)
        fold[train_test_split(index, test_size=0.33, random_state=seed)[1]] = True
    return Split(np.flatnonzero(~fold), np.flatnonzero(fold), NONE, "random")


def given(data: Dataset) -> Split:
    """The split of a set's own folders: what is in val/ or test/ is held out.

    Args:
        data: a set whose `given` is known.

    Raises:
        LabError: nothing is held out, or what is trained on lacks a class, or has one class only.
    """
    if data.given is None or not data.given.any():
        raise LabError(
            f"{data.source}: expected pictures to hold out in val/ or test/; received none that "
            "are not in train/ as well; add some"
        )
    folds.check_several(data)
    lacking = np.setdiff1d(data.labels, data.labels[~data.given])
    if len(lacking):
        raise LabError(
            f"{data.source}: expected pictures in train/ of each class that is held out; received "
            f"none of {folds.class_name(data, lacking[0])} ({len(lacking)} such classes); add "
            "some"
        )
    return Split(np.flatnonzero(~data.given), np.flatnonzero(data.given), NONE, "given")


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
    folds.known_tracks(data)
    part = folds.parts(data, (5,), seed)
    return _checked(data, Split(np.flatnonzero(part == 0), np.flatnonzero(part), NONE, "track"))


def three_way(data: Dataset, seed: int = 0) -> Split:
    """Tests on the tracks that `by_track` holds out, and holds out a tenth of the others.

    Args:
        data: a set whose tracks are known.
        seed: as in `folds`; the second cut takes seed + 1.

    Returns:
        The split, each part ascending. A class of signs of few tracks may have none held out.

    Raises:
        LabError: as `by_track`, or no class has enough tracks for the second cut.
    """
    folds.known_tracks(data)
    return _three(data, "track", seed)


def _three(data: Dataset, name: str, seed: int) -> Split:
    """A fifth is tested on, and a tenth of the others held out."""
    part = folds.parts(data, (5, 10), seed)
    train, test, held_out = (np.flatnonzero(part == number) for number in range(3))
    split = _checked(data, Split(train, held_out, test, name), ("train", "test"))
    if not len(held_out):
        raise LabError(
            f"{data.source}: expected about ten tracks a class, so that one can be held out beside "
            "the test tracks; received fewer: give more, or take --split random"
        )
    return split


def by_name(data: Dataset, how: str | None, seed: int = 0) -> Split:
    """The split that a head is judged on.

    Args:
        data: the set.
        how: {"random", "track", "folds"}; None: of signs, the lab's random one; of photographs,
            the one that their folders give, five folds where there are fewer than `FEW`, random
            where there are more.
        seed: of the split.

    Raises:
        LabError: the set cannot be split so.
    """
    if how is None and data.given is not None:
        return given(data)
    if how is None:
        how = "folds" if data.crop != "sign" and len(data) < FEW else "random"
    if how == "folds":
        everything = np.arange(len(data))
        return Split(everything, everything, NONE, "folds", folds.for_heads(data, seed))
    return (by_track if how == "track" else random)(data, seed)


def for_network(data: Dataset, how: str | None, seed: int = 0) -> Split:
    """The split of a training of the whole network, which needs a held-out part for its choices.

    Args:
        data, how, seed: as in `by_name`, without folds. Of signs, the lab's random split has no
            test part.

    Raises:
        LabError: the set cannot be split so.
    """
    if data.crop == "sign":
        return three_way(data, seed) if how == "track" else random(data, seed)
    if how is None and data.given is not None:
        outer = given(data)
        part = folds.parts(data.subset(outer.train), (10,), seed + 1)
        split = Split(outer.train[part == 0], outer.train[part == 1], outer.held_out, "given")
        return _checked(data, split)
    split = three_way(data, seed) if how == "track" else _three(data, "random", seed)
    return _checked(data, split)


def by_seen(data: Dataset, seen: np.ndarray) -> Split:
    """Holds out what a network was not trained on: if it was split so, its own test tracks.

    Args:
        data: the set.
        seen: bool (n,), as `fingerprints.seen_by` gives it.

    Returns:
        The split, named "track" only where tracks are known and none is on both sides, else `OWN`.

    Raises:
        LabError: one class only, or a class missing on one side.
    """
    tracks = data.tracks
    apart = tracks is not None and not np.isin(tracks[seen], tracks[~seen]).any()
    name = "track" if apart else OWN
    split = Split(np.flatnonzero(seen), np.flatnonzero(~seen), NONE, name)
    return _checked(data, split)


def _checked(data: Dataset, split: Split, sides: Sequence[str] = ("train", "held_out")) -> Split:
    """Refuses a split that leaves one of these sides without a class, or one class only."""
    folds.check_several(data)
    for side in sides:
        lacking = np.setdiff1d(data.labels, data.labels[getattr(split, side)])
        if len(lacking):
            raise LabError(
                f"expected every class on both sides of the {split.name} split; class "
                f"{folds.class_name(data, lacking[0])} has no picture on the {SIDES[side]} side "
                f"({len(lacking)} such classes); add pictures of it or leave it out"
            )
    return split

"""Which pictures are trained on and which are held out.

A random split puts frames of one sign on both sides; only a split by track tells how a classifier
does on signs that it has not seen. Photographs are split class by class, so that every split has
each class in proportion, and what is known to show one object is never on both sides.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.data.dataset import Dataset
from lab.errors import LabError, shown

NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a set, each on one side only.

    Args:
        train: int64 (n,), what is trained on.
        held_out: int64 (m,), what the accuracy is measured on; if there is a test part, what
            decisions are based on (epochs, a temperature).
        test: int64 (k,), what is judged once, at the end; may be empty.
        name: {"random", "track", "given"}.
    """

    train: np.ndarray = field(repr=False)
    held_out: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    name: str


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
    _check_classes(data)
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
    _check_several(data)
    lacking = np.setdiff1d(data.labels, data.labels[~data.given])
    if len(lacking):
        raise LabError(
            f"{data.source}: expected pictures in train/ of each class that is held out; received "
            f"none of class {_name(data, lacking[0])} ({len(lacking)} such classes); add some"
        )
    return Split(np.flatnonzero(~data.given), np.flatnonzero(data.given), NONE, "given")


def stratified_folds(data: Dataset, k: int = 5, seed: int = 0) -> np.ndarray:
    """Deals photographs out to folds: each class in proportion, each group in one fold.

    Args:
        data: the set.
        k: number of folds; fewer where a class has fewer pictures or groups.
        seed: scikit-learn's `random_state`.

    Returns:
        int64 (n,), the fold of each picture.

    Raises:
        LabError: one class only, or a class with fewer than two pictures or groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    fewest = _check_classes(data)
    deal = StratifiedKFold if data.tracks is None else StratifiedGroupKFold
    dealt = deal(min(k, fewest), shuffle=True, random_state=seed)
    fold = np.empty(len(data), np.int64)
    for number, (_, index) in enumerate(dealt.split(fold, data.labels, data.tracks)):
        fold[index] = number
    return fold


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
    fold = _folds(data, 5, seed)
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
    fold = _folds(data.subset(rest), 10, seed + 1)
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


def _folds(data: Dataset, k: int, seed: int) -> np.ndarray:
    """int64 (n,): the folds that a set's tracks, or groups, are dealt to."""
    if data.tracks is None:
        raise LabError(
            f"{data.source}: expected tracks for a split by track; {data.no_tracks}; "
            "take --split random, or data in GTSRB's order"
        )
    if data.crop == "sign":
        return folds(data.labels, data.tracks, k, seed)
    return stratified_folds(data, k, seed)


def _check_classes(data: Dataset) -> int:
    """The fewest pictures, or groups, of a class: at least two, for two sides of a split."""
    _check_several(data)
    what = np.arange(len(data)) if data.tracks is None else data.tracks
    pairs = np.unique(np.stack([data.labels, what], axis=1), axis=0)  # (pairs, 2)
    labels, counts = np.unique(pairs[:, 0], return_counts=True)
    if counts.min() < 2:
        unit = "pictures" if data.tracks is None else "groups of pictures"
        raise LabError(
            f"{data.source}: expected at least 2 {unit} of each class, one for each side of a "
            f"split; received 1 of class {_name(data, labels[counts.argmin()])} "
            f"({(counts < 2).sum()} such classes); add pictures of it or leave it out"
        )
    return int(counts.min())


def _check_several(data: Dataset) -> None:
    classes = np.unique(data.labels)
    if len(classes) < 2:
        raise LabError(
            f"expected pictures of at least 2 classes; received class {_name(data, classes[0])} "
            "alone; add another class"
        )


def _checked(data: Dataset, split: Split) -> Split:
    """Refuses a split that leaves one side without a class, or one class only."""
    _check_several(data)
    for side, index in (("training", split.train), ("held-out", split.held_out)):
        lacking = np.setdiff1d(data.labels, data.labels[index])
        if len(lacking):
            raise LabError(
                f"expected every class on both sides of the {split.name} split; class "
                f"{_name(data, lacking[0])} has no picture on the {side} side ({len(lacking)} such "
                "classes); add pictures of it or leave it out"
            )
    return split


def _name(data: Dataset, label: int) -> str:
    return shown(data.names[label], 60)

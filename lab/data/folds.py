"""Deals pictures out to folds, so that each picture is held out once.

Signs are dealt by track; photographs class by class, what shows one object in one fold. A group may
hold several classes, as a patient's cells do: where that leaves a class on one side only, groups
are moved until no class is.
"""

from collections.abc import Sequence

import numpy as np

from lab.data.dataset import Dataset
from lab.errors import LabError, shown

MOST_MOVES = 2000  # of groups, one after the other, before a set is refused


def stratified(data: Dataset, k: int = 5, seed: int = 0) -> np.ndarray:
    """Deals photographs out to folds: each class in proportion, each group in one fold.

    Args:
        data: the set.
        k: number of folds; fewer where a class has fewer pictures or groups.
        seed: scikit-learn's `random_state`.

    Returns:
        int64 (n,), the fold of each picture; for every fold, the others have all classes.

    Raises:
        LabError: one class only, a class with fewer than two pictures or groups, or groups that
            cannot be dealt out so.
    """
    check_classes(data)
    fold = _shared_out(data, _dealt(data, k, seed), k, 2, seed)
    return np.unique(fold, return_inverse=True)[1]


def parts(data: Dataset, cuts: Sequence[int], seed: int = 0) -> np.ndarray:
    """Cuts parts off a set, one after the other: signs by track, photographs class by class.

    Args:
        data: the set.
        cuts: for each part, into how many folds the pictures that are left are dealt; the part is
            the first of them.
        seed: of the first deal; of the next one seed + 1.

    Returns:
        int64 (n,): 1 for the part that was cut off first, 2 for the next, 0 for what is left. Each
        part has each class of photographs; of signs, a class of few tracks may be missing.

    Raises:
        LabError: signs without tracks; photographs as in `stratified`.
    """
    part = np.zeros(len(data), np.int64)
    signs, sides = data.crop == "sign", len(cuts) + 1
    if not signs:
        check_classes(data, sides)
    for number, k in enumerate(cuts):
        rest = np.flatnonzero(part == 0)
        left = data.subset(rest)
        if signs:
            fold = of_tracks(left.labels, known_tracks(left), k, seed + number)
        else:
            fold = _dealt(left, k, seed + number)
        part[rest[fold == 0]] = number + 1
    return part if signs else _shared_out(data, part, sides, sides, seed)


def _dealt(data: Dataset, k: int, seed: int) -> np.ndarray:
    """int64 (n,), scikit-learn's folds of photographs; all 1 where a class is in one group only."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    k = min(k, int(_units(data)[1].min()))
    fold = np.ones(len(data), np.int64)
    if k > 1:
        deal = StratifiedKFold if data.tracks is None else StratifiedGroupKFold
        dealt = deal(k, shuffle=True, random_state=seed)
        for number, (_, index) in enumerate(dealt.split(fold, data.labels, data.tracks)):
            fold[index] = number
    return fold


def _shared_out(data: Dataset, fold: np.ndarray, k: int, least: int, seed: int) -> np.ndarray:
    """Moves groups, one by one, until each class is in several folds.

    scikit-learn keeps classes in proportion, and does not promise that: where groups hold several
    classes, all pictures of a small one may come into one fold.

    Args:
        data: the set.
        fold: int64 (n,), from 0 to k - 1, each group in one.
        k: number of folds.
        least: in how many of them each class has to be.
        seed: of the moves; each brings a class that lacks folds into one more.

    Returns:
        int64 (n,), where each class is in so many folds already as it was.
    """
    if data.tracks is None:
        return fold
    _, first, group = np.unique(data.tracks, return_index=True, return_inverse=True)
    labels, label = np.unique(data.labels, return_inverse=True)
    holds = np.unique(np.stack([label, group], axis=1), axis=0)  # (pairs, 2)
    fold_of, generator = fold[first], np.random.default_rng(seed)  # (groups,)
    for _ in range(MOST_MOVES):
        there = np.zeros((len(labels), k), bool)
        there[holds[:, 0], fold_of[holds[:, 1]]] = True
        lacking = np.flatnonzero(there.sum(axis=1) < least)
        if not len(lacking):
            return fold_of[group]
        one = generator.choice(lacking)
        own = holds[holds[:, 0] == one, 1]
        spare = np.bincount(fold_of[own])[fold_of[own]] > 1  # not the class's only one of a fold
        moved = generator.choice(own[spare])
        fold_of[moved] = generator.choice(np.flatnonzero(~there[one]))
    raise LabError(
        f"{data.source}: expected groups that can be dealt out to {least} sides, each class on "
        f"each of them; received {len(first)} groups with several classes, for which no such deal "
        f"was found (class {class_name(data, labels[one])} lacks a side); add groups to it, or "
        "take smaller groups"
    )


def of_tracks(labels: np.ndarray, tracks: np.ndarray, k: int = 5, seed: int = 0) -> np.ndarray:
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


def known_tracks(data: Dataset) -> np.ndarray:
    """int64 (n,): a set's tracks, or groups.

    Raises:
        LabError: they are not known.
    """
    if data.tracks is None:
        signs = data.crop == "sign"
        other = "data in GTSRB's order" if signs else "a CSV with the columns file, class and group"
        raise LabError(
            f"{data.source}: expected {'tracks' if signs else 'groups'} for a split by track; "
            f"{data.no_tracks}; take --split random, or {other}"
        )
    return data.tracks


def for_heads(data: Dataset, seed: int = 0) -> np.ndarray:
    """int64 (n,): up to five folds, none of them empty; for every one the others have all classes.

    Raises:
        LabError: signs without tracks; else as in `stratified`.
    """
    if data.crop != "sign":
        return stratified(data, 5, seed)
    fold = of_tracks(data.labels, known_tracks(data), 5, seed)
    check_classes(data)
    return np.unique(fold, return_inverse=True)[1]  # of few tracks, some folds have none


def check_classes(data: Dataset, least: int = 2) -> None:
    """Refuses a set with one class, or with too few pictures or groups of a class.

    Args:
        data: the set.
        least: of each class, one for each side of a split.
    """
    check_several(data)
    labels, counts = _units(data)
    if counts.min() < least:
        instead = ", or take --train head" if least > 2 else ""
        raise LabError(
            f"{data.source}: expected at least {least} {unit(data)} of each class, one for each "
            f"side of a split; received {counts.min()} of class "
            f"{class_name(data, labels[counts.argmin()])} ({(counts < least).sum()} such classes); "
            f"add pictures of it or leave it out{instead}"
        )


def _units(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The labels of a set, int64 (c,), and how many pictures, or groups, have each of them."""
    what = np.arange(len(data)) if data.tracks is None else data.tracks
    pairs = np.unique(np.stack([data.labels, what], axis=1), axis=0)  # (pairs, 2)
    return np.unique(pairs[:, 0], return_counts=True)


def unit(data: Dataset) -> str:
    """What is dealt out, in words."""
    if data.tracks is None:
        return "pictures"
    return "tracks" if data.crop == "sign" else "groups of pictures"


def check_several(data: Dataset) -> None:
    classes = np.unique(data.labels)
    if len(classes) < 2:
        raise LabError(
            "expected pictures of at least 2 classes; received class "
            f"{class_name(data, classes[0])} alone; add another class"
        )


def class_name(data: Dataset, label: int) -> str:
    return shown(data.names[label], 60)

"""Deals pictures out to folds, so that each picture is held out once.

Signs are dealt by track; photographs class by class, what shows one object in one fold.
"""

import numpy as np

from lab.data.dataset import Dataset
from lab.errors import LabError, shown


def stratified(data: Dataset, k: int = 5, seed: int = 0) -> np.ndarray:
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

    fewest = check_classes(data)
    deal = StratifiedKFold if data.tracks is None else StratifiedGroupKFold
    dealt = deal(min(k, fewest), shuffle=True, random_state=seed)
    fold = np.empty(len(data), np.int64)
    for number, (_, index) in enumerate(dealt.split(fold, data.labels, data.tracks)):
        fold[index] = number
    return fold


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


def by_track(data: Dataset, k: int, seed: int) -> np.ndarray:
    """int64 (n,): the folds that a set's tracks, or groups, are dealt to."""
    if data.tracks is None:
        raise LabError(
            f"{data.source}: expected tracks for a split by track; {data.no_tracks}; "
            "take --split random, or data in GTSRB's order"
        )
    if data.crop == "sign":
        return of_tracks(data.labels, data.tracks, k, seed)
    return stratified(data, k, seed)


def for_heads(data: Dataset, seed: int = 0) -> np.ndarray:
    """int64 (n,): up to five folds, none of them empty; for every one the others have all classes.

    Raises:
        LabError: signs without tracks, one class only, or a class with fewer than two.
    """
    if data.crop != "sign":
        return stratified(data, 5, seed)
    fold = by_track(data, 5, seed)
    check_classes(data)
    return np.unique(fold, return_inverse=True)[1]  # of few tracks, some folds have none


def check_classes(data: Dataset) -> int:
    """The fewest pictures, or groups, of a class: at least two, for two sides of a split."""
    check_several(data)
    what = np.arange(len(data)) if data.tracks is None else data.tracks
    pairs = np.unique(np.stack([data.labels, what], axis=1), axis=0)  # (pairs, 2)
    labels, counts = np.unique(pairs[:, 0], return_counts=True)
    if counts.min() < 2:
        raise LabError(
            f"{data.source}: expected at least 2 {unit(data)} of each class, one for each side of "
            f"a split; received 1 of class {class_name(data, labels[counts.argmin()])} "
            f"({(counts < 2).sum()} such classes); add pictures of it or leave it out"
        )
    return int(counts.min())


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

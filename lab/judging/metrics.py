"""Numbers about predictions: accuracy and its interval, calibration, mistakes.

Arrays in, arrays out: nothing here knows files, networks or figures.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from lab.errors import LabError

TEMPERATURES = (0.05, 20.0)  # the search's bounds
LUMA = (0.299, 0.587, 0.114)  # red, green, blue: ITU-R BT.601


def track_interval(
    correct: ArrayLike, tracks: ArrayLike | None, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95% interval of an accuracy, by bootstrap over tracks.

    The frames of a track are nearly one picture, so it is whole tracks that are drawn, with
    replacement; drawing pictures would make the interval several times too narrow.

    Args:
        correct: bool (n,), whether each picture was classified correctly.
        tracks: int (n,), each picture's track; None: each picture is a track of its own.
        draws: number of bootstrap samples.
        seed: of the draws.

    Returns:
        (low, high): the 2.5% and 97.5% quantiles of the accuracy. One track says nothing about
        others: (0.0, 1.0). Where all pictures are right, the bootstrap sees no spread: (1.0, 1.0).

    Raises:
        LabError: there is no picture, or not one track for each.
    """
    correct = np.asarray(correct, np.float64)
    tracks = np.arange(len(correct)) if tracks is None else np.asarray(tracks)
    if len(correct) == 0 or tracks.shape != correct.shape:
        raise LabError(
            "expected one track for each of at least one picture; "
            f"received {len(correct)} pictures and {len(tracks)} tracks: give one for each"
        )
    _, track = np.unique(tracks, return_inverse=True)
    pictures, right = np.bincount(track), np.bincount(track, correct)  # (tracks,)
    if len(pictures) < 2:
        return 0.0, 1.0
    low, high = stats.bootstrap(
        (right, pictures),
        lambda right, pictures, axis: right.sum(axis) / pictures.sum(axis),
        paired=True,
        n_resamples=draws,
        batch=100,  # all at once would take 100 MB where 12,630 pictures have no tracks
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(low), float(high)


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often a classifier is right when it says how sure it is.

    Args:
        probabilities: float (n, classes).
        labels: int (n,).
        bins: number of intervals of equal width, each with its upper end: (0, 1/15], ...

    Returns:
        count: int (bins,), pictures whose highest probability falls there.
        confidence: float64 (bins,), mean of those probabilities; NaN where there is none.
        accuracy: float64 (bins,), share of those classified correctly; NaN where there is none.
    """
    confidence = np.max(probabilities, axis=1).astype(np.float64)
    correct = np.argmax(probabilities, axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    nonempty = np.where(count > 0, count, np.nan)
    return (
        count,
        np.bincount(place, confidence, bins) / nonempty,
        np.bincount(place, correct, bins) / nonempty,
    )


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 15
) -> float:
    """Mean distance between how sure a classifier is and how often it is right.

    References:
        Guo et al. (2017), On Calibration of Modern Neural Networks, equation 3, with its 15 bins.

    Args:
        probabilities, labels, bins: as in `reliability`.

    Returns:
        0 (calibrated) to 1.
    """
    count, confidence, accuracy = reliability(probabilities, labels, bins)
    return float(np.nansum(count * np.abs(confidence - accuracy)) / count.sum())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which the labels are most probable: softmax(logits / temperature).

    It changes no answer, only the probabilities. Fit it on pictures that the head was not trained
    on: on its training pictures the head is right too often.

    Args:
        logits: float (n, classes).
        labels: int (n,).

    Returns:
        A number within `TEMPERATURES`; at least 1 where all answers are right.
    """
    logits, rows = np.asarray(logits, np.float64), np.arange(len(labels))

    def loss(cold: float) -> float:  # cold: logarithm of 1 / temperature
        return -np.mean(special.log_softmax(logits * np.exp(cold), axis=1)[rows, labels])

    bounds = [-np.log(temperature) for temperature in reversed(TEMPERATURES)]
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
    temperature = float(np.exp(-found.x))
    if (logits.argmax(axis=1) == labels).all():  # no reason to be surer than before
        return max(1.0, temperature)
    return temperature


def accuracy_by_class(matrix: np.ndarray) -> np.ndarray:
    """float64 (classes,): share of each class classified correctly; NaN without pictures.

    Args:
        matrix: int (classes, classes), rows are the true classes, columns the predicted ones.
    """
    count = matrix.sum(axis=1)
    return np.diag(matrix) / np.where(count > 0, count, np.nan)


def confused_pairs(matrix: np.ndarray, most: int = 10) -> list[tuple[int, int, int]]:
    """The commonest mistakes: (true class, predicted class, pictures), commonest first.

    Args:
        matrix: as in `accuracy_by_class`.
        most: at most this many pairs.
    """
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [(int(t), int(p), int(wrong[t, p])) for t, p in pairs if wrong[t, p]]


def surest_mistakes(
    probabilities: np.ndarray,
    labels: np.ndarray,
    tracks: np.ndarray | None = None,
    most: int = 24,
    of_one_track: int = 3,
) -> np.ndarray:
    """The pictures classified wrong, the surest answers first.

    The frames of a track are nearly one picture: without a limit, one sign would fill the list.

    Args:
        probabilities, labels: as in `reliability`.
        tracks: as in `track_interval`.
        most: at most this many pictures.
        of_one_track: at most this many of one track.

    Returns:
        int64 (m,), rows of `labels`.
    """
    wrong = np.flatnonzero(np.argmax(probabilities, axis=1) != labels)
    wrong = wrong[np.argsort(-np.max(probabilities[wrong], axis=1), kind="stable")]
    if tracks is not None:
        surer = pd.Series(wrong).groupby(tracks[wrong]).cumcount()  # of the same track
        wrong = wrong[surer.to_numpy() < of_one_track]
    return wrong[:most]


def brightness(images: np.ndarray) -> np.ndarray:
    """float64 (n,): each picture's mean luma, 0 (black) to 255 (white).

    Args:
        images: uint8 (n, h, w, 3), RGB.
    """
    return images.mean(axis=(1, 2), dtype=np.float64) @ np.array(LUMA)


def accuracy_by_bin(
    values: np.ndarray, edges: Sequence[float], correct: np.ndarray, tracks: np.ndarray | None
) -> list[tuple[int, int, float, tuple[float, float]]]:
    """Accuracy of the pictures in each bin of a value, such as brightness.

    Args:
        values: float (n,).
        edges: ascending; a bin holds its lower edge, not its upper one, and the ends are open.
        correct, tracks: as in `track_interval`.

    Returns:
        For each bin that holds a picture: (bin's number, pictures, accuracy, its 95% interval).
        Bin 0 lies below edges[0].
    """
    place = np.digitize(values, edges)
    result = []
    for number in np.unique(place):
        here = place == number
        interval = track_interval(correct[here], None if tracks is None else tracks[here])
        result.append((int(number), int(here.sum()), float(correct[here].mean()), interval))
    return result

"""Numbers about predictions: accuracy and its interval, calibration, confusions; arrays alone.

Nothing here knows files, networks or figures.
"""

from collections.abc import Sequence

import numpy as np

from lab.errors import LabError

TEMPERATURES = (0.05, 20.0)  # where one is looked for
LUMA = (0.299, 0.587, 0.114)  # red, green, blue: ITU-R BT.601


def track_interval(
    correct: np.ndarray, tracks: np.ndarray | None, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95% interval of an accuracy, by bootstrap over tracks.

    The frames of a track are nearly one picture, so it is whole tracks that are drawn, with
    replacement; drawing pictures would make the interval several times too narrow.

    Args:
        correct: bool (n,), whether each picture was named right.
        tracks: int (n,), each picture's track; None takes each picture for a track of its own.
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
    generator = np.random.default_rng(seed)
    accuracies = np.empty(draws)
    for i in range(draws):
        drawn = generator.integers(len(pictures), size=len(pictures))
        accuracies[i] = right[drawn].sum() / pictures[drawn].sum()
    low, high = np.quantile(accuracies, (0.025, 0.975))
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
        accuracy: float64 (bins,), share of those pictures named right; NaN where there is none.
    """
    confidence = np.max(probabilities, axis=1).astype(np.float64)
    correct = np.argmax(probabilities, axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    some = np.where(count > 0, count, np.nan)
    return (
        count,
        np.bincount(place, confidence, bins) / some,
        np.bincount(place, correct, bins) / some,
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

    It changes no answer, only how sure the classifier says it is. Fit it on pictures that the head
    was not trained on: on its own it finds no reason for doubt.

    Args:
        logits: float (n, classes).
        labels: int (n,).

    Returns:
        A number within `TEMPERATURES`; at least 1 where all answers are right.
    """
    from scipy import optimize  # not needed to classify, so not paid for there

    logits = np.asarray(logits, np.float64)
    logits = logits - logits.max(axis=1, keepdims=True)
    of_label = logits[np.arange(len(logits)), labels]

    def loss(cold):  # cold: logarithm of 1 / temperature
        factor = np.exp(cold)
        return np.mean(np.log(np.exp(logits * factor).sum(axis=1)) - of_label * factor)

    bounds = [-np.log(temperature) for temperature in reversed(TEMPERATURES)]
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
    temperature = float(np.exp(-found.x))
    if (logits.argmax(axis=1) == labels).all():  # they give no reason to be surer than before
        return max(1.0, temperature)
    return temperature


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """int64 (classes, classes): pictures of the row's class that were given the column's."""
    both = np.asarray(labels, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(both, minlength=classes * classes).reshape(classes, classes)


def accuracy_by_class(matrix: np.ndarray) -> np.ndarray:
    """float64 (classes,): share of each class's pictures named right; NaN where it has none.

    Args:
        matrix: as `confusion` gives it.
    """
    count = matrix.sum(axis=1)
    return np.diag(matrix) / np.where(count > 0, count, np.nan)


def confused_pairs(matrix: np.ndarray, most: int = 10) -> list[tuple[int, int, int]]:
    """The commonest mistakes: (true class, given class, pictures), commonest first.

    Args:
        matrix: as `confusion` gives it.
        most: no more than so many.
    """
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [(int(t), int(g), int(wrong[t, g])) for t, g in pairs if wrong[t, g]]


def surest_mistakes(probabilities: np.ndarray, labels: np.ndarray, most: int = 24) -> np.ndarray:
    """int64 (m,): the pictures named wrong, the surest answers first.

    Args:
        probabilities, labels: as in `reliability`.
        most: no more than so many.
    """
    wrong = np.flatnonzero(np.argmax(probabilities, axis=1) != labels)
    return wrong[np.argsort(-np.max(probabilities[wrong], axis=1), kind="stable")[:most]]


def brightness(images: np.ndarray) -> np.ndarray:
    """float64 (n,): each picture's mean luma, 0 (black) to 255 (white).

    Args:
        images: uint8 (n, h, w, 3), RGB.
    """
    return images.mean(axis=(1, 2), dtype=np.float64) @ np.array(LUMA)


def accuracy_by_bin(
    values: np.ndarray, edges: Sequence[float], correct: np.ndarray, tracks: np.ndarray | None
) -> list[tuple[int, int, float, tuple[float, float]]]:
    """Accuracy where some value of the pictures lies between two edges.

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

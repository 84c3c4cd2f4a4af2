"""What each section of the report shows, as plain values: template.html makes HTML of them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from lab.data.splits import OWN
from lab.judging import Judgement, metrics
from lab.report import feature_map as maps
from lab.report import figures, single_pictures
from lab.report.wording import filmed, percent, rendered, unit

SIZES = (25, 35, 50, 75, 100)  # pixels, the shorter side of the original picture
LIGHT = (32, 64, 96, 128, 160, 192)  # mean luma, of 255
ICON = 24  # pixels, side of a class's picture in the tables
CANDIDATES = 64  # pictures of a class that its icon is chosen from
ONE_COLUMN = 12  # classes; more of them stand in two


def split(judgement: Judgement, facts: Mapping[str, object]) -> str:
    """What the split that facts["split"] names means for the accuracy; empty if it is none."""
    kind, grouped = facts.get("split"), judgement.data.tracks is not None
    things = unit(judgement) + "s"
    if kind == "track":
        return f"A split by track: the classifier has not seen any of these {things} in training."
    if kind == "folds":
        known = f"the pictures of one {unit(judgement)} are in one fold"
        unknown = "if several pictures show one object, the accuracy flatters the classifier"
        return "Cross-validation: each picture is judged by a head fitted on the other folds; " + (
            known if grouped else unknown
        )
    if kind == "given":
        return "The split that the data came with: the classifier was fitted on its training part."
    if kind not in ("random", OWN):
        return ""
    own = "The weights' own split, into what they were trained on and what they were not"
    start = own if kind == OWN else "A random split"
    if rendered(judgement):
        return (
            f"{start}, of rendered signs: no two pictures show the same sign, so the "
            "classifier has not seen any of these in training."
        )
    known = "are" if grouped else "may be"
    return (
        f"{start}: frames of the same signs {known} on both sides. The accuracy does not "
        "say how the classifier does on signs it has not seen; a split by track does."
        if things == "signs"
        else f"{start}: if several pictures show one object, they may be on both sides, and "
        "the accuracy flatters the classifier."
    )


def head(judgement: Judgement) -> dict:
    """The numbers at the head of the page."""
    by_class = metrics.accuracy_by_class(judgement.matrix)
    return {
        "mistakes": int((~judgement.correct).sum()),
        "class_mean": float(np.nanmean(by_class)),
        "classes": int(np.isfinite(by_class).sum()),
        "signs": filmed(judgement, slice(None)),
        "interval": _interval(judgement),
    }


def _interval(judgement: Judgement) -> str:
    tracks = judgement.data.tracks
    pieces = len(judgement.labels) if tracks is None else len(np.unique(tracks))
    if pieces < 2:
        return f"no interval: one {unit(judgement)} says nothing about others"
    low, high = judgement.interval or metrics.track_interval(judgement.correct, None)
    over = f"{pieces:,} tracks, the signs that were filmed"
    if rendered(judgement):
        over = f"{pieces:,} pictures, each of another sign"
    elif tracks is None:
        over = f"{pieces:,} pictures, as it is not known which of them show the same sign or object"
    elif unit(judgement) == "group":
        over = f"{pieces:,} groups of pictures"
    if low == high:
        return f"no interval: the bootstrap sees no spread over {over}"
    return f"95% interval {percent(low)} to {percent(high)}, by bootstrap over {over}"


def learning(history: Sequence[Mapping]) -> dict | None:
    """Loss and validation accuracy by epoch; None where there is no number to draw."""
    drawn = (
        figures.curve(history, "loss", "Loss"),
        figures.curve(history, "validation_accuracy", "Validation accuracy"),
    )
    curves = [curve for curve in drawn if curve]
    seconds = sum(row.get("seconds") or 0 for row in history)
    return {"epochs": len(history), "seconds": seconds, "curves": curves} if curves else None


def confusion(judgement: Judgement) -> dict:
    """The confusion matrix and its commonest pairs."""
    return {
        "figure": figures.confusion(judgement.matrix, judgement.names),
        "pairs": metrics.confused_pairs(judgement.matrix),
        "totals": judgement.matrix.sum(axis=1),  # (classes,)
    }


def classes(judgement: Judgement, class_counts: np.ndarray | None) -> dict:
    """Each class's accuracy and size, the worst first, in one column or two."""
    rows = judgement.per_class()
    trained_on = class_counts is not None
    sizes = np.asarray(class_counts) if trained_on else judgement.matrix.sum(axis=1)
    for row in rows:
        row["size"] = int(sizes[row["index"]])
        row["right"] = int(judgement.matrix[row["index"], row["index"]])
    rows.sort(key=lambda row: row["accuracy"])
    half = -(-len(rows) // 2) if len(rows) > ONE_COLUMN else len(rows)
    accuracies = metrics.accuracy_by_class(judgement.matrix)
    return {
        "columns": [column for column in (rows[:half], rows[half:]) if column],
        "largest": max(int(sizes.max()), 1),
        "trained_on": trained_on,
        "figure": figures.classes(sizes, accuracies, judgement.names) if trained_on else "",
    }


def calibration(judgement: Judgement) -> dict:
    """The reliability diagram and the calibration error, before and after the temperature."""
    lines = [
        (name, *metrics.reliability(probabilities, judgement.labels))
        for name, probabilities in (
            ("before the temperature", judgement.uncalibrated),
            ("with the temperature", judgement.probabilities),
        )
    ]
    temperature = judgement.classifier.temperature
    if temperature == 1:  # both are the same
        lines = [("these pictures", *lines[1][1:])]
    return {"figure": figures.reliability(lines), "temperature": temperature}


def light(judgement: Judgement) -> list:
    """Accuracy by original size, where it is known, and, of signs, by brightness."""
    drawn = []
    if judgement.data.crop == "sign":  # photographs would all be decoded once more
        images = np.asarray(judgement.data.images)
        brightness = _groups(judgement, metrics.brightness(images), LIGHT)
        label = "mean luma of the picture, of 255"
        drawn.append(figures.groups("Accuracy by brightness", label, brightness))
    if judgement.data.sizes is not None:
        size = _groups(judgement, judgement.data.sizes.min(axis=1), SIZES)
        label = "shorter side of the original picture, in pixels"
        drawn.insert(0, figures.groups("Accuracy by original size", label, size))
    return drawn


def _groups(judgement: Judgement, values: np.ndarray, edges: Sequence[int]) -> list[tuple]:
    names = [f"< {edges[0]}", *(f"{a}–{b - 1}" for a, b in pairwise(edges)), f"≥ {edges[-1]}"]
    bins = metrics.accuracy_by_bin(values, edges, judgement.correct, judgement.data.tracks)
    return [(names[number], *rest) for number, *rest in bins]


def feature_map(judgement: Judgement) -> dict | None:
    """The map of the features; None where there are none, or a single picture."""
    n = len(judgement.labels)
    if judgement.sketch is None or n < 2:
        return None
    shown = maps.sample(n)
    place = maps.positions(judgement.sketch[shown])
    return {
        "picture": maps.draw(
            place, single_pictures.thumbnails(judgement, shown), ~judgement.correct[shown]
        ),
        "shown": len(shown),
        "pictures": n,
        "method": "t-SNE" if len(shown) >= maps.FEWEST_TSNE else "their two principal components",
    }


def icons(judgement: Judgement) -> dict:
    """A picture of each class, a well-lit one among those recognised most surely, as one strip.

    Returns:
        strip: uint8 (32, 32 * classes with pictures, 3); offsets: class -> its place, in pixels.
    """
    labels = judgement.labels
    own = judgement.probabilities[np.arange(len(labels)), labels]
    strip: list[np.ndarray] = []
    offsets: dict[int, int] = {}
    for label in np.unique(labels):
        here = np.flatnonzero(labels == label)
        surest = here[np.argsort(-own[here], kind="stable")[: min(-(-len(here) // 4), CANDIDATES)]]
        small = single_pictures.thumbnails(judgement, surest)
        offsets[int(label)] = -ICON * len(strip)
        strip.append(small[np.abs(metrics.brightness(small) - 128).argmin()])
    return {"strip": np.concatenate(strip, axis=1), "offsets": offsets}

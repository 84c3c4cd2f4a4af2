"""A classifier's answers on labelled pictures, with what is known about both. Arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lab.errors import LabError
from lab.judging import metrics

# One entry for each picture, where there are any.
PARTS = ("probabilities", "images", "index", "tracks", "sizes", "uncalibrated", "features")


@dataclass(eq=False)
class Evaluation:
    """A classifier's answers on labelled pictures, and what is known about both.

    Attributes:
        labels: int (n,), the true classes.
        probabilities: float (n, classes), as the classifier gives them.
        images: uint8 (n, h, w, 3), RGB, as the classifier saw them.
        names: the classes' names.
        index: what the pictures are called: their files, or their rows in the data.
        tracks: int (n,), one number for each physical sign, or None where they are not known.
        sizes: int (n, 2), width and height of the original pictures, or None.
        uncalibrated: float (n, classes), the probabilities without the temperature, or None.
        features: float (n, d), what the map is drawn from, or None. A few hundred columns do.
        history: dicts {"epoch", "seconds", "loss", "validation_accuracy"}, or None.
        recipe: name -> value, shown as a table. "split" is also explained at the head of the page:
            see `lab.report.SPLITS`.
        class_counts: int (classes,), each class's training pictures, or None.
        title: the report's.
        predicted: int (n,), the most probable classes.
        correct: bool (n,), whether they are the true ones.
        matrix: int (classes, classes), as `lab.statistics.confusion` gives it.
        named: whether `index` holds names.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    images: np.ndarray
    names: Sequence[str]
    index: Sequence
    tracks: np.ndarray | None = None
    sizes: np.ndarray | None = None
    uncalibrated: np.ndarray | None = None
    features: np.ndarray | None = None
    history: Sequence[dict] | None = None
    recipe: dict = field(default_factory=dict)
    class_counts: np.ndarray | None = None
    title: str = "Traffic signs"
    predicted: np.ndarray = field(init=False, repr=False)
    correct: np.ndarray = field(init=False, repr=False)
    matrix: np.ndarray = field(init=False, repr=False)
    named: bool = field(init=False, repr=False)

    def __post_init__(self):
        self.labels = np.asarray(self.labels)
        n, k = len(self.labels), len(self.names)
        if n == 0:
            raise LabError("expected labelled pictures; received none: there is nothing to report")
        for name in PARTS:
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise LabError(
                    f"expected {name} of {n} pictures, as many as labels; received {len(value)}: "
                    "give one for each picture"
                )
        low, high = np.min(self.labels), np.max(self.labels)
        if np.shape(self.probabilities) != (n, k) or low < 0 or high >= k:
            raise LabError(
                f"expected probabilities ({n}, {k}) and labels 0 to {k - 1}; received "
                f"{np.shape(self.probabilities)} and {low} to {high}: give a name for each class"
            )
        if not np.isfinite(self.probabilities).all():
            raise LabError("expected finite probabilities; received others: train the head again")
        self.predicted = np.argmax(self.probabilities, axis=1)
        self.correct = self.predicted == self.labels
        self.matrix = metrics.confusion(self.labels, self.predicted, k)
        self.named = isinstance(self.index[0], (str, Path))

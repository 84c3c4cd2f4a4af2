"""A classifier judged on labelled pictures, but not on those that its network was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import special
from sklearn.metrics import confusion_matrix

from lab.classifier import Classifier
from lab.data import fingerprints
from lab.data.dataset import Dataset
from lab.errors import LabError
from lab.features.batches import BATCH
from lab.judging import metrics
from lab.progress import SILENT, Progress
from lab.weights import Weights


@dataclass(eq=False)
class Judgement:
    """A classifier's answers on labelled pictures.

    All other properties are computed when they are first read, and then stored: the classifier's
    temperature must be fitted before.

    Attributes:
        classifier: whose answers they are.
        data: the pictures it was judged on.
        index: their file names, or their row numbers in the set that they come from.
        logits: float32 (n, classes), before the temperature.
        sketch: float (n, d), a projection of the features for the report's map, or None.
        trunk: the weights that the classifier was trained on, or None: then its answers cannot be
            explained.
        distances: float32 (n, 2), as `lab.novelty.Novelty.distances` gives them, or None.
        fold: int64 (n,), of a cross-validation the fold of each picture; else empty.
        of_folds: of a cross-validation the classifier that answered each fold's pictures.

    Raises:
        LabError: no pictures, parts that do not fit each other, or logits that are not finite.
    """

    classifier: Classifier
    data: Dataset
    index: Sequence[str] | np.ndarray
    logits: np.ndarray
    sketch: np.ndarray | None = None
    trunk: Weights | None = None
    distances: np.ndarray | None = None
    fold: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    of_folds: Sequence[Classifier] = ()

    def __post_init__(self) -> None:
        n, k = len(self.data), len(self.classifier.classes)
        if n == 0:
            raise LabError("expected labelled pictures; received none: there is nothing to judge")
        for name in ("index", "sketch"):
            part = getattr(self, name)
            if part is not None and len(part) != n:
                raise LabError(
                    f"expected {name} of {n} pictures, as many as labels; received {len(part)}: "
                    "give one for each picture"
                )
        low, high = self.labels.min(), self.labels.max()
        if self.logits.shape != (n, k) or low < 0 or high >= k:
            raise LabError(
                f"expected logits ({n}, {k}) and labels 0 to {k - 1}; received "
                f"{self.logits.shape} and {low} to {high}: give a name for each class"
            )
        if not np.isfinite(self.logits).all():
            raise LabError("expected finite logits; received others: train the head again")

    @property
    def labels(self) -> np.ndarray:
        """int64 (n,): the true classes."""
        return self.data.labels

    @property
    def names(self) -> Sequence[str]:
        """The classes' names."""
        return self.classifier.classes

    @cached_property
    def probabilities(self) -> np.ndarray:
        """float64 (n, classes): as the classifier gives them, with its temperature."""
        return self.classifier.probabilities(self.logits)

    @cached_property
    def uncalibrated(self) -> np.ndarray:
        """float64 (n, classes): the probabilities without the temperature."""
        return special.softmax(np.asarray(self.logits, np.float64), axis=1)

    @cached_property
    def predicted(self) -> np.ndarray:
        """int64 (n,): the most probable classes."""
        return self.logits.argmax(axis=1)

    @cached_property
    def correct(self) -> np.ndarray:
        """bool (n,): whether the predicted class is the true one."""
        return self.predicted == self.labels

    @cached_property
    def novelty(self) -> np.ndarray | None:
        """float32 (n,): how unlike the training pictures each is; None if it was not measured."""
        measure = self.classifier.novelty
        return None if measure is None or self.distances is None else measure.joined(self.distances)

    @cached_property
    def turned_away(self) -> np.ndarray | None:
        """bool (n,): which pictures are answered "none of these"; None if it was not measured."""
        measure = self.classifier.novelty
        return None if measure is None or self.novelty is None else self.novelty > measure.threshold

    @cached_property
    def accuracy(self) -> float:
        """The share of the pictures that is classified correctly."""
        return float(self.correct.mean())

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """The accuracy's 95% interval, by bootstrap over tracks, or over photographs.

        None for signs whose tracks are not known: frames of one sign would make it too narrow.
        """
        if self.data.tracks is None and self.data.crop == "sign":
            return None
        return metrics.track_interval(self.correct, self.data.tracks)

    @cached_property
    def calibration_error(self) -> dict[str, float]:
        """Expected calibration error before and after the temperature."""
        error = metrics.expected_calibration_error
        return {
            "before": error(self.uncalibrated, self.labels),
            "after": error(self.probabilities, self.labels),
        }

    @cached_property
    def matrix(self) -> np.ndarray:
        """int64 (classes, classes): pictures of the row's class, predicted as the column's."""
        return confusion_matrix(self.labels, self.predicted, labels=np.arange(len(self.names)))

    def answered_by(self, rows: np.ndarray) -> list[tuple[Classifier, np.ndarray]]:
        """The classifiers that answered these pictures.

        Args:
            rows: int64 (m,).

        Returns:
            Each classifier with its places in `rows`, int64 (k,).
        """
        if len(self.fold) == 0:
            return [(self.classifier, np.arange(len(rows)))]
        fold = self.fold[rows]  # (m,)
        return [(self.of_folds[k], np.flatnonzero(fold == k)) for k in np.unique(fold)]

    def per_class(self) -> list[dict]:
        """A dict {"class", "index", "images", "accuracy"} for each class that has pictures."""
        counts, accuracies = self.matrix.sum(axis=1), metrics.accuracy_by_class(self.matrix)
        return [
            {"class": name, "index": i, "images": int(counts[i]), "accuracy": float(accuracies[i])}
            for i, name in enumerate(self.names)
            if counts[i]
        ]


def judge(
    classifier: Classifier,
    trunk: Weights,
    data: Dataset,
    rows: np.ndarray | None = None,
    progress: Progress = SILENT,
) -> Judgement:
    """Judges a classifier on a set, or on these rows of it.

    Args:
        classifier: the one to judge.
        trunk: the weights that it was trained on.
        data: labelled pictures.
        rows: int64 (m,); None: all that the trunk was not trained on.
        progress: reports the phases.

    Returns:
        The judgement; its index is the pictures' files where they have some, else `rows`.

    Raises:
        LabError: the trunk was trained on all of them, or is not the classifier's.
    """
    if rows is None:
        rows = np.flatnonzero(~fingerprints.seen_by(trunk, data))
    judged = data.subset(rows)
    with progress.phase("judging", -(-len(judged) // BATCH)) as advance:
        logits, distances, sketch = classifier.answers(judged.images, trunk, advance)
    return Judgement(
        classifier, judged, judged.files or rows, logits, sketch, trunk, distances=distances
    )

"""A classifier judged on labelled pictures, never on those that its network was trained on."""

from dataclasses import dataclass

import numpy as np

from lab.classifier import Classifier
from lab.data import fingerprints
from lab.data.dataset import Dataset
from lab.judging import metrics
from lab.judging.evaluation import Evaluation


@dataclass
class Judgement:
    """A classifier's answers on labelled pictures.

    Attributes:
        classifier: whose.
        data: the pictures.
        index: what they are called: their files, or their rows in the set that they are of.
        logits: float32 (n, classes), before the temperature.
        features: float (n, d), what the report's map is drawn from.
        accuracy: share of the pictures named right.
    """

    classifier: Classifier
    data: Dataset
    index: object
    logits: np.ndarray
    features: np.ndarray

    @property
    def accuracy(self):
        return float(np.mean(self.logits.argmax(axis=1) == self.data.labels))

    @property
    def interval(self):
        """The accuracy's 95% interval, by bootstrap over tracks; None where they are not known."""
        if self.data.tracks is None:
            return None
        correct = self.logits.argmax(axis=1) == self.data.labels
        return metrics.track_interval(correct, self.data.tracks)

    @property
    def calibration_error(self):
        """Expected calibration error before and after the temperature."""
        kept, labels = self.classifier, self.data.labels
        plain, cooled = self.logits * kept.temperature, self.logits  # `probabilities` divides
        before, after = (
            metrics.expected_calibration_error(kept.probabilities(logits), labels)
            for logits in (plain, cooled)
        )
        return {"before": before, "after": after}

    def evaluation(self, **known):
        """What the report shows; `known` as in `lab.evaluation.Evaluation`."""
        kept, data = self.classifier, self.data
        return Evaluation(
            data.labels,
            kept.probabilities(self.logits),
            data.images,
            kept.classes,
            self.index,
            tracks=data.tracks,
            sizes=data.sizes,
            uncalibrated=kept.probabilities(self.logits * kept.temperature),
            features=self.features,
            **known,
        )


def judge(kept, trunk, data, rows=None):
    """Judges a classifier on a set, or on some rows of it.

    Args:
        kept: `lab.classifier.Classifier`.
        trunk: `lab.weights.Weights`, those that the classifier stands on.
        data: `lab.data.dataset.Dataset`.
        rows: int64 (n,); None: all that the trunk was not trained on.

    Returns:
        `Judgement`.

    Raises:
        LabError: the trunk was trained on all of them, or is another one.
    """
    if rows is None:
        rows = np.flatnonzero(~fingerprints.seen_by(trunk, data))
    some = data.subset(rows)
    return Judgement(kept, some, some.files or rows, *kept.answers(some.images, trunk))

"""What came of a training: the classifier, how it was judged, and what was measured."""

from dataclasses import dataclass, field

import numpy as np

from lab.judging.judgement import Judgement
from lab.weights import Weights


@dataclass
class Outcome:
    """What came of a training.

    Attributes:
        judgement: of the classifier that is kept, or of the one before its refit.
        trunk: the weights that it stands on.
        history: a dict for each epoch.
        counts: int64 (classes,), the pictures learned from before the judgement.
        measured: names and values for metrics.json.
    """

    judgement: Judgement
    trunk: Weights
    history: list[dict]
    counts: np.ndarray
    measured: dict = field(default_factory=dict)

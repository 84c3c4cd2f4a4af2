"""What comes of a training, of a head or of the whole network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lab.classifier import Classifier
from lab.judging import Judgement
from lab.weights import Weights

Tell = Callable[[dict[str, Any]], None]  # is given each epoch's record


@dataclass
class Trained:
    """What comes of a training.

    Attributes:
        saved: the classifier that is saved. A head on frozen features has by then learned from all
            pictures, and is not the one that was judged.
        judgement: of pictures that the judged classifier has not learned from.
        trunk: the weights that both stand on.
        history: a dict for each epoch: epoch, seconds, loss, validation_accuracy.
        counts: int64 (classes,), the pictures that the judged classifier learned from.
        measured: what else metrics.json says.
    """

    saved: Classifier
    judgement: Judgement
    trunk: Weights
    history: list[dict[str, Any]]
    counts: np.ndarray
    measured: dict[str, Any] = field(default_factory=dict)

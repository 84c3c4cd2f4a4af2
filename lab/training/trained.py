"""The result of a training, of a head or of the whole network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lab.classifier import Classifier
from lab.judging import Judgement
from lab.weights import Weights

History = list[dict[str, Any]]  # a record of each epoch
Tell = Callable[[dict[str, Any]], None]  # is given each epoch's record


@dataclass
class Trained:
    """The result of a training.

    Attributes:
        saved: the classifier that is saved. On frozen features, its head was trained on all
            pictures, so it is not the one that was judged.
        judgement: on pictures that the judged classifier was not trained on.
        trunk: the weights of both classifiers' network.
        history: a dict for each epoch: epoch, seconds, loss, validation_accuracy.
        counts: int64 (classes,), pictures of each class that the judged one was trained on.
        measured: further entries of metrics.json; fitted_on_judged: whether temperature and
            threshold were fitted on the judgement's own pictures.
    """

    saved: Classifier
    judgement: Judgement
    trunk: Weights
    history: History
    counts: np.ndarray
    measured: dict[str, Any] = field(default_factory=dict)

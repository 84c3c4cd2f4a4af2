"""Answers about pictures by heads that were not fitted on them, and the temperature by these."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.classifier import Classifier
from lab.data import Dataset
from lab.features.batches import batches
from lab.judging import metrics
from lab.training import augmentation, plans
from lab.weights import Weights

MOST = 1000  # pictures that are copied: a temperature is one number


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers about pictures by heads that were not fitted on them.

    Attributes:
        rows: int64 (m,), of the pictures.
        logits: float32 (m, classes).
        distances: float32 (m, 2), see `lab.novelty.Novelty.distances`.
        by: each classifier, and its places in `rows`, int64 (k,).
    """

    rows: np.ndarray
    logits: np.ndarray
    distances: np.ndarray
    by: Sequence[tuple[Classifier, np.ndarray]]


def fitted_temperature(answers: Answers, data: Dataset, trunk: Weights, seed: int) -> float:
    """The temperature by pictures as they are and by as many random copies of them.

    In other light and on other grounds a head is surer of itself than it is right.

    Args:
        answers: about pictures of `data`.
        data: the pictures.
        trunk: the frozen network.
        seed: of the choice of pictures, and of their copies.
    """
    generator = np.random.default_rng(seed)
    places = np.sort(generator.permutation(len(answers.rows))[:MOST])
    images = data.images[answers.rows[places]]
    ranges = plans.SIGNS if data.crop == "sign" else plans.PHOTOGRAPHS
    copies = [
        augmentation.as_pictures(batch, (seed, number), ranges)
        for number, batch in enumerate(batches(images))
    ]
    first, _ = answers.by[0]
    x = np.concatenate(list(first.features(np.concatenate(copies), trunk)))
    logits = np.empty((len(places), answers.logits.shape[1]), np.float32)
    for classifier, own in answers.by:
        mine = np.flatnonzero(np.isin(places, own))
        if len(mine):
            logits[mine] = classifier.head(x[mine])
    logits = np.concatenate([answers.logits[places], logits])
    return metrics.fit_temperature(logits, np.tile(data.labels[answers.rows[places]], 2))

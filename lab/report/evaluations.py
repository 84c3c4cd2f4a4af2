"""A saved classifier on a labelled set: figures, the report, and what must be said beside them."""

import numpy as np

from lab import machine
from lab.data import dataset, fingerprints
from lab.judging import judgement, metrics
from lab.report import report


def evaluate(kept, trunk, data, folder):
    """Judges a classifier and writes report.html and predictions.csv.

    Args:
        kept: `lab.classifier.Classifier`.
        trunk: `lab.weights.Weights`.
        data: `lab.data.dataset.Dataset`.
        folder: where the report goes.

    Returns:
        dict: accuracy; images, how many it was judged on; per_class, a list of {class, index,
        images, accuracy}; notices, lines that have to be said.

    Raises:
        LabError: the network was trained on all of the pictures.
    """
    judged = judgement.judge(kept, trunk, data)
    notices = _notices(kept, judged.data, len(data))
    recipe = {
        "data": data.source,
        "layer": kept.layer,
        "variant": kept.variant,
        "temperature": kept.temperature,
        "weights_sha256": trunk.sha256,
        "data_sha256": dataset.sha256(data),
        "split": " ".join(f"{notice[0].upper()}{notice[1:]}." for notice in notices),
        "versions": machine.versions(),
    }
    evaluation = judged.evaluation(recipe=recipe, title=f"Traffic signs: {data.source}")
    report.write(folder, evaluation)
    return {
        "accuracy": judged.accuracy,
        "images": len(judged.data),
        "per_class": _per_class(evaluation),
        "notices": notices,
    }


def _notices(kept, some, given):
    """What must be said beside the figures of a classifier on some of the pictures given."""
    notices = []
    if len(some) < given:
        notices.append(
            f"the network was trained on {given - len(some):,} of these {given:,} "
            f"pictures: it is judged on the other {len(some):,} alone"
        )
    prints, nothing = fingerprints.fingerprints(some), np.zeros(0, np.uint64)
    known = int(fingerprints.seen(prints, kept.trained_on, nothing).sum())
    if known:
        notices.append(
            f"the head was trained on {known:,} of these {len(some):,} pictures: "
            "the accuracy does not say how it does on new signs"
        )
    if not kept.trained:
        notices.append("the head is untrained: its answers are chance")
    return notices


def _per_class(evaluation):
    """A row for each class that has pictures."""
    accuracies = metrics.accuracy_by_class(evaluation.matrix)
    counts = evaluation.matrix.sum(axis=1)
    return [
        {"class": name, "index": i, "images": int(counts[i]), "accuracy": float(accuracies[i])}
        for i, name in enumerate(evaluation.names)
        if counts[i]
    ]

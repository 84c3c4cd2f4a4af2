"""Judges a saved classifier on a labelled set and reports it: what --evaluate does."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lab import machine
from lab.classifier import Classifier
from lab.data import dataset, fingerprints
from lab.data.dataset import Dataset
from lab.judging import judge
from lab.progress import SILENT, Progress
from lab.report import report
from lab.weights import Weights


def evaluate(
    classifier: Classifier,
    trunk: Weights,
    data: Dataset,
    folder: str | Path,
    name: str,
    facts: Mapping[str, object] | None = None,
    progress: Progress = SILENT,
) -> dict:
    """Judges a classifier and writes report.html and predictions.csv.

    Args:
        classifier: the one to judge.
        trunk: the weights that it was trained on.
        data: labelled pictures.
        folder: where the report goes.
        name: what the report calls the classifier: its file or folder, or "an untrained head".
        facts: more names and values for the report, such as command and device.
        progress: reports the phases.

    Returns:
        dict: accuracy; images, how many it was judged on; turned_away, how many of those are
        answered "none of these" (None: not measured); notices, what
        must be known beside the accuracy; per_class, a list of {class, index,
        images, accuracy}.

    Raises:
        LabError: the network was trained on all of the pictures, or the report cannot be written.
    """
    judgement = judge(classifier, trunk, data, progress=progress)
    notices = _notices(classifier, judgement.data, len(data))
    known = {
        "classifier": name,
        "when it was saved": classifier.words(),
        "layer": classifier.recipe.name,
        "variant": classifier.variant,
        "temperature": classifier.temperature,
        "weights": str(trunk.path),
        "weights_sha256": trunk.sha256,
        "data": data.source,
        "data_sha256": dataset.sha256(data),
    }
    known |= facts or {}
    title = f"{name}, evaluated on {data.source_name}"
    known["versions"] = machine.versions()
    with progress.phase("report"):
        report.write(folder, judgement, title=title, facts=known, notices=notices)
    away = judgement.turned_away
    return {
        "accuracy": judgement.accuracy,
        "images": len(judgement.data),
        "turned_away": None if away is None else int(away.sum()),
        "per_class": judgement.per_class(),
        "notices": notices,
    }


def _notices(classifier: Classifier, judged: Dataset, given: int) -> list[str]:
    """Restrictions that the report must state beside the accuracy."""
    notices = []
    if len(judged) < given:
        notices.append(
            f"the network was trained on {given - len(judged):,} of these {given:,} "
            f"pictures: it is judged on the other {len(judged):,} alone"
        )
    prints, nothing = fingerprints.of(judged), np.zeros(0, np.uint64)
    known = int(fingerprints.seen(prints, classifier.trained_on, nothing).sum())
    if known:
        notices.append(
            f"the head was trained on {known:,} of these {len(judged):,} pictures: "
            "the accuracy does not say how it does on new pictures"
        )
    if not classifier.trained:
        notices.append("the head is untrained: its answers are chance")
    return notices

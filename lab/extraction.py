"""Feature extraction as an experiment: the frozen network runs once, a head learns and is judged.

The head that is judged learns from a part of the pictures. The head that is kept is refitted on all
of them, with the temperature of a head that was judged on tracks it had not met.
"""

import functools
import time
from dataclasses import dataclass

import numpy as np

from lab import features, heads, provenance, signs, statistics
from lab.classifier import Classifier
from lab.judging import Judgement
from lab.outcome import Outcome
from lab.recipes import RECIPES

CLASSES = len(signs.class_names())


@dataclass(frozen=True)
class Settings:
    """How a head is trained: recipe, network and schedule."""

    layer: str
    variant: str
    precision: str
    split: str
    epochs: int
    batch_size: int
    seed: int


def split(data, weights, how):
    """Indices of training and of held-out pictures.

    Pictures that the network itself was trained on hold out nothing: the head is then judged on the
    network's own test tracks, whatever `how` says.

    Returns:
        The indices, and the split's name.

    Raises:
        LabError: no such split of these pictures, or all of them were trained on.
    """
    seen = provenance.seen_by(weights, data)
    if seen.any():
        return np.flatnonzero(seen), np.flatnonzero(~seen), "track"
    if how == "track":
        return *signs.track_split(data), how
    return *signs.random_split(data.labels), how


def train(data, weights, settings, tell=None, progress=iter):
    """Computes the features, or takes those kept from before, and trains a head on them.

    Args:
        data: `lab.signs.Signs`.
        weights: `lab.weights.Weights`.
        settings: `Settings`.
        tell: called with each epoch's record.
        progress: wraps iterables of batches.

    Returns:
        `Outcome`.

    Raises:
        LabError: no such split of these pictures, or the weights lack a layer.
    """
    s = settings
    rows, held_out, name = split(data, weights, s.split)
    x, seconds = _features(data, weights, s, progress)
    fit = functools.partial(_fit, x, data.labels, s, progress=progress)
    head, history = fit(rows, judged_on=held_out, tell=tell)
    logits = head.logits(x, held_out)
    judged = logits, data.labels[held_out]
    if name != "track" and data.tracks is not None:
        by_track, met_not = signs.track_split(data)
        judged = fit(by_track)[0].logits(x, met_not), data.labels[met_not]
    kept = fit(np.arange(len(data)))[0]
    kept = Classifier(
        np.asarray(kept.kernel),
        np.asarray(kept.bias),
        signs.class_names(),
        s.layer,
        s.variant,
        weights.sha256,
        temperature=statistics.fit_temperature(*judged),
        trained_on=np.unique(provenance.fingerprints(data)),
    )
    some = data.subset(held_out)
    names = some.files or held_out
    judgement = Judgement(kept, some, names, logits, heads.projected(x, held_out))
    measured = {
        "split": name,
        "images_per_second": seconds and len(data) / seconds,
        "feature_seconds": seconds,
        "refitted_on_all_data": True,
    }
    counts = np.bincount(data.labels[rows], minlength=CLASSES)
    return Outcome(judgement, weights, history, counts, measured)


def _features(data, weights, s, progress):
    recipe = RECIPES[s.layer]
    made_of = features.key(signs.sha256(data), weights.sha256, recipe, s.variant, s.precision)
    build = functools.partial(features.extractor, weights.arrays, recipe, s.variant, s.precision)
    return features.compute(data.images, build, made_of, progress)


def _fit(x, labels, s, rows, judged_on=None, tell=None, progress=iter):
    """A head trained on some rows, and its history."""
    head, history = heads.Head(x.shape[1], CLASSES, s.seed), []
    for epoch in range(1, s.epochs + 1):
        loss, seconds = head.train_epoch(x, labels, rows, s.batch_size, progress)
        if judged_on is None:
            continue
        start = time.perf_counter()
        accuracy = float(np.mean(head.logits(x, judged_on).argmax(axis=1) == labels[judged_on]))
        seconds += time.perf_counter() - start
        record = {"epoch": epoch, "seconds": seconds, "loss": loss, "validation_accuracy": accuracy}
        history.append(record)
        if tell:
            tell(record)
    return head, history

"""Feature extraction as an experiment: the frozen network runs once, a head learns and is judged.

The head that is judged learns from a part of the pictures. The head that is kept is refitted on all
of them, with the temperature of a head that was judged on tracks it had not met.
"""

import functools
import math
import time
from dataclasses import dataclass

import numpy as np

import alexnet
from lab.classifier import Classifier
from lab.data import dataset, fingerprints
from lab.errors import LabError
from lab.features import cache, extractor, linear
from lab.features.recipes import RECIPES
from lab.judging import metrics
from lab.judging.judgement import Judgement
from lab.training import linear_head, logistic_head
from lab.training.outcome import Outcome
from lab.weights import check

CLASSES = len(dataset.class_names())
OWN_TRACKS = "track"  # the split where the network was trained on a part of the pictures
# Adam's head learns from all pictures in so many epochs more; L-BFGS starts anew. At conv4, by
# track, folds 0 to 2: ten epochs of all but the held-out tracks 0.910, 0.930, 0.942; ten of four
# fifths of that and then these 0.913, 0.933, 0.937.
REFIT = 2
ITERATIONS = 10  # of L-BFGS that are called an epoch, where a recipe has it in Adam's place


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


def prepare(data, weights, settings):
    """Splits the pictures, and checks that the weights serve the recipe.

    Pictures that the network itself was trained on hold out nothing: the head is then judged on the
    network's own test tracks, whatever the settings say.

    Args:
        data: `lab.data.dataset.Dataset`.
        weights: `lab.weights.Weights`.
        settings: `Settings`.

    Returns:
        Indices of training and of held-out pictures, and the split's name.

    Raises:
        LabError: no such split of these pictures, all of them were trained on, or a layer lacks.
    """
    names = alexnet.LAYERS[: alexnet.LAYERS.index(RECIPES[settings.layer].last) + 1]
    check(weights.arrays, alexnet.SHAPES, [name for name in names if name in alexnet.SHAPES])
    seen = fingerprints.seen_by(weights, data)
    if seen.any():
        parts = np.flatnonzero(seen), np.flatnonzero(~seen)
        dataset.check_sides(data.labels, *parts, OWN_TRACKS)
        return *parts, OWN_TRACKS
    if settings.split == "track":
        return *dataset.track_split(data), "track"
    return *dataset.random_split(data.labels), "random"


def train(data, weights, settings, parts, tell=None, progress=iter):
    """Computes the features, or takes those kept from before, and trains a head on them.

    Args:
        data: `lab.data.dataset.Dataset`.
        weights: `lab.weights.Weights`.
        settings: `Settings`.
        parts: as `prepare` gives them.
        tell: called with each epoch's record.
        progress: wraps iterables of batches.

    Returns:
        `Outcome`.
    """
    s = settings
    rows, held_out, name = parts
    x, seconds = features_of(data, weights, s, progress)
    learn = functools.partial(fit, x, data, s, progress=progress)
    head, history = learn(rows, judged_on=held_out, tell=tell)
    logits = head.logits(x, held_out)
    temperature, fitted_on = _temperature(learn, x, data, logits, held_out, name)
    kept = _classifier(refitted(head, x, data, s, progress), data, weights, s, temperature)
    some = data.subset(held_out)
    names = some.files or held_out
    judgement = Judgement(kept, some, names, logits, linear.projected(x, held_out))
    measured = {
        "split": name,
        "images_per_second": seconds and len(data) / seconds,
        "feature_seconds": seconds,
        "refitted_on_all_data": True,
        "refit_epochs": None if RECIPES[s.layer].components else min(REFIT, s.epochs),
        "temperature_fitted_on": fitted_on,
    }
    counts = np.bincount(data.labels[rows], minlength=CLASSES)
    return Outcome(judgement, weights, history, counts, measured)


def _classifier(head, data, weights, s, temperature):
    """The head as it is saved and used."""
    return Classifier(
        np.asarray(head.kernel),
        np.asarray(head.bias),
        dataset.class_names(),
        s.layer,
        s.variant,
        weights.sha256,
        temperature=temperature,
        trained_on=np.unique(fingerprints.fingerprints(data)),
    )


def _temperature(learn, x, data, logits, held_out, split):
    """A temperature fitted by track where tracks are known, and what it was fitted on."""
    if split == "random" and data.tracks is not None:
        try:
            rows, others = dataset.track_split(data)
        except LabError:  # a class of few tracks may have none to hold out
            pass
        else:
            found = learn(rows)[0].logits(x, others)
            fitted = metrics.fit_temperature(found, data.labels[others])
            return fitted, "a fifth of the tracks, by a head that had not met them"
    fitted = metrics.fit_temperature(logits, data.labels[held_out])
    return fitted, "the held-out pictures themselves"


def features_of(data, weights, s, progress=iter):
    """The features that settings name, and the seconds they took; see `cache.compute`."""
    recipe = RECIPES[s.layer]
    made_of = cache.key(dataset.sha256(data), weights.sha256, recipe, s.variant, s.precision)
    settings = weights.arrays, recipe, s.variant, s.precision, len(data)
    build = functools.partial(extractor.Extractor, *settings)
    return cache.compute(data.images, build, made_of, progress)


def fit(x, data, s, rows, judged_on=None, tell=None, progress=iter):
    """Trains a head on some rows.

    Args:
        x: the features, as `cache.compute` gives them.
        data: `lab.data.dataset.Dataset`.
        s: `Settings`.
        rows: int64 (m,), the pictures to learn from.
        judged_on: int64 (k,), the pictures to measure on after each epoch, or None.
        tell: called with each epoch's record.
        progress: wraps the iterable of steps.

    Returns:
        The head, which has kernel, bias and logits(x, rows), and a dict for each epoch.
    """
    recipe, history = RECIPES[s.layer], []

    def judge(head, loss, seconds):
        start = time.perf_counter()
        right = head.logits(x, judged_on).argmax(axis=1) == data.labels[judged_on]
        seconds += time.perf_counter() - start
        record = {"epoch": len(history) + 1, "seconds": seconds, "loss": loss}
        history.append(record | {"validation_accuracy": float(np.mean(right))})
        if tell:
            tell(history[-1])

    judge = judge if judged_on is not None else None
    if recipe.components:
        head = logistic_head.Logistic(x, rows, data.labels[rows], CLASSES, recipe, s.seed)
        head.descend(ITERATIONS * s.epochs, ITERATIONS, judge and functools.partial(judge, head))
        head.finish()
    else:
        head = linear_head.Head(x.shape[1], CLASSES, s.seed)
        _by_adam(head, x, data.labels, rows, s, s.epochs, progress, judge)
    return head, history


def refitted(head, x, data, s, progress=iter):
    """The head that is kept: Adam's is `head` itself, which goes on learning; else a new one."""
    everything, recipe = np.arange(len(data)), RECIPES[s.layer]
    if recipe.components:
        return fit(x, data, s, everything, progress=progress)[0]
    _by_adam(head, x, data.labels, everything, s, min(REFIT, s.epochs), progress)
    return head


def _by_adam(head, x, labels, rows, s, epochs, progress, judge=None):
    for _ in range(epochs):
        loss, seconds = head.train_epoch(x, labels, rows, s.batch_size, progress)
        if not math.isfinite(loss):
            raise LabError(
                f"expected a finite loss; received {loss} in epoch {head.epoch}: "
                f"{linear_head.OVERFLOW}"
            )
        if judge:
            judge(head, loss, seconds)

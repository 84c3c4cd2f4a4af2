"""A head on frozen features: the network runs once, then a head is trained on its features.

Three heads are trained. The judged head is trained on a part of the pictures and judged on the
rest: all reported numbers are its. Another one serves to fit the temperature. The saved head is
trained on all pictures.
"""

import functools
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import alexnet
from lab import weights
from lab.classifier import Classifier
from lab.data import CLASSES, Dataset, class_names, dataset, fingerprints, splits
from lab.errors import LabError
from lab.features import Recipe, cache, extractor, linear
from lab.features.cache import Features
from lab.judging import Judgement, metrics
from lab.progress import SILENT, Progress
from lab.training.linear_head import OVERFLOW, LinearHead
from lab.training.logistic_head import LogisticHead
from lab.training.trained import Tell, Trained
from lab.weights import Weights

# The saved head by Adam: the judged one, trained for this many more epochs on all pictures (L-BFGS
# starts anew). At conv4, by
# track, folds 0 to 2: ten epochs of all but the held-out tracks 0.910, 0.930, 0.942; ten of four
# fifths of that and then these 0.913, 0.933, 0.937.
REFIT = 2
ITERATIONS = 10  # of L-BFGS, which count as an epoch

Head = LinearHead | LogisticHead


@dataclass(frozen=True)
class Settings:
    """How a head is trained: recipe, network and schedule; see `lab.classifier.Classifier`."""

    recipe: Recipe
    variant: str = "caffe"
    precision: str = "float32"
    epochs: int = 10
    batch_size: int = 128
    seed: int = 0


def split(data: Dataset, trunk: Weights, settings: Settings, how: str) -> splits.Split:
    """Splits the pictures, and checks that the weights serve the recipe.

    If the network itself was trained on a part of the pictures, the head is judged on the others,
    the network's own test tracks, whatever was asked for.

    Args:
        data: the pictures.
        trunk: the frozen network.
        settings: of the head.
        how: {"random", "track"}.

    Raises:
        LabError: these pictures cannot be split so, the network was trained on all of them, or its
            weights lack a layer.
    """
    names = alexnet.LAYERS[: alexnet.LAYERS.index(settings.recipe.last) + 1]
    weights.check(trunk.arrays, alexnet.SHAPES, [name for name in names if name in alexnet.SHAPES])
    seen = fingerprints.seen_by(trunk, data)
    if seen.any():
        return splits.by_seen(data, seen)
    by_name = splits.by_track if how == "track" else splits.random
    return by_name(data, settings.seed)


def train(
    data: Dataset,
    trunk: Weights,
    settings: Settings,
    split: splits.Split,
    tell: Tell | None = None,
    progress: Progress = SILENT,
) -> Trained:
    """Trains, judges and refits a head.

    Args:
        data: the pictures.
        trunk: the frozen network.
        settings: of the head.
        split: as `split` gives it.
        tell: called with each epoch's record.
        progress: reports the phases.
    """
    x, measured = features_of(data, trunk, settings, progress)
    learn = functools.partial(fit, x, data.labels, settings=settings, progress=progress)

    # The judged head is trained on split.train only: all reported numbers are its.
    with progress.phase("head"):
        judged_head, history = learn(split.train, held_out=split.held_out, tell=tell)
    logits = judged_head.logits(x, split.held_out)
    with progress.phase("temperature"):
        temperature, fitted_on = _temperature(learn, x, data, logits, split, settings.seed)
    judged = _classifier(judged_head, trunk, settings, temperature)
    pictures = data.subset(split.held_out)
    index, sketch = pictures.files or split.held_out, linear.sketch(x, split.held_out)
    judgement = Judgement(judged, pictures, index, logits, sketch, trunk)

    # The saved head is trained on all pictures: none is left to judge it on.
    with progress.phase("refit"):
        saved_head = refitted(judged_head, x, data.labels, settings, progress)
    saved = _classifier(saved_head, trunk, settings, temperature)
    saved.trained_on = np.unique(fingerprints.of(data))
    measured |= {
        "split": split.name,
        "refitted_on_all_data": True,
        "refit_epochs": None if settings.recipe.components else min(REFIT, settings.epochs),
        "temperature_fitted_on": fitted_on,
    }
    counts = np.bincount(data.labels[split.train], minlength=CLASSES)
    return Trained(saved, judgement, trunk, history, counts, measured)


def features_of(
    data: Dataset, trunk: Weights, settings: Settings, progress: Progress = SILENT
) -> tuple[Features, dict[str, Any]]:
    """The features that the settings name, and how long they took; see `cache.compute`."""
    how = settings.recipe, settings.variant, settings.precision
    made_of = cache.key(dataset.sha256(data), trunk.sha256, *how)
    build = functools.partial(extractor.Extractor, trunk.arrays, *how, len(data))
    return cache.compute(data.images, build, made_of, progress)


def fit(
    x: Features,
    labels: np.ndarray,
    rows: np.ndarray,
    settings: Settings,
    held_out: np.ndarray | None = None,
    tell: Tell | None = None,
    progress: Progress = SILENT,
) -> tuple[Head, list[dict[str, Any]]]:
    """Trains a head on these rows.

    Args:
        x: the features, float16 (n, d).
        labels: int64 (n,).
        rows: int64 (m,), the pictures to train on.
        settings: of the head.
        held_out: int64 (k,), the pictures to measure on after each epoch, or None.
        tell: called with each epoch's record.
        progress: reports the phases.

    Returns:
        The head, and a record of each epoch; none without `held_out`.
    """
    recipe, epochs, seed = settings.recipe, settings.epochs, settings.seed
    history: list[dict[str, Any]] = []

    def judge(head: Head, loss: float, seconds: float) -> None:
        if held_out is None:
            return
        start = time.perf_counter()
        right = head.logits(x, held_out).argmax(axis=1) == labels[held_out]
        seconds += time.perf_counter() - start
        record = {"epoch": len(history) + 1, "seconds": seconds, "loss": loss}
        history.append(record | {"validation_accuracy": float(np.mean(right))})
        if tell:
            tell(history[-1])

    if recipe.components:
        logistic = LogisticHead(x, rows, labels[rows], CLASSES, recipe, seed, progress)
        with progress.phase("L-BFGS", ITERATIONS * epochs) as advance:
            tell_epoch = functools.partial(judge, logistic)
            logistic.descend(ITERATIONS * epochs, ITERATIONS, tell_epoch, advance)
        logistic.finish()
        return logistic, history
    head = LinearHead(x.shape[1], CLASSES, seed)
    _by_adam(head, x, labels, rows, settings, epochs, progress, judge)
    return head, history


def refitted(
    head: Head, x: Features, labels: np.ndarray, settings: Settings, progress: Progress = SILENT
) -> Head:
    """A head trained on all pictures: by Adam, this one trained further; by L-BFGS, a new one."""
    everything = np.arange(len(labels))
    if not isinstance(head, LinearHead):
        return fit(x, labels, everything, settings, progress=progress)[0]
    _by_adam(head, x, labels, everything, settings, min(REFIT, settings.epochs), progress)
    return head


def _by_adam(
    head: LinearHead,
    x: Features,
    labels: np.ndarray,
    rows: np.ndarray,
    settings: Settings,
    epochs: int,
    progress: Progress,
    judge: Any = None,
) -> None:
    batch = settings.batch_size
    with progress.phase("Adam", epochs * -(-len(rows) // batch)) as advance:
        for _ in range(epochs):
            loss, seconds = head.train_epoch(x, labels, rows, batch, advance)
            if not math.isfinite(loss):
                raise LabError(
                    f"expected a finite loss; received {loss} in epoch {head.epoch}: {OVERFLOW}"
                )
            if judge:
                judge(head, loss, seconds)


def _temperature(
    learn: Any,
    x: Features,
    data: Dataset,
    logits: np.ndarray,
    split: splits.Split,
    seed: int,
) -> tuple[float, str]:
    """The temperature, fitted by track if tracks are known, and what it was fitted on."""
    if split.name == "random" and data.tracks is not None:
        try:
            by_track = splits.by_track(data, seed)
        except LabError:  # a class of few tracks may have none to hold out
            pass
        else:
            held_out = by_track.held_out
            head, _ = learn(by_track.train)
            fitted = metrics.fit_temperature(head.logits(x, held_out), data.labels[held_out])
            return fitted, "a fifth of the tracks, by a head that has not seen them"
    fitted = metrics.fit_temperature(logits, data.labels[split.held_out])
    return fitted, "the held-out pictures themselves"


def _classifier(head: Head, trunk: Weights, settings: Settings, temperature: float) -> Classifier:
    """A classifier to be judged or saved: with a copy of the head's numbers as they are now."""
    return Classifier(
        np.array(head.kernel),
        np.array(head.bias),
        class_names(),
        settings.recipe,
        settings.variant,
        trunk.sha256,
        settings.precision,
        temperature,
    )

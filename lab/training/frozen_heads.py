"""Features of pictures, and heads that are fitted on some of them: by Adam, or by L-BFGS."""

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.data import Dataset, dataset
from lab.errors import LabError
from lab.features import Recipe, cache, extractor
from lab.features.batches import rows_of
from lab.features.cache import Features, SharedFeatures
from lab.features.devices import OnAllDevices
from lab.progress import SILENT, Progress
from lab.training.components import Components
from lab.training.linear_head import OVERFLOW, LinearHead
from lab.training.logistic_head import LogisticHead
from lab.training.trained import Tell
from lab.weights import Weights
from lab.workers import ALONE, Workers

ITERATIONS = 10  # of L-BFGS, which count as an epoch

Head = LinearHead | LogisticHead
Judge = Callable[[Head, float, float], None]  # is given head, loss and seconds after each epoch


@dataclass(frozen=True)
class Settings:
    """How a head is trained: recipe, network and schedule; see `lab.classifier.Classifier`."""

    recipe: Recipe
    variant: str = "caffe"
    precision: str = "float32"
    epochs: int = 10
    batch_size: int = 128
    seed: int = 0


def features_of(
    data: Dataset,
    trunk: Weights,
    settings: Settings,
    progress: Progress = SILENT,
    workers: Workers = ALONE,
) -> tuple[Features, dict[str, Any]]:
    """The features that the settings name, and how long they took; see `cache.compute`.

    Of several workers, each computes and keeps those of its own share of the pictures.
    """
    how = settings.recipe, settings.variant, settings.precision
    made_of = cache.key(dataset.sha256(data), trunk.sha256, *how)
    side, width = data.images.shape[1], settings.recipe.width
    build = functools.partial(extractor.Extractor, trunk.arrays, *how, len(data), side)
    networks = functools.partial(OnAllDevices, build, workers.devices)
    if workers.count == 1:
        return cache.compute(data.images, networks, made_of, width, progress)
    if len(data) < workers.count:
        raise LabError(f"expected at least {workers.count} pictures, as workers; give more")
    share = workers.share(len(data))
    made_of |= {"pictures": [share.start, share.stop]}
    own, measured = cache.compute(rows_of(data.images, share), networks, made_of, width, progress)
    shared = SharedFeatures(own, share.start, len(data), workers)
    return shared, _slowest(measured, workers)


def _slowest(measured: dict[str, Any], workers: Workers) -> dict[str, Any]:
    """What `cache.compute` measured on each worker, as one: seconds are the slowest worker's."""
    seconds, rate = (measured[name] or 0.0 for name in ("feature_seconds", "images_per_second"))
    table = np.zeros((workers.count, 2), np.float32)
    table[workers.index] = seconds, seconds * rate
    each, images = workers.summed(table).T
    if not images.any():
        return measured
    longest = float(each.max())
    return {"feature_seconds": longest, "images_per_second": float(images.sum()) / longest}


def fit(
    x: Features,
    data: Dataset,
    rows: np.ndarray,
    settings: Settings,
    held_out: np.ndarray | None = None,
    tell: Tell | None = None,
    progress: Progress = SILENT,
    components: Components | None = None,
    workers: Workers = ALONE,
) -> tuple[Head, list[dict[str, Any]]]:
    """Trains a head on these rows.

    Args:
        x: the features, float16 (n, d).
        data: the n pictures that they are of.
        rows: int64 (m,), the pictures to train on.
        settings: of the head.
        held_out: int64 (k,), the pictures to measure on after each epoch, or None.
        tell: called with each epoch's record.
        progress: reports the phases.
        components: of the features, for L-BFGS, where they are known already; see
            `components_of`.
        workers: which train it together; `x` is their `SharedFeatures`.

    Returns:
        The head, and a record of each epoch; none without `held_out`.

    Raises:
        LabError: a loss that is not finite.
    """
    history: list[dict[str, Any]] = []

    def judge(head: Head, loss: float, seconds: float) -> None:
        if not math.isfinite(loss):
            raise LabError(
                f"expected a finite loss; received {loss} in epoch {len(history) + 1}: {OVERFLOW}"
            )
        if held_out is None:
            return
        start = time.perf_counter()
        right = head.logits(x, held_out).argmax(axis=1) == data.labels[held_out]
        seconds += time.perf_counter() - start
        record = {"epoch": len(history) + 1, "seconds": seconds, "loss": loss}
        history.append(record | {"validation_accuracy": float(np.mean(right))})
        if tell:
            tell(history[-1])

    labels, recipe = data.labels[rows], settings.recipe
    if not recipe.components:
        adam = LinearHead(x.shape[1], len(data.names), settings.seed, workers)
        return _by_adam(adam, x, data, rows, settings, judge, progress), history
    components = components or Components(x, rows, recipe.components, settings.seed, progress)
    head = LogisticHead(components, rows, labels, len(data.names), recipe)
    steps = ITERATIONS * settings.epochs
    with progress.phase("L-BFGS", steps) as advance:
        head.descend(steps, ITERATIONS, functools.partial(judge, head), advance)
    head.finish()
    return head, history


def components_of(
    x: Features, rows: np.ndarray, settings: Settings, progress: Progress = SILENT
) -> Components | None:
    """The principal components that several heads share, by these rows; None for Adam's heads."""
    count = settings.recipe.components
    return Components(x, rows, count, settings.seed, progress) if count else None


def _by_adam(
    head: LinearHead,
    x: Features,
    data: Dataset,
    rows: np.ndarray,
    settings: Settings,
    judge: Judge,
    told: Progress,
) -> Head:
    batch = settings.batch_size
    with told.phase("Adam", settings.epochs * -(-len(rows) // batch)) as advance:
        for _ in range(settings.epochs):
            judge(head, *head.train_epoch(x, data.labels, rows, batch, advance))
    return head

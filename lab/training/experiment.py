"""One training from its options to its files: data, split, training, judgement, report."""

import functools
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lab import judging, machine, report, runs
from lab.classifier import default_recipe
from lab.data import Dataset, dataset, fingerprints
from lab.errors import LabError
from lab.features.finite import Overflow
from lab.features.recipes import named
from lab.progress import Progress
from lab.training import plans
from lab.training.frozen_heads import Settings
from lab.training.notices import emulated, judged_on, notices_of
from lab.training.on_features import HeadTraining
from lab.training.trained import Trained
from lab.training.whole_network import NetworkTraining
from lab.weights import Weights
from lab.workers import ALONE, Workers

PHASES = {
    "head": ("features", "head", "temperature", "refit", "report"),
    "all": ("judging", "report"),
    "scratch": ("judging", "report"),
}


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a training reads.

    Attributes:
        data: the pictures.
        test: a second set, judged once, at the end, or None.
        weights: those to start from, or None for random ones.
        since: when the command was given, by `time.perf_counter`.
        workers: which train together.
    """

    data: Dataset
    test: Dataset | None
    weights: Weights | None
    since: float
    workers: Workers = ALONE


def run(
    options: Namespace,
    inputs: Inputs,
    folder: Path,
    facts: dict[str, Any],
    tell: Callable[[str, dict[str, Any]], None],
    progress: Progress,
) -> dict[str, Any]:
    """Runs a training.

    Args:
        options: train, layer, variant, precision, split, epochs, batch_size, seed and resume, as
            parsed.
        inputs: what it reads.
        folder: the run's, made here once all has been checked.
        facts: further entries of the report and of metrics.json: device, command.
        tell: called with what an epoch's accuracy is of, in words, and the epoch's record.
        progress: reports the phases.

    Returns:
        What metrics.json holds; nothing on a worker that is not the chief.

    Raises:
        LabError: options, data and weights do not go together, or a loss is not finite.
    """
    data, test = inputs.data, inputs.test
    # All that can be refused is refused here, before anything is written.
    _check_crop(inputs)
    training = (_head if options.train == "head" else _network)(options, inputs, progress)
    new = None if test is None else _new(test, inputs)
    notices = notices_of(training, data, test, inputs.weights, new)
    if options.precision == "float16" and isinstance(training, HeadTraining):
        notices += emulated(training)
    for notice in notices:
        progress.say(notice)
    _agree(options, inputs)
    words = judged_on(len(training.split.held_out), training.split, data)
    if not inputs.workers.chief:
        with tempfile.TemporaryDirectory() as other:  # nobody reads what this one writes
            training.run(Path(other), functools.partial(tell, words))
        return {}
    runs.begin(folder, options)
    try:
        trained = training.run(folder, functools.partial(tell, words))
    except Overflow:
        runs.withdraw(folder)
        raise
    if options.train == "head" and len(trained.history) < options.epochs:
        progress.say(
            f"after {len(trained.history)} of {options.epochs} epochs the loss fell no more"
        )
    measured = _measured(options, trained, inputs) | facts
    if test is not None and new is not None:
        with progress.phase("--test"):
            judged = judging.judge(trained.saved, trained.trunk, test, new, progress)
        measured |= {
            "test_accuracy": judged.accuracy,
            "test_images": len(new),
            "test_images_left_out": len(test) - len(new),
            "test_sha256": dataset.sha256(test),
        }
    saved, judgement = trained.saved, trained.judgement
    if options.train == "head":  # the whole network's trunk lies beside its classifier
        saved.notes["weights"] = str(trained.trunk.path.resolve())
    measured["judged_on"] = judged_on(len(judgement.data), training.split, data)
    saved.notes |= {"data": data.source_name, "judged_on": measured["judged_on"]}
    saved.notes["accuracy"] = judgement.accuracy
    saved.save(folder / runs.CLASSIFIER, np.float32 if options.train == "head" else np.float16)
    measured["total_seconds"] = time.perf_counter() - inputs.since
    with progress.phase("report"):
        _report(trained, measured, data, folder, notices)
    measured["peak_rss_mib"] = machine.peak_rss_mib()
    measured["total_seconds"] = time.perf_counter() - inputs.since  # now with the report
    runs.finish(folder, measured)
    return measured


def _agree(options: Namespace, inputs: Inputs) -> None:
    """Refuses workers that were started differently."""
    if inputs.workers.count == 1:
        return
    elsewhere = {"output", "resume", "offline", *runs.PATHS}  # their contents are compared
    sets = [found and dataset.sha256(found) for found in (inputs.data, inputs.test)]
    inputs.workers.agree(
        options={name: value for name, value in vars(options).items() if name not in elsewhere},
        data=sets,
        weights=inputs.weights and inputs.weights.sha256,
        versions=machine.versions(),
        devices=len(inputs.workers.devices),
    )


def _check_crop(inputs: Inputs) -> None:
    """Refuses weights trained on photographs of another crop: it hides which of these they saw."""
    crop = ((inputs.weights and inputs.weights.recipe) or {}).get("crop")
    if "sign" not in (crop or "sign", inputs.data.crop) and crop != inputs.data.crop:
        raise LabError(
            f"{inputs.data.source}: expected --crop {crop}, as the photographs that the weights "
            f"were trained on; received {inputs.data.crop}: which of these pictures they have seen "
            f"would not be noticed; give --crop {crop}"
        )


def _head(options: Namespace, inputs: Inputs, progress: Progress) -> HeadTraining:
    if inputs.weights is None:
        raise LabError("expected weights for a head on frozen features; received none")
    crop = inputs.data.crop
    recipe = named(options.layer, crop) if options.layer else default_recipe(inputs.weights, crop)
    settings = Settings(
        recipe, options.variant, options.precision, options.epochs, options.batch_size, options.seed
    )
    given = inputs.data, inputs.weights, progress, inputs.workers
    return HeadTraining(settings, options.split, *given)


def _network(options: Namespace, inputs: Inputs, progress: Progress) -> NetworkTraining:
    plan = plans.of_kind(
        options.train,
        options.epochs,
        options.batch_size,
        options.seed,
        options.precision,
        inputs.weights,
        inputs.data.crop,
        inputs.data.names,
    )
    given = inputs.data, inputs.weights, progress, inputs.workers
    return NetworkTraining(options.train, plan, options.split, *given)


def _new(test: Dataset, inputs: Inputs) -> np.ndarray:
    """int64 (m,): the pictures of the second set that the training does not learn from."""
    return np.flatnonzero(~fingerprints.shared(test, inputs.data, inputs.weights))


def _measured(options: Namespace, trained: Trained, inputs: Inputs) -> dict[str, Any]:
    saved, judgement = trained.saved, trained.judgement
    data, trunk, interval = inputs.data, inputs.weights, judgement.interval
    measured = {
        "validation_accuracy": trained.history[-1]["validation_accuracy"],
        "test_accuracy": None,
        "classes": len(data.names),
        "crop": data.crop,
        "split": options.split,
        "layer": saved.recipe.name,
        "train": options.train,
        "variant": saved.variant,
        "precision": options.precision,
        "seed": options.seed,
        "batch_size": options.batch_size,
        "epochs": trained.history,
        "data": data.source,
        "images": len(data),
        "images_per_second": None,
        "feature_seconds": None,
        "accuracy": judgement.accuracy,
        # A bootstrap without spread, as of nothing but right answers, is no certainty.
        "accuracy_interval": interval if interval and interval[0] < interval[1] else None,
        "temperature": saved.temperature,
        "calibration_error": judgement.calibration_error,
        "weights": trunk and str(trunk.path),
        "weights_sha256": trunk and trunk.sha256,
        "data_sha256": dataset.sha256(data),
        "versions": machine.versions(),
    }
    return measured | trained.measured


def _report(
    trained: Trained, measured: dict[str, Any], data: Dataset, folder: Path, notices: list[str]
) -> None:
    facts = {name: value for name, value in measured.items() if name != "epochs"}
    facts["epochs"] = len(trained.history)
    subject = "Traffic signs" if data.crop == "sign" else data.source_name
    report.write(
        folder,
        trained.judgement,
        title=f"{subject}: {measured['layer']}, {measured['split']} split",
        facts=facts,
        history=trained.history,
        class_counts=trained.counts,
        notices=notices,
    )

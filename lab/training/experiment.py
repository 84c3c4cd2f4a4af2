"""One training from its options to its files: data, split, training, judgement, report."""

import functools
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lab import judging, machine, report, runs
from lab.classifier import default_recipe
from lab.data import Dataset, dataset, fingerprints
from lab.data.splits import Split
from lab.drawn_signs import RENDERED
from lab.errors import LabError
from lab.features import RECIPES
from lab.progress import Progress
from lab.training import on_features, plans, whole_network
from lab.training.trained import Tell, Trained
from lab.weights import Weights

SAME_SIGNS = "(frames of the same signs on both sides; see --split track)"
PHASES = {
    "head": ("features", "head", "temperature", "refit", "report"),
    "all": ("judging", "report"),
    "scratch": ("judging", "report"),
}


def run(
    options: Namespace,
    data: Dataset,
    test: Dataset | None,
    trunk: Weights | None,
    folder: Path,
    facts: dict[str, Any],
    start: float,
    tell: Callable[[str, dict[str, Any]], None],
    progress: Progress,
) -> dict[str, Any]:
    """Runs a training.

    Args:
        options: train, layer, variant, precision, split, epochs, batch_size, seed and resume, as
            parsed.
        data: what is trained and judged on.
        test: a second set, judged once, at the end, or None.
        trunk: the weights to start from, or None for random ones.
        folder: the run's, made here once all has been checked.
        facts: further entries of the report and of metrics.json: device, command.
        start: when the command was given, by `time.perf_counter`.
        tell: called with what an epoch's accuracy is of, in words, and the epoch's record.
        progress: reports the phases.

    Returns:
        What metrics.json holds.

    Raises:
        LabError: options, data and weights do not go together, or a loss is not finite.
    """
    # All that can be refused is refused here, before anything is written.
    learn = _head if options.train == "head" else _network
    split, train = learn(options, data, trunk, progress)
    new = None if test is None else ~fingerprints.shared(test, data, trunk)
    if test is not None and new is not None and not new.all():
        progress.say(
            f"--test: {(~new).sum():,} of its {len(test):,} pictures are in --data or known to "
            f"the weights: the other {new.sum():,} are judged"
        )
    if not options.resume:
        runs.create(folder, options)

    trained = train(folder, functools.partial(tell, judged_on(len(split.held_out), split, data)))
    measured = _measured(options, trained, data, trunk) | facts
    if test is not None and new is not None:
        with progress.phase("--test"):
            rows = np.flatnonzero(new)
            judged = judging.judge(trained.saved, trained.trunk, test, rows, progress)
        measured |= {
            "test_accuracy": judged.accuracy,
            "test_images": len(judged.data),
            "test_images_left_out": len(test) - len(judged.data),
            "test_sha256": dataset.sha256(test),
        }

    saved = trained.saved
    if options.train == "head":  # the whole network's trunk lies beside its classifier
        saved.notes["weights"] = str(trained.trunk.path.resolve())
    measured["judged_on"] = judged_on(len(trained.judgement.data), split, data)
    saved.notes |= {"data": Path(data.source).name, "judged_on": measured["judged_on"]}
    saved.notes["accuracy"] = trained.judgement.accuracy
    saved.save(folder / runs.CLASSIFIER, np.float32 if options.train == "head" else np.float16)
    measured["total_seconds"] = time.perf_counter() - start
    with progress.phase("report"):
        _report(trained, measured, data, folder)
    measured["peak_rss_mib"] = machine.peak_rss_mib()
    measured["total_seconds"] = time.perf_counter() - start  # now with the report
    runs.finish(folder, measured)
    return measured


def judged_on(count: int, split: Split, data: Dataset) -> str:
    """What an accuracy is of, in words."""
    if data.source == RENDERED:
        return f"{count:,} rendered signs it has not seen"
    if split.name == "track":
        return f"{count:,} pictures of signs it has not seen"
    return f"{count:,} pictures {SAME_SIGNS}"


def _head(
    options: Namespace, data: Dataset, trunk: Weights | None, progress: Progress
) -> tuple[Split, Callable[[Path, Tell], Trained]]:
    if trunk is None:
        raise LabError("expected weights for a head on frozen features; received none")
    recipe = RECIPES[options.layer] if options.layer else default_recipe(trunk)
    settings = on_features.Settings(
        recipe, options.variant, options.precision, options.epochs, options.batch_size, options.seed
    )
    split = on_features.split(data, trunk, settings, options.split)
    if len(trunk.trained_on) and fingerprints.seen_by(trunk, data).any():
        progress.say(
            f"{trunk.path} was trained on {len(split.train):,} of these pictures: the head learns "
            f"from those and is judged on the other {len(split.held_out):,}, its test tracks, alone"
        )
    return split, lambda _, tell: on_features.train(data, trunk, settings, split, tell, progress)


def _network(
    options: Namespace, data: Dataset, start: Weights | None, progress: Progress
) -> tuple[Split, Callable[[Path, Tell], Trained]]:
    settings = plans.of_kind(
        options.train, options.epochs, options.batch_size, options.seed, options.precision, start
    )
    whole_network.start_arrays(start, options.seed)
    split = whole_network.split(data, options.split, options.seed)
    if start is not None:
        whole_network.check_unseen(start, data, np.concatenate([split.held_out, split.test]))
    notes = {"train": options.train, "split": split.name, "data": Path(data.source).name}
    notes["weights_sha256"] = start and start.sha256
    return split, lambda folder, tell: whole_network.train(
        data, start, settings, split, notes, folder, tell, progress
    )


def _measured(
    options: Namespace, trained: Trained, data: Dataset, trunk: Weights | None
) -> dict[str, Any]:
    saved, judgement = trained.saved, trained.judgement
    measured = {
        "validation_accuracy": trained.history[-1]["validation_accuracy"],
        "test_accuracy": None,
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
        "accuracy_interval": judgement.interval,
        "temperature": saved.temperature,
        "calibration_error": judgement.calibration_error,
        "weights": trunk and str(trunk.path),
        "weights_sha256": trunk and trunk.sha256,
        "data_sha256": dataset.sha256(data),
        "versions": machine.versions(),
    }
    return measured | trained.measured


def _report(trained: Trained, measured: dict[str, Any], data: Dataset, folder: Path) -> None:
    facts = {name: value for name, value in measured.items() if name != "epochs"}
    facts["epochs"] = len(trained.history)
    report.write(
        folder,
        trained.judgement,
        title=f"Traffic signs: {measured['layer']}, {measured['split']} split",
        facts=facts,
        history=trained.history,
        class_counts=trained.counts,
    )

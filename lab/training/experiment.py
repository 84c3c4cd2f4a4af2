"""From a training's options to its files: which experiment, its test set, metrics, report."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lab import classifier, machine, runs
from lab.data import dataset, fingerprints
from lab.drawn_signs import photographs
from lab.errors import LabError
from lab.judging import judgement
from lab.report import report
from lab.training import on_features, whole_network


@dataclass
class Experiment:
    """A training that has been checked against its data and weights.

    Attributes:
        run: function (folder, tell, progress) that gives the `lab.outcome.Outcome`: the run's
            folder; what is called with each epoch's record; what wraps iterables of batches.
        split: the name of its split.
        notices: lines that have to be said.
    """

    run: Callable
    split: str
    notices: list[str] = field(default_factory=list)

    def __call__(self, folder, tell, progress):
        return self.run(folder, tell, progress)


def prepare(options, data, test, weights):
    """Checks all that the options name against data and weights, before anything is written.

    Args:
        options: train, layer, variant, precision, split, epochs, batch_size, seed, as parsed.
        data: `lab.data.dataset.Dataset`.
        test: a second `lab.data.dataset.Dataset`, or None.
        weights: `lab.weights.Weights`, or None for random ones.

    Returns:
        `Experiment`.
    """
    result = (_head if options.train == "head" else _network)(options, data, weights)
    if test is not None:
        if weights is not None:
            fingerprints.seen_by(weights, test)
        shared = signs_shared(data, test)
        if shared:
            result.notices.append(f"{shared:,} of the {len(test):,} --test pictures are in --data")
        if shared == len(test):
            raise LabError(
                f"{test.source}: expected other pictures for --test; all {len(test):,} are in "
                "--data: take another set"
            )
    return result


def signs_shared(data, test):
    """How many of a second set's pictures are in the first, by hash."""
    return int(
        np.isin(dataset.picture_hashes(test.images), dataset.picture_hashes(data.images)).sum()
    )


def _head(o, data, weights):
    layer = o.layer or classifier.default_layer(weights.arrays)
    settings = on_features.Settings(
        layer, o.variant, o.precision, o.split, o.epochs, o.batch_size, o.seed
    )
    parts = on_features.prepare(data, weights, settings)

    def run(_, tell, progress):
        return on_features.train(data, weights, settings, parts, tell, progress)

    result = Experiment(run, parts[2])
    if len(weights.trained_on) and fingerprints.seen_by(weights, data).any():
        result.notices.append(
            f"{weights.path} was trained on {len(parts[0]):,} of these pictures: the head learns "
            f"from those and is judged on the other {len(parts[1]):,}, its test tracks, alone"
        )
    return result


def _network(o, data, weights):
    if o.variant != "caffe":
        raise LabError(
            f"expected --variant caffe to train the whole network; received {o.variant}: the old "
            "lab trained none"
        )
    plan = whole_network.plan(o.train, o.epochs, o.batch_size, o.seed, o.precision, weights)
    whole_network.start_arrays(weights, o.seed)
    parts = whole_network.split(data, o.split)
    if weights is not None:
        whole_network.check_unseen(weights, data, np.concatenate(parts[1:]))
    notes = {"train": o.train, "split": o.split, "data": Path(data.source).name}
    notes["weights_sha256"] = weights and weights.sha256
    return Experiment(
        functools.partial(whole_network.train, data, weights, plan, parts, notes), o.split
    )


def conclude(options, outcome, data, test, weights, folder):
    """Writes classifier and report, and judges on the second set.

    Args:
        options, data, test, weights: as in `prepare`.
        outcome: `lab.outcome.Outcome`.
        folder: the run's.

    Returns:
        dict: what metrics.json holds, but for device and total time.
    """
    o, shown = options, outcome.judgement
    kept = shown.classifier
    measured = _measured(o, outcome, data, weights)
    if o.train == "head":  # the whole network's trunk lies beside its classifier
        kept.notes["weights"] = str(weights.path.resolve())
    kept.notes["accuracy"] = f"accuracy {shown.accuracy:.4f}, {measured['split']} split"
    kept.save(folder / runs.CLASSIFIER, np.float32 if o.train == "head" else np.float16)
    if test is not None:
        judged = judgement.judge(kept, outcome.trunk, test)
        measured["test_accuracy"] = judged.accuracy
        measured["test_images"] = len(judged.data)
        measured["test_images_left_out"] = len(test) - len(judged.data)
        measured["test_images_shared_with_data"] = signs_shared(data, test)
        measured["test_sha256"] = dataset.sha256(test)
    recipe = {name: value for name, value in measured.items() if name != "epochs"}
    if measured["split"] == "random" and data.source == photographs.SOURCE:
        recipe["split"] = "A random split of rendered signs: no two pictures are of one sign."
    evaluation = shown.evaluation(
        history=outcome.history,
        recipe=recipe,
        class_counts=outcome.counts,
        title=f"Traffic signs: {kept.layer}, {measured['split']} split",
    )
    report.write(folder, evaluation)
    return measured | {"peak_rss_mib": machine.peak_rss_mib()}


def _measured(o, outcome, data, weights):
    kept, shown = outcome.judgement.classifier, outcome.judgement
    measured = {
        "validation_accuracy": outcome.history[-1]["validation_accuracy"],
        "test_accuracy": None,
        "split": o.split,
        "layer": kept.layer,
        "train": o.train,
        "variant": kept.variant,
        "precision": o.precision,
        "seed": o.seed,
        "epochs": outcome.history,
        "images": len(data),
        "images_per_second": None,
        "feature_seconds": None,
        "accuracy_interval": shown.interval,
        "temperature": kept.temperature,
        "calibration_error": shown.calibration_error,
        "weights_sha256": weights and weights.sha256,
        "data_sha256": dataset.sha256(data),
        "versions": machine.versions(),
    }
    return measured | outcome.measured

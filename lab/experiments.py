"""From a training's options to its files: which experiment, its test set, metrics, report."""

import functools
from pathlib import Path

import numpy as np

from lab import classifier, extraction, finetuning, judging, machine, rendered, report, runs, signs
from lab.storage import LabError


def prepare(options, data, weights):
    """Checks all that the options name against data and weights, before anything is written.

    Args:
        options: train, layer, variant, precision, split, epochs, batch_size, seed, as parsed.
        data: `lab.signs.Signs`.
        weights: `lab.weights.Weights`, or None for random ones.

    Returns:
        A function (folder, tell, progress) that runs the experiment and gives its
        `lab.outcome.Outcome`: the run's folder; what is called with each epoch's record; what
        wraps iterables of batches.
    """
    o = options
    if o.train == "head":
        layer = o.layer or classifier.default_layer(weights.arrays)
        settings = extraction.Settings(
            layer, o.variant, o.precision, o.split, o.epochs, o.batch_size, o.seed
        )
        parts = extraction.prepare(data, weights, settings)
        return lambda _, tell, progress: extraction.train(
            data, weights, settings, parts, tell, progress
        )
    if o.variant != "caffe":
        raise LabError(
            f"expected --variant caffe to train the whole network; received {o.variant}: the old "
            "lab trained none"
        )
    plan = finetuning.plan(o.train, o.epochs, o.batch_size, o.seed, o.precision)
    arrays = finetuning.start_weights(o.train, weights and weights.arrays, o.seed)
    parts = finetuning.split(data, o.split)
    notes = {"train": o.train, "split": o.split, "data": Path(data.source).name}
    notes["weights_sha256"] = weights and weights.sha256
    return functools.partial(finetuning.train, data, arrays, plan, parts, notes)


def conclude(options, outcome, data, test, weights, folder):
    """Writes classifier and report, and judges on the second set.

    Args:
        options, data, weights, folder: as in `prepare`.
        outcome: `lab.outcome.Outcome`.
        test: a second `lab.signs.Signs`, or None.

    Returns:
        dict: what metrics.json holds, but for device and total time.
    """
    o, kept = options, outcome.judgement.classifier
    if o.train == "head":  # the whole network's trunk lies beside its classifier
        kept.notes["weights"] = str(weights.path.resolve())
    kept.notes["accuracy"] = f"accuracy {outcome.judgement.accuracy:.4f}, {o.split} split"
    kept.save(folder / runs.CLASSIFIER, np.float32 if o.train == "head" else np.float16)
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
        "accuracy_interval": outcome.judgement.interval,
        "temperature": kept.temperature,
        "calibration_error": outcome.judgement.calibration_error,
        "weights_sha256": weights and weights.sha256,
        "data_sha256": signs.sha256(data),
        "versions": machine.versions(),
    }
    measured |= outcome.measured
    if test is not None:
        measured |= _test(outcome, data, test)
    recipe = {name: value for name, value in measured.items() if name != "epochs"}
    if o.split == "random" and data.source == rendered.SOURCE:
        recipe["split"] = "A random split of rendered signs: no two pictures are of one sign."
    shown = outcome.judgement.evaluation(
        history=outcome.history,
        recipe=recipe,
        class_counts=outcome.counts,
        title=f"Traffic signs: {recipe['layer']}, {recipe['split']} split",
    )
    report.write(folder, shown)
    return measured | {"peak_rss_mib": machine.peak_rss_mib()}


def _test(outcome, data, test):
    """Accuracy on a second set, without what the network was trained on, and what both share."""
    judgement = judging.judge(outcome.judgement.classifier, outcome.trunk, test)
    some = judgement.data
    shared = np.isin(signs.picture_hashes(some.images), signs.picture_hashes(data.images))
    return {
        "test_accuracy": judgement.accuracy,
        "test_images": len(some),
        "test_images_shared_with_data": int(shared.sum()),
        "test_sha256": signs.sha256(test),
    }

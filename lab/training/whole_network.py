"""The training of the whole network: what it is trained on, how it is judged, what is saved.

In a split by track, a fifth of each class's tracks are test tracks, judged once, at the end; a
tenth of the others are held out for each epoch's accuracy and for the temperature. What is judged
is what is saved: weights rounded to float16, and run as every later user runs them.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import alexnet
from lab import judging, runs, weights
from lab.classifier import Classifier
from lab.data import CLASSES, Dataset, class_names, dataset, fingerprints, splits
from lab.errors import LabError
from lab.judging import metrics
from lab.progress import SILENT, Progress
from lab.training.learner import Learner
from lab.training.plans import Plan
from lab.training.trained import Tell, Trained
from lab.weights import Arrays, Weights


def split(data: Dataset, how: str, seed: int) -> splits.Split:
    """The training, held-out and test pictures; the random split has no test part."""
    return splits.three_way(data, seed) if how == "track" else splits.random(data, seed)


def check_unseen(start: Weights, data: Dataset, rows: np.ndarray) -> None:
    """Refuses to judge a network on pictures that the weights it starts from were trained on."""
    seen = fingerprints.seen_by(start, data)[rows].sum()
    if seen:
        raise LabError(
            f"{data.source}: expected held-out pictures that {start.path} was not trained on; it "
            f"was, on {seen:,} of {len(rows):,}: an accuracy on those would say nothing about new "
            "pictures; take other data"
        )


def train(
    data: Dataset,
    start: Weights | None,
    plan: Plan,
    split: splits.Split,
    notes: dict[str, Any],
    folder: Path,
    tell: Tell | None = None,
    progress: Progress = SILENT,
) -> Trained:
    """Trains the network, or resumes from the folder's checkpoint, and judges it.

    Args:
        data: the pictures.
        start: the weights to start from, or None for random ones.
        plan: how it is trained.
        split: as `split` gives it.
        notes: further entries of the trunk's recipe, beside the plan.
        folder: where trunk, classifier and, until they are there, the checkpoint go.
        tell: called with each epoch's record.
        progress: reports the phases.

    Returns:
        The result, judged on the test tracks, or on what the random split holds out.

    Raises:
        LabError: a loss that is not finite.
    """
    notes = notes | {"data_sha256": dataset.sha256(data)}
    pictures = data.subset(split.train)
    arrays = start_arrays(start, plan.seed)
    network = Learner(arrays, pictures.images, pictures.labels, plan, CLASSES, notes)
    _learn(network, data, split.held_out, folder / runs.CHECKPOINT, tell, progress)

    trunk = _write_trunk(network, data, split, start, notes, folder / runs.TRUNK)
    kernel, bias = (part.astype(np.float16).astype(np.float32) for part in network.head())
    classifier = Classifier(kernel, bias, class_names(), plan.recipe, "caffe", trunk.sha256)
    chosen = judging.judge(classifier, trunk, data, split.held_out, progress)
    classifier.temperature = metrics.fit_temperature(chosen.logits, chosen.labels)
    tested = None
    if len(split.test):
        tested = judging.judge(classifier, trunk, data, split.test, progress)
    measured = {
        "validation_accuracy": chosen.accuracy,
        "test_tracks_accuracy": tested and tested.accuracy,
        "temperature_fitted_on": "the validation pictures",
    }
    counts = np.bincount(pictures.labels, minlength=CLASSES)
    return Trained(classifier, tested or chosen, trunk, network.history, counts, measured)


def _learn(
    network: Learner,
    data: Dataset,
    held_out: np.ndarray,
    checkpoint: Path,
    tell: Tell | None,
    progress: Progress,
) -> None:
    """Trains for the remaining epochs, with a measurement and a checkpoint after each."""
    epochs = network.plan.epochs
    if checkpoint.exists():
        network.restore(checkpoint)
        at = f"epoch {network.epoch + 1} of {epochs}, step {network.step + 1} of {network.steps}"
        at = at if network.epoch < epochs else "all epochs are done, only judging is left"
        progress.say(f"going on from {checkpoint}: {at}")
    while network.epoch < epochs:
        size = network.plan.size(network.epoch)
        name = f"epoch {network.epoch + 1} of {epochs}"
        with progress.phase(name, network.steps - network.step) as advance:
            network.train_epoch(checkpoint, advance)
        with progress.phase("validation"):
            predicted = network.predict(data.images[held_out], size).argmax(axis=1)
        accuracy = float(np.mean(predicted == data.labels[held_out]))
        network.end_epoch(validation_accuracy=accuracy, size=size)
        network.save(checkpoint)
        if tell:
            tell(network.history[-1])


def _write_trunk(
    network: Learner,
    data: Dataset,
    split: splits.Split,
    start: Weights | None,
    notes: dict[str, Any],
    path: Path,
) -> Weights:
    """Writes the network as it is judged and shipped, and reads it back."""
    prints = fingerprints.of(data)
    seen = [prints[np.concatenate([split.train, split.held_out])]]
    seen += [start.trained_on] if start else []  # and what it was trained on before
    weights.save(
        path,
        network.arrays(),
        np.float16,
        recipe=notes | {"plan": asdict(network.plan)},
        trained_on=fingerprints.joined(*seen),
        held_out=np.unique(prints[split.test, 0]),
    )
    return weights.read(path)


def start_arrays(start: Weights | None, seed: int) -> Arrays:
    """What the training starts from: the given weights of conv1 to conv5, or random ones."""
    if start is None:
        return random_arrays(seed, "conv5")
    names = [row.name for row in alexnet.CONVOLUTIONS]
    weights.check(start.arrays, alexnet.SHAPES, names)
    return {name: start.arrays[name] for name in names}


def random_arrays(seed: int = 0, until: str = "pool5") -> Arrays:
    """Random weights (He et al., 2015): zero biases, kernels of variance 2 / fan-in.

    conv1's are smaller by `alexnet.PICTURE_SCALE`: every layer's output has about unit variance.

    Returns:
        dict, layer name -> (kernel, bias) float32, for every layer up to `until`.
    """
    generator = np.random.default_rng(seed)
    names = alexnet.LAYERS[: alexnet.LAYERS.index(until) + 1]
    arrays: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, shape in alexnet.SHAPES.items():
        if name in names:
            deviation = (2 / np.prod(shape[:-1])) ** 0.5
            deviation *= alexnet.PICTURE_SCALE if name == "conv1" else 1.0
            kernel = generator.normal(0, deviation, shape).astype(np.float32)
            arrays[name] = (kernel, np.zeros(shape[-1], np.float32))
    return arrays

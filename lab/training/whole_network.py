"""The whole network's training as an experiment: who learns, who judges, what is kept.

With a split by track a fifth of the tracks of each class are test tracks, looked at once, at the
end; a tenth of the others choose: they give each epoch's accuracy and the temperature. What is
judged is what is kept: weights rounded to float16, and run as every later user runs them.
"""

from dataclasses import asdict

import numpy as np

import alexnet
from lab import runs, weights
from lab.classifier import Classifier
from lab.data import dataset, fingerprints
from lab.errors import LabError
from lab.features.recipes import NETWORK
from lab.judging import judgement, metrics
from lab.training import learner
from lab.training.outcome import Outcome


def split(data, how):
    """Indices of training, validation and test pictures; the random split has none for testing."""
    if how == "track":
        parts = dataset.three_way_split(data)
        if not len(parts[1]):
            raise LabError(
                f"{data.source}: expected enough signs to choose by; a tenth of the tracks of each "
                "class makes none: give about ten tracks a class, or take --split random"
            )
        return parts
    train, validation = dataset.random_split(data.labels)
    return train, validation, np.zeros(0, np.int64)


def plan(kind, epochs, batch_size, seed, precision, weights=None):
    """The plan of a kind of training.

    Args:
        kind: {"all", "scratch"}.
        epochs, batch_size, seed, precision: as in `learner.Plan`.
        weights: `lab.weights.Weights` to start from. Where its recipe tells by what its own
            training scaled the input, that is kept: Adam's steps are as long for weights of any
            size, and would undo small ones.

    Raises:
        LabError: the whole network is not trained in this precision.
    """
    if precision not in learner.PRECISIONS:
        raise LabError(
            f"expected --precision {' or '.join(learner.PRECISIONS)} to train the whole network; "
            f"received {precision}: its gradients leave float16's range"
        )
    options = dict(learner.KINDS[kind])
    if weights is not None and weights.recipe:
        options["scale"] = weights.recipe["plan"]["scale"]
    return learner.Plan(epochs, batch_size, seed, precision, **options)


def check_unseen(weights, data, rows):
    """Refuses to judge a network on pictures that the weights it starts from were trained on."""
    seen = fingerprints.seen_by(weights, data)[rows].sum()
    if seen:
        raise LabError(
            f"{data.source}: expected held-out pictures that {weights.path} was not trained on; it "
            f"was, on {seen:,} of {len(rows):,}, and no figure may be had on those: take other data"
        )


def train(data, start, its_plan, parts, notes, folder, tell=None, progress=iter):
    """Trains the network, or goes on where a checkpoint in the folder stopped, and judges it.

    Args:
        data: `lab.data.dataset.Dataset`.
        start: `lab.weights.Weights` to start from, or None for random ones.
        its_plan: `learner.Plan`.
        parts: training, validation and test indices, as `split` gives them.
        notes: what the trunk's recipe says besides the plan.
        folder: where trunk, classifier and, until they are there, the checkpoint go.
        tell: called with each epoch's record.
        progress: wraps the iterable of steps.

    Returns:
        `lab.outcome.Outcome`, judged on the test tracks, or on the random split's validation part.

    Raises:
        LabError: a loss that is not finite.
    """
    rows, validation, test = parts
    names, origin = dataset.class_names(), notes | {"data_sha256": dataset.sha256(data)}
    arrays, some = start_arrays(start, its_plan.seed), data.subset(rows)
    run = learner.Run(arrays, some.images, some.labels, its_plan, len(names), origin)
    _learn(run, data, validation, folder / runs.CHECKPOINT, tell, progress)
    trunk = _write_trunk(run, data, np.concatenate([rows, validation]), test, folder, start, notes)
    kernel, bias = (part.astype(np.float16).astype(np.float32) for part in run.head())
    kept = Classifier(kernel, bias, names, NETWORK, "caffe", trunk.sha256)
    chosen = judgement.judge(kept, trunk, data, validation)
    kept.temperature = metrics.fit_temperature(chosen.logits, chosen.data.labels)
    judged = judgement.judge(kept, trunk, data, test) if len(test) else chosen
    measured = {
        "validation_accuracy": chosen.accuracy,
        "test_tracks_accuracy": judged.accuracy if len(test) else None,
        "temperature_fitted_on": "the validation pictures",
    }
    counts = np.bincount(data.labels[rows], minlength=len(names))
    return Outcome(judged, trunk, run.history, counts, measured)


def _learn(run, data, validation, checkpoint, tell, progress):
    """Goes through the epochs that are left, with a checkpoint and a measurement after each."""
    if checkpoint.exists():
        run.restore(checkpoint)
    while run.epoch < run.plan.epochs:
        size = run.plan.size(run.epoch)
        run.train_epoch(checkpoint, progress)
        predicted = run.predict(data.images[validation], size).argmax(axis=1)
        accuracy = float(np.mean(predicted == data.labels[validation]))
        run.end_epoch(validation_accuracy=accuracy, size=size)
        run.save(checkpoint)
        if tell:
            tell(run.history[-1])


def _write_trunk(run, data, used, test, folder, start, notes):
    """Writes the network as it is judged and shipped, and reads it back."""
    prints = fingerprints.fingerprints(data)
    before = start.trained_on if start else weights.NONE  # what it has seen, it has seen
    weights.save(
        folder / runs.TRUNK,
        run.arrays(),
        np.float16,
        recipe=notes | {"plan": asdict(run.plan), "data_sha256": dataset.sha256(data)},
        trained_on=fingerprints.joined(prints[used], before),
        held_out=np.unique(prints[test, 0]),
    )
    return weights.read(folder / runs.TRUNK)


def start_arrays(start, seed):
    """What the training starts from: the given weights of conv1 to conv5, or random ones."""
    if start is None:
        return alexnet.random_arrays(seed, "conv5")
    names = [row.name for row in alexnet.CONVOLUTIONS]
    weights.check(start.arrays, alexnet.SHAPES, names)
    return {name: start.arrays[name] for name in names}

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
from lab import judging, novelty, runs, weights
from lab.classifier import Classifier
from lab.data import Dataset, dataset, fingerprints, splits
from lab.errors import LabError
from lab.judging import metrics
from lab.novelty import Novelty
from lab.progress import SILENT, Progress
from lab.training.learner import Learner
from lab.training.plans import Plan
from lab.training.trained import Tell, Trained
from lab.weights import Arrays, Weights
from lab.workers import ALONE, Workers

# Random copies of each validation picture that the temperature is fitted on, too: where light and
# grounds are other ones, a network is too sure of itself. One copy left it to a few wrong answers.
COPIES = 4


class NetworkTraining:
    """A training of the whole network, checked and split before anything is computed.

    Args:
        kind: {"all", "scratch"}.
        plan: how it is trained.
        how: {"random", "track", None}: how the pictures are split.
        data: the pictures.
        start: the weights to start from, or None for random ones.
        progress: reports the phases.
        workers: which train it together.

    Raises:
        LabError: these pictures cannot be split so, or the weights were trained on what would be
            judged: an accuracy on those would say nothing about new pictures.

    Attributes:
        known: how many of the validation pictures the training of the weights knew; where it was
            split alike, it did not learn from them.
        split: training, held-out and test pictures; the lab's random split has no test part.
    """

    def __init__(
        self,
        kind: str,
        plan: Plan,
        how: str | None,
        data: Dataset,
        start: Weights | None,
        progress: Progress = SILENT,
        workers: Workers = ALONE,
    ):
        self.workers = workers
        self.plan, self.data, self.start, self.progress = plan, data, start, progress
        start_arrays(start, plan.seed)
        self.split = splits.for_network(data, how, plan.seed)
        seen = fingerprints.seen_by(start, data) if start else np.zeros(len(data), bool)
        judged = self.split.test if len(self.split.test) else self.split.held_out
        if start and seen[judged].any():
            raise LabError(
                f"{data.source}: expected held-out pictures that {start.path} was not trained on; "
                f"it was, on {seen[judged].sum():,} of {len(judged):,}: an accuracy on those would "
                "say nothing about new pictures; take other data, or of its own data the same "
                "--split track and --seed"
            )
        self.known = int(seen[self.split.held_out].sum())
        self.notes = {
            "train": kind,
            "split": self.split.name,
            "data": data.source_name,
            "weights_sha256": start and start.sha256,
            "data_sha256": dataset.sha256(data),
        }

    def run(self, folder: Path, tell: Tell | None = None) -> Trained:
        """Trains, or resumes from the folder's checkpoint, and judges.

        Args:
            folder: where trunk, classifier and, until they are there, the checkpoint go.
            tell: called with each epoch's record.

        Returns:
            The result, judged on the test pictures, or on what the random split holds out.

        Raises:
            LabError: a loss that is not finite.
        """
        data, split = self.data, self.split
        pictures = data.subset(split.train)
        arrays, names = start_arrays(self.start, self.plan.seed), list(data.names)
        # Not its name: a resumed run reads a link, or ".", by its whole path.
        origin = {name: value for name, value in self.notes.items() if name != "data"}
        of = pictures.images, pictures.labels, self.plan, len(names), origin, self.workers
        network = Learner(arrays, *of)
        held_out = data.subset(split.held_out)
        _learn(network, held_out, folder / runs.CHECKPOINT, tell, self.progress)

        trunk = _write_trunk(network, data, split, self.start, self.notes, folder / runs.TRUNK)
        kernel, bias = (part.astype(np.float16).astype(np.float32) for part in network.head())
        classifier = Classifier(
            kernel, bias, names, self.plan.recipe, "caffe", trunk.sha256, data.crop
        )
        classifier.novelty = measure(classifier, trunk, pictures)
        chosen = judging.judge(classifier, trunk, data, split.held_out, self.progress)
        if chosen.distances is not None:
            classifier.novelty = classifier.novelty.calibrated(chosen.distances)
        with self.progress.phase("temperature"):
            copies = [network.predict_copies(held_out.images, seed) for seed in range(COPIES)]
            logits = np.concatenate([chosen.logits, *copies])
            labels = np.tile(chosen.labels, 1 + COPIES)
            classifier.temperature = metrics.fit_temperature(logits, labels)
        tested = None
        if len(split.test):
            tested = judging.judge(classifier, trunk, data, split.test, self.progress)
        measured = {
            "split": split.name,
            "validation_accuracy": chosen.accuracy,
            "test_tracks_accuracy": tested and tested.accuracy,
            "temperature_fitted_on": "the validation pictures and random copies of them",
            "fitted_on_judged": tested is None,
        }
        counts = np.bincount(pictures.labels, minlength=len(names))
        return Trained(classifier, tested or chosen, trunk, network.history, counts, measured)


def measure(classifier: Classifier, trunk: Weights, pictures: Dataset) -> Novelty:
    """The measure of novelty of a network, by a sample of its training pictures."""
    sample = pictures.subset(novelty.sample(pictures.labels))
    x = np.concatenate(list(classifier.features(sample.images, trunk)))
    rows, head = np.arange(len(sample)), (classifier.kernel, classifier.bias)
    return novelty.fit(x, rows, sample.labels, *head, classifier.recipe)


def _learn(
    network: Learner,
    held_out: Dataset,
    checkpoint: Path,
    tell: Tell | None,
    progress: Progress,
) -> None:
    """Trains for the remaining epochs, with a measurement and a checkpoint after each."""
    epochs, chief = network.plan.epochs, network.workers.chief
    if network.workers.from_chief(np.array(checkpoint.exists(), np.int32)):
        network.restore(checkpoint)
        at = f"epoch {network.epoch + 1} of {epochs}, step {network.step + 1} of {network.steps}"
        at = at if network.epoch < epochs else "all epochs are done, only judging is left"
        progress.say(f"going on from {checkpoint}: {at}")
    while network.epoch < epochs:
        size = network.plan.size(network.epoch)
        name = f"epoch {network.epoch + 1} of {epochs}"
        with progress.phase(name, network.steps - network.step) as advance:
            network.train_epoch(checkpoint if chief else None, advance)
        with progress.phase("validation"):
            predicted = network.predict(held_out.images, size).argmax(axis=1)
        accuracy = float(np.mean(predicted == held_out.labels))
        network.end_epoch(validation_accuracy=accuracy, size=size)
        if chief:
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
        recipe=notes | {"plan": asdict(network.plan), "crop": data.crop},
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

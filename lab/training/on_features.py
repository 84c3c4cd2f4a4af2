"""A head on frozen features: the network runs once, then heads are fitted on its features.

The judged head is fitted on a part of the pictures and judged on the rest: all reported numbers are
its. Where pictures are few, five judged heads, each on four fifths, judge all of them in turn. The
temperature is fitted on answers about pictures whose tracks the head has not seen, which may take
one more head. The saved head is fitted on all pictures, as the judged one was on its part: ten
epochs on everything are better than two more of the judged head (conv4, by track: 0.942 and 0.933).
"""

import tempfile
from pathlib import Path

import numpy as np

import alexnet
from lab import files, novelty, weights
from lab.classifier import Classifier
from lab.data import Dataset, fingerprints, splits
from lab.errors import LabError
from lab.features import linear
from lab.features.cache import Features
from lab.judging import Judgement
from lab.novelty import Novelty
from lab.progress import SILENT, Progress
from lab.training import frozen_heads
from lab.training.answers import Answers, fitted_temperature
from lab.training.components import Components
from lab.training.frozen_heads import Head, Settings
from lab.training.trained import History, Tell, Trained
from lab.weights import Weights
from lab.workers import ALONE, Workers

COPIED = "and random copies of them"


class HeadTraining:
    """A training of a head, checked and split before anything is computed.

    Args:
        settings: of the head.
        how: {"random", "track", "folds", None}, as in `lab.data.splits.by_name`.
        data: the pictures.
        trunk: the frozen network. If it was trained on a part of the pictures, the head is judged
            on the others, whatever was asked for.
        progress: reports the phases.
        workers: which train it together.

    Raises:
        LabError: these pictures cannot be split so, the network was trained on all of them, or its
            weights lack a layer.

    Attributes:
        split: which pictures are trained on, and which are held out.
        seen: how many of the pictures the network was trained on.
    """

    def __init__(
        self,
        settings: Settings,
        how: str | None,
        data: Dataset,
        trunk: Weights,
        progress: Progress = SILENT,
        workers: Workers = ALONE,
    ):
        self.workers = workers
        self.settings, self.data, self.trunk, self.progress = settings, data, trunk, progress
        layers = alexnet.LAYERS[: alexnet.LAYERS.index(settings.recipe.last) + 1]
        weights.check(trunk.arrays, alexnet.SHAPES, [x for x in layers if x in alexnet.SHAPES])
        seen = fingerprints.seen_by(trunk, data)
        self.seen = int(seen.sum())
        self._components: Components | None = None
        if self.seen:
            self.split = splits.by_seen(data, seen)
        else:
            self.split = splits.by_name(data, how, settings.seed)

    def run(self, folder: Path, tell: Tell | None = None) -> Trained:
        """Trains and judges.

        Args:
            folder: where the heads of a cross-validation are kept until its mistakes are explained:
                in files without a name, which end with the process.
            tell: called with each epoch's record.
        """
        of = self.data, self.trunk, self.settings
        x, measured = frozen_heads.features_of(*of, self.progress, self.workers)
        with self.progress.phase("head"):
            if self.split.name == "folds":
                answers, history = self._cross_validated(x, folder, tell)
            else:
                answers, history = self._held_out(x, tell)
        with self.progress.phase("temperature"):
            unseen, fitted_on = self._of_unseen_tracks(x, answers)
            temperature = fitted_temperature(unseen, self.data, self.trunk, self.settings.seed)
        with self.progress.phase("refit"):
            saved_head, _ = self._fit(x, np.arange(len(self.data)))
            measure = self._measure(x, np.arange(len(self.data)), saved_head)
        measure = measure.calibrated(unseen.distances)
        saved = self._classifier(np.array(saved_head.kernel), saved_head.bias)
        saved.trained_on = np.unique(fingerprints.of(self.data))
        judged = [classifier for classifier, _ in answers.by]
        for classifier in (saved, *judged):
            classifier.temperature, classifier.novelty = temperature, measure
        pictures = self.data.subset(answers.rows)
        judgement = Judgement(
            judged[0],
            pictures,
            pictures.files or answers.rows,
            answers.logits,
            linear.sketch(x, answers.rows),
            self.trunk,
            answers.distances,
            self.split.fold,
            judged,
        )
        measured |= {
            "split": self.split.name,
            "refitted_on_all_data": True,
            "temperature_fitted_on": fitted_on,
            "fitted_on_judged": unseen is answers,
        }
        counts = np.bincount(self.data.labels[self.split.train], minlength=len(self.data.names))
        return Trained(saved, judgement, self.trunk, history, counts, measured)

    def _fit(
        self,
        x: Features,
        train: np.ndarray,
        rows: np.ndarray | None = None,
        tell: Tell | None = None,
    ) -> tuple[Head, History]:
        how = self.settings, rows, tell, self.progress, self._components, self.workers
        return frozen_heads.fit(x, self.data, train, *how)

    def _measure(self, x: Features, train: np.ndarray, head: Head) -> Novelty:
        labels, recipe = self.data.labels[train], self.settings.recipe
        return novelty.fit(x, train, labels, head.kernel, head.bias, recipe, self.settings.seed)

    def _answers(self, x: Features, train: np.ndarray, rows: np.ndarray, head: Head) -> Answers:
        """Logits and distances of these rows, by a head and a measure fitted to others."""
        logits, measure = head.logits(x, rows), self._measure(x, train, head)
        distances = measure.distances_of_rows(x, rows, logits)
        classifier = self._classifier(np.array(head.kernel), head.bias)
        return Answers(rows, logits, distances, [(classifier, np.arange(len(rows)))])

    def _held_out(self, x: Features, tell: Tell | None) -> tuple[Answers, History]:
        """Answers of a head that has not seen them, about the held-out pictures."""
        train, rows = self.split.train, self.split.held_out
        # The later heads, too, use the directions that these pictures differ in. Those are found
        # without labels: the temperature's held-out tracks may be among them.
        self._components = frozen_heads.components_of(x, train, self.settings, self.progress)
        head, history = self._fit(x, train, rows, tell)
        return self._answers(x, train, rows, head), history

    def _cross_validated(
        self, x: Features, folder: Path, tell: Tell | None
    ) -> tuple[Answers, History]:
        """Answers about all pictures, each by the head that was fitted without its fold."""
        fold, histories, parts = self.split.fold, [], []
        for k in self.progress.over("folds", range(fold.max() + 1)):
            train, rows = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            head, history = self._fit(x, train, rows)
            parts.append(self._answers(x, train, rows, head))
            histories.append(history)
            classifier, _ = parts[-1].by[0]
            classifier.kernel = _set_aside(classifier.kernel, folder)
        order = np.argsort(np.concatenate([part.rows for part in parts]))
        logits, distances = (
            np.concatenate([getattr(part, name) for part in parts])[order]
            for name in ("logits", "distances")
        )
        history = _over_folds(histories, np.bincount(fold))
        for record in history:
            if tell:
                tell(record)
        by = [(part.by[0][0], part.rows) for part in parts]
        return Answers(np.arange(len(fold)), logits, distances, by), history

    def _of_unseen_tracks(self, x: Features, answers: Answers) -> tuple[Answers, str]:
        """Answers about tracks that the head has not seen, if tracks are known; and what on."""
        if self.split.name != "random" or self.data.tracks is None:
            return answers, f"the held-out pictures themselves {COPIED}"
        try:
            split = splits.by_track(self.data, self.settings.seed)
        except LabError:  # a class of few tracks may have none to hold out
            return answers, f"the held-out pictures themselves {COPIED}"
        head, _ = self._fit(x, split.train)
        unseen = self._answers(x, split.train, split.held_out, head)
        return unseen, f"a fifth of the tracks {COPIED}, by a head that has not seen them"

    def _classifier(self, kernel: np.ndarray, bias: np.ndarray) -> Classifier:
        """A classifier to be judged or saved, without temperature and measure as yet."""
        return Classifier(
            kernel,
            np.array(bias),
            list(self.data.names),
            self.settings.recipe,
            self.settings.variant,
            self.trunk.sha256,
            self.data.crop,
            self.settings.precision,
        )


def _set_aside(kernel: np.ndarray, folder: Path) -> np.ndarray:
    """The same numbers in a file: five heads of 1,000 classes are half a gigabyte."""
    with files.writing(folder), tempfile.TemporaryFile(dir=folder) as file:
        file.write(np.ascontiguousarray(kernel).data)  # tofile does not tell of a full disk
        file.flush()
        return np.memmap(file, kernel.dtype, "r", shape=kernel.shape)


def _over_folds(histories: list[History], sizes: np.ndarray) -> History:
    """One history of several folds': accuracies are of all pictures, seconds are added up.

    L-BFGS may end earlier in a fold: what it ended with stands for its missing epochs.
    """
    longest = max(map(len, histories))
    rows = [[*history, *[history[-1]] * (longest - len(history))] for history in histories]
    joined: History = []
    for epoch, records in enumerate(zip(*rows, strict=True), 1):
        means = {
            name: float(np.average([record[name] for record in records], weights=sizes))
            for name in ("loss", "validation_accuracy")
        }
        seconds = sum(record["seconds"] for record in records)
        joined.append({"epoch": epoch, "seconds": seconds} | means)
    return joined

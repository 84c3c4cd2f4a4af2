"""A trained classifier: a linear head and the recipe of the features it was trained on."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lab import files, runs
from lab.errors import BROKEN, LabError
from lab.features import extractor, linear
from lab.features.recipes import RECIPES


@dataclass
class Classifier:
    """Head and recipe.

    Attributes:
        kernel: float32 (d, classes).
        bias: float32 (classes,).
        classes: names of the classes.
        layer: a name in `lab.recipes.RECIPES`.
        variant: {"caffe", "lab"}.
        weights_sha256: of the frozen network's file; the head means nothing on another.
        temperature: the logits are divided by it before the softmax.
        trained: whether the head was trained at all.
        trained_on: uint64 (m,), fingerprints of the pictures that the head has seen.
        notes: what else its maker wrote down (data, command, accuracy ...).
    """

    kernel: np.ndarray
    bias: np.ndarray
    classes: list[str]
    layer: str
    variant: str
    weights_sha256: str
    temperature: float = 1.0
    trained: bool = True
    trained_on: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))
    notes: dict = field(default_factory=dict)

    def answers(self, images, trunk):
        """Logits and a sketch of the features of pictures uint8 (n, 32, 32, 3).

        Args:
            images: the pictures.
            trunk: `lab.weights.Weights`, those that the head was trained on.

        Returns:
            logits: float32 (n, classes), before the temperature.
            sketch: float32 (n, 256), see `linear.projected`.

        Raises:
            LabError: these are other weights.
        """
        if trunk.sha256 != self.weights_sha256:
            raise LabError(
                f"{trunk.path}: expected the weights that this classifier was trained on (sha256 "
                f"{self.weights_sha256[:16]}...); received others ({trunk.sha256[:16]}...): name "
                "the right file with --weights"
            )
        recipe = RECIPES[self.layer]
        extract = extractor.Extractor(trunk.arrays, recipe, self.variant, count=len(images))
        parts = []
        for some in extractor.batches(images):  # all features of 39,209 signs: 1 GB
            x = extract(some).numpy()
            rows = np.arange(len(x))
            parts.append((linear.logits(x, rows, self.kernel, self.bias), linear.projected(x)))
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def probabilities(self, logits):
        """float64 (n, classes): the softmax of the logits over the temperature."""
        return softmax(np.asarray(logits, np.float64) / self.temperature)

    def save(self, path, dtype=np.float32):
        """Writes the classifier as `.npz`, atomically; nothing in it can run code."""
        recipe = {
            name: getattr(self, name)
            for name in ("classes", "layer", "variant", "weights_sha256", "temperature", "trained")
        }
        recipe["notes"] = self.notes
        with files.atomic(path) as part, open(part, "wb") as file:
            np.savez(
                file,
                kernel=self.kernel.astype(dtype),
                bias=self.bias.astype(dtype),
                trained_on=self.trained_on,
                recipe=np.array(json.dumps(recipe)),
            )


def softmax(logits):
    """Softmax over the last axis."""
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def load(path):
    """Reads a classifier: its file, or the folder of its run.

    Raises:
        LabError: there is none, or the file is broken or holds something else.
    """
    path = Path(path)
    path = path / runs.CLASSIFIER if path.is_dir() else path
    if not path.is_file():
        raise LabError(
            f"expected a trained classifier at {path}; there is none: "
            "train one with train_feature_extraction.py, or leave --model out"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            recipe = json.loads(str(file["recipe"]))
            kernel, bias = (file[name].astype(np.float32) for name in ("kernel", "bias"))
            result = Classifier(kernel, bias, trained_on=file["trained_on"], **recipe)
    except BROKEN as error:
        raise LabError(
            f"expected a classifier that train_feature_extraction.py wrote in {path}; "
            f"it is broken or something else: {error}"
        ) from None
    _check(result, path)
    return result


def _check(classifier, path):
    classes, known = len(classifier.classes), classifier.layer in RECIPES
    shape = (extractor.width(RECIPES[classifier.layer]) if known else None, classes)
    finite = np.isfinite(classifier.kernel).all() and np.isfinite(classifier.bias).all()
    fits = classifier.kernel.shape == shape and classifier.bias.shape == (classes,)
    if not (known and fits and finite):
        raise LabError(
            f"expected a known recipe and a finite head for {classes} classes in {path}; "
            f"received recipe {classifier.layer!r}, head {classifier.kernel.shape}: "
            "train it again"
        )


def fresh(classes, trunk, variant):
    """A head nobody has trained, on the last layer that the weights serve: its answers are chance.

    Args:
        classes: names of the classes.
        trunk: `lab.weights.Weights`.
        variant: {"caffe", "lab"}.
    """
    layer = default_layer(trunk.arrays)
    width = extractor.width(RECIPES[layer])
    kernel, bias = linear.initial(width, len(classes), seed=0)
    return Classifier(kernel, bias, classes, layer, variant, trunk.sha256, trained=False)


def default_layer(arrays):
    """The recipe where none is named: fc7, as in the lab, where the weights have it, else conv4."""
    return "fc7" if "fc7" in arrays else "conv4"

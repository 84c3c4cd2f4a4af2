"""A classifier's file is read and checked: nothing that `Classifier.save` would not write."""

from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED

import numpy as np

import alexnet
from lab import novelty, npz, pictures, runs, untrusted
from lab.classifier.head import DESCRIBED, MEASURE, Classifier
from lab.errors import shown
from lab.features import RECIPES, Recipe, recipes
from lab.untrusted import Broken, parse

MOST_BYTES = 2**29  # of all arrays: 1000 classes on all layers take 217 MB


def load(path: str | Path) -> Classifier:
    """Reads a classifier: its file, or the folder of its run.

    Raises:
        LabError: there is none, or the file is broken or holds something else.
    """
    expected = "a classifier that train_feature_extraction.py wrote"
    with untrusted.opened(runs.classifier_file(path), expected, "train it again") as file:
        arrays, described = npz.read(file, MOST_BYTES, "recipe", [ZIP_STORED])
        missing = {"kernel", "bias", "trained_on"} - arrays.keys()
        if missing or described is None or not {*DESCRIBED[:3]} <= described.keys():
            raise Broken("one of which a part is missing")
        recipe = _recipe(described)
        names = [name for name in novelty.NAMES if MEASURE + name in arrays]
        measure = {name: arrays[MEASURE + name] for name in names}
        threshold = described.pop("threshold", None)
        if unknown := described.keys() - {*DESCRIBED}:
            raise Broken(f"one with {shown(min(unknown), 40)}, which nothing here has")
        classifier = Classifier(
            kernel=_floats(arrays["kernel"]),
            bias=_floats(arrays["bias"]),
            recipe=recipe,
            trained_on=arrays["trained_on"],
            novelty=novelty.Novelty(recipe, measure, threshold) if measure else None,
            **described,
        )
        _check(classifier)
    return classifier


def _recipe(described: dict[str, Any]) -> Recipe:
    """Takes the recipe out of a classifier's file; version 1.0.0 wrote the name of one alone."""
    name, fields = described.pop("layer", None), described.pop("recipe", {})
    if name is None:
        return recipes.from_fields(fields)
    if not isinstance(name, str) or name not in RECIPES:
        raise Broken(f"one on {shown(str(name), 40)}, which is no recipe")
    return RECIPES[name]


def _floats(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        raise Broken("one whose head is not of finite numbers")
    with np.errstate(over="ignore"):  # of float64
        result = array.astype(np.float32)
    if not np.isfinite(result).all():
        raise Broken("one whose head is not of finite numbers")
    return result


def _check(classifier: Classifier) -> None:
    """Refuses a part of another type, shape or range than `save` writes."""
    names, notes, prints = classifier.classes, classifier.notes, classifier.trained_on
    if not (isinstance(names, list) and len(names) > 1 and all(isinstance(x, str) for x in names)):
        raise Broken("one whose class names are no list of texts")
    if len(set(names)) < len(names):
        raise Broken("one with two classes of one name")
    parse("".join([*names, classifier.recipe.name]).encode)  # halves of characters are in no report
    for name, known in (
        ("variant", alexnet.VARIANTS),
        ("precision", alexnet.PRECISIONS),
        ("crop", pictures.CROPS),
    ):
        if getattr(classifier, name) not in list(known):
            raise Broken(f"one whose {name} is none of {', '.join(known)}")
    if not (isinstance(classifier.temperature, float) and 1e-6 < classifier.temperature < 1e6):
        raise Broken("one whose temperature is no positive number, or an extreme one")
    texts = [classifier.weights_sha256, notes.get("weights", "") if isinstance(notes, dict) else 0]
    if not all(isinstance(text, str) for text in texts) or type(classifier.trained) is not bool:
        raise Broken("one whose notes have another type")
    if prints.dtype != np.uint64 or prints.ndim != 1:
        raise Broken("one whose fingerprints have another type")
    shape = (classifier.recipe.width, len(names))
    if (classifier.kernel.shape, classifier.bias.shape) != (shape, shape[1:]):
        raise Broken(f"one whose head is {classifier.kernel.shape} in place of {shape}")
    if classifier.novelty:
        classifier.novelty.check(shape[1])

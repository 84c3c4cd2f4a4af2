"""Judgements made up for tests."""

import numpy as np

from lab.classifier import Classifier
from lab.data import class_names, dataset
from lab.features import RECIPES
from lab.judging import Judgement


def made_up(n: int = 300, seed: int = 0, **other: object) -> Judgement:
    """A judgement of noise, about 80% of it right, with all that a report can show.

    Args:
        n: number of pictures.
        seed: of the noise.
        other: names, temperature, index, logits, sketch, trunk, or what a `Dataset` has.
    """
    generator = np.random.default_rng(seed)
    labels = generator.integers(43, size=n)
    sure = 6 * np.eye(43)[labels] * (generator.random(n) < 0.7)[:, None]
    light = generator.integers(20, 236, (n, 1, 1, 1))
    parts = {
        "labels": labels,
        "logits": (generator.normal(0, 1, (n, 43)) + sure).astype(np.float32),
        "images": (light + generator.integers(-20, 20, (n, 32, 32, 3))).astype(np.uint8),
        "names": class_names(),
        "temperature": 0.5,
        "index": np.arange(n) + 1000,
        "tracks": np.arange(n) // 5,
        "sizes": generator.integers(15, 200, (n, 2)),
        "sketch": generator.normal(0, 1, (n, 20)).astype(np.float16) + labels[:, None],
        "source": "somewhere/train.p",
        "trunk": None,
    } | other
    own = ("names", "temperature", "index", "logits", "sketch", "trunk")
    names, temperature, index, logits, sketch, trunk = (parts.pop(name) for name in own)
    kernel, bias = np.zeros((1, len(names)), np.float32), np.zeros(len(names), np.float32)
    classifier = Classifier(kernel, bias, list(names), RECIPES["conv4"], "caffe", "0" * 64)
    classifier.temperature = temperature
    return Judgement(classifier, dataset.Dataset(**parts), index, logits, sketch, trunk)


def alone(**other: object) -> Judgement:
    """One picture, and nothing known about it."""
    return made_up(1, **({"tracks": None, "sizes": None, "sketch": None} | other))


def sure(labels: np.ndarray, classes: int = 43) -> np.ndarray:
    """float32 (n, classes): logits of a classifier that is sure of these classes."""
    return 20 * np.eye(classes, dtype=np.float32)[labels]

"""A trained classifier: a linear head, and the recipe of the features it was trained on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from lab import files, untrusted
from lab.errors import LabError, shown
from lab.features import RECIPES, Recipe, extractor, finite, linear, recipes
from lab.features.batches import Images, batches
from lab.novelty import Novelty
from lab.novelty.spaces import TINY
from lab.progress import Advance
from lab.weights import Weights

# The fields that are kept as JSON; the first three are in every file.
DESCRIBED = (
    "classes",
    "variant",
    "weights_sha256",
    "crop",
    "precision",
    "temperature",
    "trained",
    "notes",
)
OTHERWISE = "leave that picture out, or train a classifier on another layer"
MOST_SCORE = 1e9  # JSON has no infinity
MEASURE = "novelty/"  # the file's arrays whose names begin so are the measure's


@dataclass
class Classifier:
    """Head and recipe.

    Attributes:
        kernel: float32 (d, classes).
        bias: float32 (classes,).
        classes: names of the classes.
        recipe: of the features that the head takes.
        variant: a key of `alexnet.VARIANTS`.
        weights_sha256: of the frozen network's file; with other weights the head is useless.
        crop: a key of `pictures.CROPS`: how the pictures that it was trained on were prepared.
        precision: a key of `alexnet.PRECISIONS`: what the features were computed in.
        temperature: the logits are divided by it before the softmax.
        trained: whether the head was trained at all.
        trained_on: uint64 (m,), fingerprints of the pictures that the head has seen.
        novelty: how unlike its training pictures a picture is; None for an untrained head.
        notes: what else was recorded at its training (data, accuracy ...).
    """

    kernel: np.ndarray
    bias: np.ndarray
    classes: Sequence[str]
    recipe: Recipe
    variant: str
    weights_sha256: str
    crop: str = "sign"
    precision: str = "float32"
    temperature: float = 1.0
    trained: bool = True
    trained_on: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))
    novelty: Novelty | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    def features(self, images: Images, trunk: Weights) -> Iterator[np.ndarray]:
        """Batches of features, float16 (at most 128, d), of pictures uint8 (n, s, s, 3).

        Args:
            images: the pictures, prepared by `crop`.
            trunk: the weights that the head was trained on.

        Raises:
            LabError: `trunk` holds other weights, or float16 cannot hold the features.
        """
        self.check(trunk)
        how = self.recipe, self.variant, self.precision
        extract = extractor.Extractor(trunk.arrays, *how, len(images), images.shape[1])
        for batch in batches(images):  # all features of 39,209 signs: 1 GB
            yield finite.checked(extract(batch).numpy(), OTHERWISE)

    def check(self, trunk: Weights) -> None:
        """Raises a LabError unless these are the weights that the head was trained on."""
        if trunk.sha256 != self.weights_sha256:
            raise LabError(
                f"{trunk.path}: expected the weights that this classifier was trained on (sha256 "
                f"{self.weights_sha256[:16]}...); received others ({trunk.sha256[:16]}...): name "
                "the right file with --weights"
            )

    def head(self, features: np.ndarray) -> np.ndarray:
        """float32 logits (n, classes), before the temperature, of features float16 (n, d)."""
        logits = linear.logits(features, np.arange(len(features)), self.kernel, self.bias)
        if not np.isfinite(logits).all():
            raise LabError("expected finite logits; received others: train the head again")
        return logits

    def logits(self, images: Images, trunk: Weights) -> np.ndarray:
        """float32 logits (n, classes), before the temperature; see `features`."""
        return np.concatenate([self.head(x) for x in self.features(images, trunk)])

    def answers(
        self, images: Images, trunk: Weights, advance: Advance = int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """All that is asked of pictures, from one run of the network.

        Args:
            images, trunk: as in `features`.
            advance: called after each batch.

        Returns:
            logits: float32 (n, classes), before the temperature.
            distances: float32 (n, 2), see `lab.novelty.Novelty.distances`; None for an untrained
                head.
            sketch: float32 (n, 256), of the features, see `lab.features.linear.sketch`.
        """
        logits, distances, sketches = [], [], []
        for x in self.features(images, trunk):
            logits.append(self.head(x))
            sketches.append(linear.sketch(x))
            if self.novelty:
                distances.append(self.novelty.distances(x, logits[-1]))
            advance()
        apart = np.concatenate(distances) if distances else None
        return np.concatenate(logits), apart, np.concatenate(sketches)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """float64 (n, classes): the softmax of the logits over the temperature."""
        return special.softmax(np.asarray(logits, np.float64) / self.temperature, axis=1)

    def known(self, distances: np.ndarray | None) -> list[dict[str, Any]]:
        """Of each picture whether it is like the training pictures, and its score.

        Args:
            distances: as `answers` gives them; None: nothing is known.

        Returns:
            A dict for each picture: known; score, above 1 for a stranger; and classes, how many
            there are to choose from.
        """
        if distances is None or self.novelty is None:
            return []
        scores = self.novelty.joined(distances) / max(self.novelty.threshold, TINY)
        return [
            {
                "known": bool(x <= 1),
                "score": round(float(min(x, MOST_SCORE)), 4),
                "classes": len(self.classes),
            }
            for x in scores
        ]

    def words(self) -> str:
        """The recipe, the accuracy and what it was measured on, as far as the notes tell."""
        accuracy, on = self.notes.get("accuracy"), self.notes.get("judged_on")
        name = shown(self.recipe.name, 40)
        if not isinstance(accuracy, float) or not 0 <= accuracy <= 1:
            return name
        return f"{name}, accuracy {accuracy:.4f}" + (f" on {shown(str(on), 80)}" if on else "")

    def save(self, path: str | Path, dtype: type[np.floating] = np.float32) -> None:
        """Writes the classifier as `.npz`, atomically; nothing in it can run code."""
        described = {name: getattr(self, name) for name in DESCRIBED}
        described = {"recipe": asdict(self.recipe)} | described
        named: dict[str, Any] = {}
        if self.novelty:
            described["threshold"] = self.novelty.threshold
            named = {MEASURE + name: array for name, array in self.novelty.arrays.items()}
        with files.atomic(path) as part, open(part, "wb") as file:
            np.savez(
                file,
                kernel=self.kernel.astype(dtype),
                bias=self.bias.astype(dtype),
                trained_on=self.trained_on,
                **named,
                recipe=np.array(json.dumps(described)),
            )


def fresh(classes: Sequence[str], trunk: Weights, variant: str) -> Classifier:
    """An untrained head on `default_recipe`: its answers are chance.

    Args:
        classes: names of the classes.
        trunk: the frozen network.
        variant: a key of `alexnet.VARIANTS`.
    """
    recipe = default_recipe(trunk, "sign")
    kernel, bias = linear.initial(recipe.width, len(classes), seed=0)
    return Classifier(kernel, bias, classes, recipe, variant, trunk.sha256, trained=False)


def default_recipe(trunk: Weights, crop: str) -> Recipe:
    """The recipe if none is named.

    Args:
        trunk: the weights.
        crop: of signs fc7, as in the lab, or conv4 if the weights lack fc7; but pool5, with
            pictures shown as in their own training, if they are a trunk that `--train` made of
            signs: with a head on rendered signs, it had 0.978 of a tenth of the test pictures where
            conv4 had 0.933 (2026-11-25, by the trunk of then). Else "photographs".

    Raises:
        LabError: the file tells no way of showing pictures that there is.
    """
    if crop != "sign":
        return RECIPES["photographs"]
    made = trunk.recipe or {}
    plan = made.get("plan")
    if isinstance(plan, dict) and "zoom" in plan and made.get("crop", crop) == crop:
        with untrusted.reading(trunk.path, "a trunk that tells how its pictures were shown"):
            return recipes.as_in_training(RECIPES["pool5"], plan)
    return RECIPES["fc7" if "fc7" in trunk.arrays else "conv4"]

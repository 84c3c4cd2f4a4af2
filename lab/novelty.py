"""How unlike its training pictures a picture is: two distances, of which the larger counts.

The first is from the picture's logits to the nearest class mean of logits, compared with the second
nearest: a class that the head does not know is far from all, or between two. The second is a
Mahalanobis distance of the features averaged over the places of the map: it notices a picture of
something else altogether, even where two classes leave the logits a single dimension. Both are of
features brought to length 1: a picture without contrast has small activations, and would seem to be
near everything. benchmarks/unknown.py compares them with what else the field uses.
"""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
from scipy import linalg

import alexnet
from lab.features import Recipe, linear
from lab.features.cache import Features
from lab.untrusted import Broken

SAMPLE = 8_000  # pictures that a fit looks at, the same number of each class
LEAST = 8  # of each class, however many classes there are
DENSE_GROUP = 16  # of fc6's or fc7's units that are averaged, 256 apart; of a map, its places
SHARE = 0.99  # of the known pictures that pass
# A distance is divided by what this share of known pictures stay below. The second knows less about
# unknown classes: few of the 1% are left to it, and below its limit it counts little, by a power.
LIMITS = (0.99, 0.999)
POWER = 4
# Blurred and dark pictures of a known class have shorter logits of the same direction: the square
# of a difference in length counts this much.
RADIAL = 0.3
LEAST_SPREAD = 0.25  # of the mean over the classes: one of two pictures has hardly any
NAMES = ("centres", "scales", "mean", "inverse", "whiten", "limits")  # of a measure's arrays
MOST = 1e6  # its power is still a float32
TINY = 1e-12  # in place of a length or a deviation of 0
FLOOR = 1e-6  # of a variance, where the mean of all is 1: what float16 can still hold the root of


@dataclass(frozen=True)
class Novelty:
    """A measure of novelty, fitted to training pictures.

    Attributes:
        recipe: of the features that it takes.
        arrays: centres float32 (m, classes), the mean of logits of each of m classes, and scales
            float32 (m,), what a distance from it is divided by; mean float32 (k,), inverse float32
            () and whiten float16 (k, k): averaged features less the mean, times inverse, times
            whiten have unit variance in all directions; limits float32 (2,), what each of the two
            distances is divided by.
        threshold: pictures with a higher score are unlike the training pictures.
    """

    recipe: Recipe
    arrays: dict[str, np.ndarray]
    threshold: float = np.inf

    def check(self, classes: int) -> None:
        """Checks a measure that was read from a file.

        Args:
            classes: of its classifier.

        Raises:
            Broken: an array is missing, or has another shape or type, or is not finite.
        """
        k = self.recipe.width // _places(self.recipe)
        known = max(self.arrays["scales"].size if "scales" in self.arrays else 0, 2)
        shapes = ((known, classes), (known,), (k,), (), (k, k), (2,))
        for name, shape in zip(NAMES, shapes, strict=True):
            array = self.arrays.get(name)
            kind = np.float16 if name == "whiten" else np.float32
            if array is None or (array.shape, array.dtype) != (shape, kind):
                raise Broken(f"a measure of novelty that lacks {name} {shape}")
            if not np.isfinite(array).all() or (name in ("scales", "limits") and array.min() <= 0):
                raise Broken(f"a measure of novelty whose {name} is not finite, or not positive")
        if not isinstance(self.threshold, float) or not 0 <= self.threshold < np.inf:
            raise Broken("a measure of novelty without a threshold")

    def distances(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Both distances, before they are made comparable by `calibrated`.

        Args:
            features: float16 (n, d).
            logits: float32 (n, classes), before the temperature.

        Returns:
            float32 (n, 2), from 0.
        """
        averages, logits = scaled(features, logits, self.recipe)  # (n, k), (n, classes)
        to_each = apart(logits, self.arrays["centres"]) / self.arrays["scales"]  # (n, m)
        nearest, second = np.partition(to_each, 1, axis=1)[:, :2].T
        # A sign between two classes is no farther from either than a dark one is from its own.
        to_class = nearest * np.sqrt(nearest / np.maximum(second, TINY))
        x = (averages - self.arrays["mean"]) * self.arrays["inverse"]
        x = x @ self.arrays["whiten"].astype(np.float32)  # (n, k)
        return np.stack([to_class, linalg.norm(x, axis=1)], axis=1).astype(np.float32)

    def distances_of_rows(self, x: Features, rows: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """`distances` of rows int64 (m,) of stored features, with logits float32 (m, classes)."""
        chunks = (slice(i, i + linear.CHUNK) for i in range(0, len(rows), linear.CHUNK))
        return np.concatenate([self.distances(x[rows[part]], logits[part]) for part in chunks])

    def calibrated(self, distances: np.ndarray) -> "Novelty":
        """The same measure with limits and a threshold.

        Args:
            distances: float32 (n, 2), of pictures of known classes; by measures whose fit and head
                have not seen those pictures, nor others of the same objects. `SHARE` of them pass.
        """
        pairs = zip(distances.T, LIMITS, strict=True)
        limits = np.array([np.quantile(x, share) for x, share in pairs], np.float32)
        limits = np.maximum(limits, TINY)
        measure = replace(self, arrays=self.arrays | {"limits": limits})
        return replace(measure, threshold=threshold(measure.joined(distances)))

    def joined(self, distances: np.ndarray) -> np.ndarray:
        """float32 (n,): the score of pictures with these distances, float32 (n, 2)."""
        to_class, to_all = (distances / self.arrays["limits"]).T
        return np.maximum(to_class, np.minimum(to_all, MOST) ** POWER)

    def score(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """float32 (n,), higher: less like the training pictures; arguments as in `distances`."""
        return self.joined(self.distances(features, logits))


def fit(
    x: Features,
    rows: np.ndarray,
    labels: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    recipe: Recipe,
    seed: int = 0,
) -> Novelty:
    """Fits the measure to the pictures that a head was trained on.

    Args:
        x: float16 (n, d), see `lab.features.cache.Features`.
        rows: int64 (m,), the pictures that the head was trained on.
        labels: int64 (m,), of those rows.
        kernel, bias: float32 (d, classes) and (classes,), the head.
        recipe: of the features.
        seed: of the sample.

    Returns:
        The measure, without a threshold: call `calibrated`.
    """
    from sklearn.covariance import ledoit_wolf  # half a second, which an answer need not wait for

    chosen = sample(labels, seed)
    rows, labels = rows[chosen], labels[chosen]
    logits = linear.logits(x, rows, kernel, bias)
    chunks = (slice(i, i + linear.CHUNK) for i in range(0, len(rows), linear.CHUNK))
    pairs = [scaled(x[rows[chunk]], logits[chunk], recipe) for chunk in chunks]
    averages, logits = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    centres, scales = _centres(logits, labels)
    mean = averages.mean(axis=0)
    averages -= mean
    inverse = 1 / max(averages.std(), TINY)
    # The shrinkage of Ledoit and Wolf (2004): pictures may be fewer than dimensions.
    covariance, _ = ledoit_wolf(averages * inverse, assume_centered=True)
    variances, axes = np.linalg.eigh(covariance)
    whiten = axes * np.maximum(variances, FLOOR) ** -0.5  # (k, k)
    arrays = {
        "centres": centres,
        "scales": scales,
        "mean": mean,
        "inverse": np.float32(inverse),
        "whiten": whiten.astype(np.float16),
        "limits": np.ones(2, np.float32),
    }
    return Novelty(recipe, arrays)


def threshold(scores: np.ndarray) -> float:
    """The value that `SHARE` of the scores, float32 (n,), of known pictures do not exceed."""
    return float(np.quantile(scores, SHARE, method="higher"))


def sample(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """The pictures that `fit` looks at: `SAMPLE` in all, the same number of each class.

    Args:
        labels: int64 (m,).
        seed: of the choice.

    Returns:
        int64 (s,), ascending places in `labels`.
    """
    classes = np.unique(labels)
    most = max(SAMPLE // len(classes), LEAST)
    rng = np.random.default_rng(seed)
    each = (rng.permutation(np.flatnonzero(labels == label))[:most] for label in classes)
    return np.sort(np.concatenate(list(each)))


def scaled(
    features: np.ndarray, logits: np.ndarray, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray]:
    """What both distances are measured on, as if the features had length 1.

    Args:
        features: float16 (n, d).
        logits: float32 (n, classes).
        recipe: of the features.

    Returns:
        averages: float32 (n, k), over the places of each map, or groups of fc6's or fc7's units;
            k is a thirty-sixth or a sixteenth of d.
        logits: float32 (n, classes), less their mean, which no softmax depends on.
    """
    x = tf.cast(features, tf.float32)  # (n, d)
    lengths = np.maximum(tf.norm(x, axis=1).numpy(), TINY)[:, None]
    layers = tf.split(x, recipe.widths, axis=1)  # (n, places * channels) each
    maps = [tf.reshape(layer, (len(features), _places(recipe), -1)) for layer in layers]
    averages = tf.concat([tf.reduce_mean(layer, axis=1) for layer in maps], axis=1).numpy()
    return averages / lengths, (logits - logits.mean(axis=1, keepdims=True)) / lengths


def _places(recipe: Recipe) -> int:
    """How many numbers of a layer are averaged."""
    return DENSE_GROUP if recipe.last in alexnet.DENSE else recipe.grid**2


def _centres(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class means, float32 (classes, classes), and what a distance from each is divided by.

    The divisor, float32 (classes,), is the means' own length, since heads that were trained for
    longer have larger logits, times the root of how far the class's own pictures are from its mean,
    compared with other classes.
    """
    classes = np.unique(labels)
    centres = np.stack([logits[labels == label].mean(axis=0) for label in classes])
    own = [apart(logits[labels == label], centres[[i]]) for i, label in enumerate(classes)]
    spread = np.array([np.median(distances) for distances in own])
    spread = np.maximum(spread, max(LEAST_SPREAD * spread.mean(), TINY))
    size = max(float(np.mean(np.sum(centres**2, axis=1))) ** 0.5, TINY)
    return centres, (size * np.sqrt(spread / spread.mean())).astype(np.float32)


def apart(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Distances float64 (n, m) of x, (n, d), from centres, (m, d): radially they are shortened."""
    x, centres = x.astype(np.float64), centres.astype(np.float64)  # small angles would be lost
    long, far = linalg.norm(x, axis=1)[:, None], linalg.norm(centres, axis=1)
    squares = 2 * np.maximum(long * far - x @ centres.T, 0)  # 0 if both have one direction
    return np.sqrt(squares + RADIAL * (long - far) ** 2)

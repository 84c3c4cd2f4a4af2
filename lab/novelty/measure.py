"""A measure of novelty: two distances of a picture from the training pictures.

The first is from the picture's logits to the nearest class mean of logits: a class that the head
does not know is far from all. It is compared with how far the picture's features are from that
class's, in all directions: a blurred or dark picture of a known class is off in any of them, one of
a new class in those that tell classes apart. The second is a Mahalanobis distance of the features
averaged over the places of the map: it notices a picture of something else altogether, even where
two classes leave the logits a single dimension. All are of features brought to length 1: a picture
without contrast has small activations, and would seem to be near everything.
benchmarks/unknown.py compares them with what else the field uses.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from lab.features import Recipe, linear
from lab.features.cache import Features
from lab.novelty.spaces import CHUNK, TINY, apart, places, scaled
from lab.untrusted import Broken

SHARE = 0.99  # of the known pictures that pass
# A distance is divided by what this share of known pictures stay below. The second knows less about
# unknown classes: few of the 1% are left to it, and below its limit it counts little, by a power.
LIMITS = (0.99, 0.999)
POWER = 4
# The powers of the distances by which the first is divided: of the logits from the second nearest
# class, and of the features from the nearest.
SECOND, AWAY = 0.2, 0.5
# Of what is usual. At least: a picture of its own training may be at its class's middle. At most:
# farther than blur or darkness puts a known picture, being far excuses nothing.
LEAST_AWAY, MOST_AWAY = 0.25, 1.5
LARGEST = 1e12  # number of a measure: 1 / TINY; products of three are still float32
MOST = 1e6  # its power is still a float32
NAMES = ("centres", "scales", "middles", "reach", "mean", "inverse", "whiten", "limits")
POSITIVE = ("scales", "reach", "limits")


@dataclass(frozen=True)
class Novelty:
    """A measure of novelty, fitted to training pictures.

    Attributes:
        recipe: of the features that it takes.
        arrays: centres float32 (m, classes), the mean of logits of each of m classes, and scales
            float32 (m,), what a distance from it is divided by; middles float32 (m, s), the means
            of their features' sketches, and reach float32 (), how far those usually are from them;
            mean float32 (k,), inverse float32 () and whiten float16 (k, k): averaged features less
            the mean, times inverse, times whiten have unit variance in all directions; limits
            float32 (2,), what each of the two distances is divided by.
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
        k = self.recipe.width // places(self.recipe)
        known = max(self.arrays["scales"].size if "scales" in self.arrays else 0, 2)
        sketch = known, min(linear.SKETCH, self.recipe.width)
        shapes = ((known, classes), (known,), sketch, (), (k,), (), (k, k), (2,))
        for name, shape in zip(NAMES, shapes, strict=True):
            array = self.arrays.get(name)
            kind = np.float16 if name == "whiten" else np.float32
            if array is None or (array.shape, array.dtype) != (shape, kind):
                raise Broken(f"a measure of novelty that lacks {name} {shape}")
            largest, least = float(np.abs(array).max()), float(array.min())
            if not largest <= LARGEST or (name in POSITIVE and least < TINY / 2):
                raise Broken(f"a measure of novelty whose {name} is too large, or not positive")
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
        averages, logits, sketch = scaled(features, logits, self.recipe)
        to_each = apart(logits, self.arrays["centres"]) / self.arrays["scales"]  # (n, m)
        nearest, second = np.partition(to_each, 1, axis=1)[:, :2].T
        own = self.arrays["middles"][to_each.argmin(axis=1)]  # (n, s)
        away = linalg.norm(sketch - own, axis=1) / self.arrays["reach"]  # (n,)
        to_class = nearest / np.maximum(second, TINY) ** SECOND
        to_class = to_class / np.clip(away, LEAST_AWAY, MOST_AWAY) ** AWAY
        x = (averages - self.arrays["mean"]) * self.arrays["inverse"]
        x = x @ self.arrays["whiten"].astype(np.float32)  # (n, k)
        return np.stack([to_class, linalg.norm(x, axis=1)], axis=1).astype(np.float32)

    def distances_of_rows(self, x: Features, rows: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """`distances` of rows int64 (m,) of stored features, with logits float32 (m, classes)."""
        chunks = (slice(i, i + CHUNK) for i in range(0, len(rows), CHUNK))
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


def threshold(scores: np.ndarray) -> float:
    """The value that `SHARE` of the scores, float32 (n,), of known pictures do not exceed."""
    return float(np.quantile(scores, SHARE, method="higher"))

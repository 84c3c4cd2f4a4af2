"""Multinomial logistic regression by L-BFGS on whitened features, as a linear head.

Adam with the lab's learning rate stops where its epochs end; L-BFGS (scipy's) goes towards the
optimum, and a penalty keeps it from learning the training signs by heart. Whitening by the
covariance within classes tells it what is dear: directions in which pictures of one class differ
anyway, by pose, light and distance, are shrunk; those that tell classes apart stand out. All maps
are linear: what comes out is a plain kernel and bias on the features as they were.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy import optimize

from lab.features import Recipe, linear
from lab.features.cache import Features
from lab.progress import SILENT, Advance, Progress
from lab.training.whitening import finite, principal_axes, whitening

MEMORY = 20  # steps that L-BFGS remembers


class LogisticHead:
    """A linear head in the making.

    Args:
        x: float16 (n, d), see `lab.features.cache.Features`.
        rows: int64 (m,), those to learn from.
        labels: int64 (m,), of those rows.
        classes: number of classes.
        recipe: components, how many principal components are kept; whiten, see `whitening`; and
            penalty: half of it times the kernel's squares is added to the mean loss.
        seed: of the sample that the components are found on.
        progress: what is told of it.

    Raises:
        LabError: the features are not finite.

    Attributes:
        kernel: float32 (d, classes).
        bias: float32 (classes,).
    """

    def __init__(
        self,
        x: Features,
        rows: np.ndarray,
        labels: np.ndarray,
        classes: int,
        recipe: Recipe,
        seed: int = 0,
        progress: Progress = SILENT,
    ):
        self._since = time.perf_counter()
        self.penalty, self.classes, self.labels = recipe.penalty, classes, labels
        self.mean, axes = principal_axes(x, rows, recipe.components or 0, seed, progress)
        with progress.phase("whitening"):
            scores = finite(linear.logits(x, rows, axes, -(self.mean @ axes)))  # (m, k)
            scaled = whitening(scores, labels, recipe.whiten)  # (k, k)
        self.basis = axes @ scaled  # (d, k)
        self.z = scores @ scaled  # (m, k)
        self.weights = np.zeros((self.z.shape[1] + 1) * classes)

    @property
    def kernel(self) -> np.ndarray:
        return self.basis @ self._split(self.weights)[0]

    @property
    def bias(self) -> np.ndarray:
        kernel, bias = self._split(self.weights)
        return bias - (self.mean @ self.basis) @ kernel

    def logits(self, x: Features, rows: np.ndarray) -> np.ndarray:
        """float32 logits (len(rows), classes)."""
        return linear.logits(x, rows, self.kernel, self.bias)

    def finish(self) -> None:
        """Frees what only learning needs, 250 MB on train.p: `descend` cannot go on after it."""
        del self.z

    def _split(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = weights.astype(np.float32).reshape(-1, self.classes)
        return table[:-1], table[-1]

    def _loss(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean cross-entropy with the penalty, and its gradient."""
        kernel, bias = self._split(weights)
        logits = self.z @ kernel + bias  # (m, classes)
        logits -= logits.max(axis=1, keepdims=True)
        own = logits[np.arange(len(logits)), self.labels]
        np.exp(logits, out=logits)
        total = logits.sum(axis=1, keepdims=True)
        loss = float(np.mean(np.log(total[:, 0]) - own))
        logits /= total
        logits[np.arange(len(logits)), self.labels] -= 1
        logits /= len(logits)  # now the gradient of the logits
        gradient = np.vstack([self.z.T @ logits + self.penalty * kernel, logits.sum(axis=0)])
        loss += 0.5 * self.penalty * float(np.sum(np.square(kernel)))
        return loss, gradient.ravel().astype(np.float64)

    def descend(
        self,
        iterations: int,
        each: int = 1,
        judge: Callable[[float, float], None] | None = None,
        advance: Advance = int,
    ) -> None:
        """Goes on towards the optimum.

        Args:
            iterations: at most so many.
            each: after so many iterations, and at the end,
            judge: is called with the loss and the seconds since it was called last, or since the
                head was begun.
            advance: called after each iteration.
        """
        done = 0

        def say(loss: float) -> None:
            if judge:
                judge(float(loss), time.perf_counter() - self._since)
            self._since = time.perf_counter()

        def count(intermediate_result: optimize.OptimizeResult) -> None:
            nonlocal done
            advance()
            self.weights = intermediate_result.x.copy()
            done += 1
            if done % each == 0:
                say(intermediate_result.fun)

        found = optimize.minimize(
            self._loss,
            self.weights,
            jac=True,
            method="L-BFGS-B",
            callback=count,
            options={"maxiter": iterations, "maxcor": MEMORY, "ftol": 1e-9, "gtol": 1e-7},
        )
        if done % each:  # it was at the optimum before
            say(found.fun)

"""Multinomial logistic regression by L-BFGS on whitened features, as a linear head.

Adam with the lab's learning rate is far from the optimum when its epochs end. L-BFGS (scipy's) gets
close to it, and a penalty keeps the head from overfitting. Whitening by the covariance within
classes shrinks the directions in which pictures of one class differ, by pose, light and distance,
so that those that separate classes count more. All maps are linear: the result is a kernel and a
bias for the features themselves.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy import optimize

from lab.features import Recipe, linear
from lab.features.cache import Features
from lab.progress import Advance
from lab.training.components import Components
from lab.training.whitening import whitening

MEMORY = 20  # steps that L-BFGS remembers


class LogisticHead:
    """A linear head and its training.

    Args:
        components: of all pictures' features.
        rows: int64 (m,), the pictures to train on.
        labels: int64 (m,), of those rows.
        classes: number of classes.
        recipe: whiten, see `lab.training.whitening`, and penalty: half of it times the sum of the
            kernel's squares is added to the mean loss.

    Attributes:
        kernel: float32 (d, classes).
        bias: float32 (classes,).
    """

    def __init__(
        self,
        components: Components,
        rows: np.ndarray,
        labels: np.ndarray,
        classes: int,
        recipe: Recipe,
    ):
        self._since = time.perf_counter()
        self.penalty, self.classes, self.labels = recipe.penalty, classes, labels
        scores = components.scores  # (m, k)
        if not np.array_equal(rows, np.arange(len(scores))):  # a copy: of train.p 240 MB
            scores = scores[rows]
        scaled = whitening(scores, labels, recipe.whiten)  # (k, k)
        self.mean = components.mean
        self.z = scores @ scaled  # (m, k)
        del scores  # before the next large array is made
        self.basis = components.axes @ scaled  # (d, k)
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
        """Frees what only training needs, 250 MB on train.p: do not call `descend` after it."""
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
        """Trains, from where the last call ended.

        Args:
            iterations: at most this many.
            each: `judge` is called after this many iterations, and at the end.
            judge: called with the loss, and the seconds since its last call or since the head was
                made.
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
        if done % each or not done:  # the optimum was reached earlier
            say(found.fun)

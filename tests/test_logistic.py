"""Logistic regression by L-BFGS: against scikit-learn, and whitening against an exact one."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lab.logistic import Logistic, project, whitening


@pytest.fixture(scope="module")
def clouds():
    """Three clouds of 60 points in 12 dimensions of unequal spread, as float16."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    x = rng.normal(0, 1, (180, 12)) * np.geomspace(3, 0.03, 12) + rng.normal(0, 1, (3, 12))[labels]
    return x.astype(np.float16), labels


def test_whitening_is_that_of_the_covariance(clouds):
    """Mean 0, no correlation, and the variances that the eigenvalues of the covariance give."""
    x, rows = clouds[0], np.arange(180)
    mean, basis = whitening(x, rows, 5)
    z = project(x, rows, mean, basis)
    exact = np.linalg.eigvalsh(np.cov(x.astype(np.float64).T, bias=True))[::-1][:5]
    assert basis.shape == (12, 5)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(z.astype(np.float64).T, bias=True)
    wanted = exact / (exact + 0.1 * exact.mean()) / 5
    np.testing.assert_allclose(np.sort(np.diag(covariance))[::-1], wanted, rtol=0.02)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=2e-3)


def test_the_optimum_is_scikit_learns(clouds):
    """The same penalty on the same whitened features: the same probabilities."""
    x, labels = clouds
    rows = np.arange(0, 180, 2)
    head = Logistic(x, rows, labels[rows], 3, components=6, penalty=1e-2)
    head.descend(200)
    theirs = LogisticRegression(C=1 / (1e-2 * len(rows)), tol=1e-8, max_iter=1000)
    theirs.fit(head.z, labels[rows])
    logits = head.logits(x, np.arange(180))
    ours = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    z = project(x, np.arange(180), head.mean, head.basis)
    assert np.abs(ours - theirs.predict_proba(z)).max() < 5e-3


def test_gradient(clouds):
    """The loss's gradient is what differences of the loss say."""
    x, labels = clouds
    head = Logistic(x, np.arange(180), labels, 3, components=4, penalty=0.1)
    point = np.random.default_rng(1).normal(0, 1, head.weights.shape)
    _, gradient = head._loss(point)
    for i in range(len(point)):
        step = np.zeros_like(point)
        step[i] = 1e-2
        difference = (head._loss(point + step)[0] - head._loss(point - step)[0]) / 2e-2
        assert gradient[i] == pytest.approx(difference, abs=1e-3)


def test_it_tells_how_it_goes(clouds):
    """The loss falls from call to call, and there is one for each so many iterations."""
    x, labels = clouds
    head, told = Logistic(x, np.arange(180), labels, 3, components=6, penalty=1e-4), []
    head.descend(20, 5, lambda loss, seconds: told.append((loss, seconds)))
    assert len(told) == 4 and all(seconds >= 0 for _, seconds in told)
    assert [loss for loss, _ in told] == sorted((loss for loss, _ in told), reverse=True)
    predicted = head.logits(x, np.arange(180)).argmax(axis=1)
    assert np.mean(predicted == labels) > 0.8

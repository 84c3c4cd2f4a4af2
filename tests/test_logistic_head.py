"""Logistic regression by L-BFGS: against scikit-learn, and whitening against an exact one."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lab.errors import LabError
from lab.features.recipes import Recipe
from lab.training import components as principal
from lab.training.components import Components, orthonormal, principal_axes
from lab.training.logistic_head import LogisticHead
from lab.training.whitening import whitening


def logistic(x, rows, labels, components, penalty):
    """A head for three classes, whitened within them."""
    recipe = Recipe("some", ("conv4",), components=components, penalty=penalty)
    return LogisticHead(Components(x, rows, components), rows, labels, 3, recipe)


@pytest.fixture(scope="module")
def clouds():
    """Three clouds of 60 points in 12 dimensions of unequal spread, as float16."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    x = rng.normal(0, 1, (180, 12)) * np.geomspace(3, 0.03, 12) + rng.normal(0, 1, (3, 12))[labels]
    return x.astype(np.float16), labels


def test_principal_axes_are_the_covariances(clouds):
    """Uncorrelated scores, with the largest eigenvalues of the covariance as their variances."""
    x, rows = clouds[0], np.arange(180)
    mean, axes = principal_axes(x, rows, 5)
    scores = (x.astype(np.float64) - mean) @ axes
    exact = np.linalg.eigvalsh(np.cov(x.astype(np.float64).T, bias=True))[::-1][:5]
    assert axes.shape == (12, 5)
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(np.cov(scores.T, bias=True), np.diag(exact), atol=1e-3)


def test_axes_of_many_pictures_are_the_exact_ones(monkeypatch):
    """The range finder's, at sizes where NumPy's decomposition is at hand."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (900, 200)) @ (rng.normal(0, 1, (200, 200)) * np.geomspace(9, 0.1, 200))
    x = (x / np.abs(x).max()).astype(np.float16)
    monkeypatch.setattr(principal, "FEW", 0)
    mean, axes = principal_axes(x, np.arange(900), 20)
    centred = x.astype(np.float64) - x.astype(np.float64).mean(axis=0)
    variances, vectors = np.linalg.eigh(centred.T @ centred)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(axes.T @ axes, np.eye(20), atol=1e-4)
    np.testing.assert_allclose(np.sum((centred @ axes) ** 2, 0), variances[:-21:-1], rtol=1e-3)
    cosines = np.abs(np.sum(axes[:, :5] * vectors[:, :-6:-1], axis=0))
    np.testing.assert_allclose(cosines, 1, atol=1e-3)


def test_fewer_directions_than_components(monkeypatch):
    """Pictures that are copies of each other: no direction is made of rounding errors."""
    x = np.repeat(np.random.default_rng(0).normal(0, 1, (6, 40)), 20, axis=0).astype(np.float16)
    monkeypatch.setattr(principal, "FEW", 0)
    _, axes = principal_axes(x, np.arange(120), 30)
    assert axes.shape == (40, 5)
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-4)


@pytest.mark.parametrize("spread", [1.0, 1e3, np.inf])
def test_orthonormal_columns(spread):
    """They span what scipy's QR spans, also where columns differ by a thousandth, or not at all."""
    rng = np.random.default_rng(0)
    columns = rng.normal(0, 1, (60, 8)) + (0 if spread == 1 else rng.normal(0, 1, (60, 1)))
    columns[:, 1:] = columns[:, :1] + (columns[:, 1:] - columns[:, :1]) / spread
    q = orthonormal(columns.astype(np.float32))
    np.testing.assert_allclose(q.T @ q, np.eye(8), atol=1e-5)
    np.testing.assert_allclose(q @ (q.T @ columns), columns, atol=1e-3)


@pytest.mark.parametrize("by", ["within", "total"])
def test_whitening_makes_a_covariance_round(clouds, by):
    """Each variance v becomes v / (v + a tenth of their mean), but for one factor."""
    x, labels = clouds[0].astype(np.float64), clouds[1]
    scores = (x - x.mean(axis=0))[:, :6]
    means = np.array([scores[labels == c].mean(axis=0) for c in range(3)])
    apart = scores - means[labels] if by == "within" else scores
    z = scores @ whitening(scores.astype(np.float32), labels, by)
    assert np.mean(np.sum(z**2, axis=1)) == pytest.approx(1, abs=1e-4)
    z = apart @ whitening(scores.astype(np.float32), labels, by)
    variances = np.linalg.eigvalsh(apart.T @ apart / 180)
    wanted = variances / (variances + 0.1 * variances.mean())
    found = np.linalg.eigvalsh(z.T @ z / 180)
    np.testing.assert_allclose(found / found[-1], wanted / wanted[-1], rtol=1e-3)


def test_without_whitening_only_the_length_changes(clouds):
    """A multiple of the identity."""
    scores = clouds[0].astype(np.float32)
    scaled = whitening(scores, clouds[1], None)
    np.testing.assert_allclose(scaled, np.eye(12) * scaled[0, 0])
    assert np.mean(np.sum((scores @ scaled) ** 2, axis=1)) == pytest.approx(1, abs=1e-4)


def test_the_optimum_is_scikit_learns(clouds):
    """The same penalty on the same whitened features: the same probabilities."""
    x, labels = clouds
    rows = np.arange(0, 180, 2)
    head = logistic(x, rows, labels[rows], components=6, penalty=1e-2)
    head.descend(200)
    theirs = LogisticRegression(C=1 / (1e-2 * len(rows)), tol=1e-8, max_iter=1000)
    theirs.fit(head.z, labels[rows])
    logits = head.logits(x, np.arange(180))
    ours = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    z = (x.astype(np.float32) - head.mean) @ head.basis
    assert np.abs(ours - theirs.predict_proba(z)).max() < 5e-3


def test_gradient(clouds):
    """The loss's gradient is what differences of the loss say."""
    x, labels = clouds
    head = logistic(x, np.arange(180), labels, components=4, penalty=0.1)
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
    head, told = logistic(x, np.arange(180), labels, components=6, penalty=1e-4), []
    head.descend(8, 2, lambda loss, seconds: told.append((loss, seconds)))
    assert len(told) == 4 and all(seconds >= 0 for _, seconds in told)
    assert [loss for loss, _ in told] == sorted((loss for loss, _ in told), reverse=True)
    predicted = head.logits(x, np.arange(180)).argmax(axis=1)
    assert np.mean(predicted == labels) > 0.8


def test_one_picture_a_class():
    """Nothing differs within a class then: whitened by the total covariance."""
    x = np.random.default_rng(0).normal(0, 1, (3, 12)).astype(np.float16)
    head = logistic(x, np.arange(3), np.arange(3), components=2, penalty=1e-6)
    head.descend(20)
    assert head.logits(x, np.arange(3)).argmax(axis=1).tolist() == [0, 1, 2]


def test_features_that_are_not_finite(clouds):
    """One line, with what to do."""
    x = clouds[0].copy()
    x[7, 3] = np.inf
    with pytest.raises(LabError, match=r"expected finite features; .* take another --layer or"):
        logistic(x, np.arange(180), clouds[1], components=4, penalty=0.1)

"""The measure of novelty: against its formulas written out, planted outliers, few pictures."""

import numpy as np
import pytest
from scipy.spatial import distance
from sklearn.covariance import ledoit_wolf

from lab import novelty
from lab.features import RECIPES, linear
from lab.features.cache import FeatureFile

RECIPE = RECIPES["pool5"]
WIDTH, CHANNELS = RECIPE.width, 256


def pictures(count, classes=3, seed=0):
    """Features float16 (count, 9216) in clusters, their labels, and the clusters' head."""
    rng = np.random.default_rng(0)
    prototypes = rng.gamma(1, 1, (classes, WIDTH)).astype(np.float32)
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    x = prototypes[labels] + 0.3 * rng.standard_normal((count, WIDTH), np.float32)
    kernel = (prototypes - prototypes.mean(axis=0)).T / 100
    return x.astype(np.float16), labels, (kernel, np.full(classes, 0.5, np.float32))


def fitted(count=90, classes=3):
    x, labels, head = pictures(count, classes)
    return novelty.fit(x, np.arange(count), labels, *head, RECIPE)


def logits(x, head):
    return linear.logits(x, np.arange(len(x)), *head)


def test_distances_are_the_formulas_written_out():
    x, labels, head = pictures(90)
    new, _, _ = pictures(5, seed=1)
    got = fitted().distances(new, logits(new, head))

    def scaled(x):
        x = x.astype(np.float64)
        length = np.sqrt((x * x).sum(axis=1, keepdims=True))
        own = x @ head[0] + head[1]
        averages = np.array([[row[c::CHANNELS].mean() for c in range(CHANNELS)] for row in x])
        return averages / length, (own - own.mean(axis=1, keepdims=True)) / length

    (averages, own), (new_averages, new_own) = scaled(x), scaled(new)
    centres = np.array([own[labels == label].mean(axis=0) for label in range(3)])

    def apart(a, b):
        angle = distance.cosine(a, b)
        long, far = np.linalg.norm(a), np.linalg.norm(b)
        return np.sqrt(2 * long * far * angle + 0.3 * (long - far) ** 2)

    spread = [np.median([apart(a, centres[k]) for a in own[labels == k]]) for k in range(3)]
    factor = np.sqrt(spread / np.mean(spread)) * np.sqrt(np.mean((centres**2).sum(axis=1)))
    each = np.array([[apart(a, centres[k]) / factor[k] for k in range(3)] for a in new_own])
    nearest, second = np.sort(each, axis=1)[:, :2].T

    def sketched(x):
        x = x.astype(np.float64)
        return linear.sketch(x / np.sqrt((x * x).sum(axis=1, keepdims=True)))

    middles = np.array([sketched(x)[labels == label].mean(axis=0) for label in range(3)])
    usual = np.median(np.linalg.norm(sketched(x) - middles[labels], axis=1))
    away = np.linalg.norm(sketched(new) - middles[each.argmin(axis=1)], axis=1) / usual
    away = np.clip(away, 0.25, 1.5)
    np.testing.assert_allclose(got[:, 0], nearest / second**0.2 / away**0.5, rtol=1e-3)

    mean, size = averages.mean(axis=0), (averages - averages.mean(axis=0)).std()
    covariance = ledoit_wolf((averages - mean) / size, assume_centered=True)[0]
    inverse = np.linalg.inv(covariance * size**2)
    to_all = [distance.mahalanobis(a, mean, inverse) for a in new_averages]
    np.testing.assert_allclose(got[:, 1], to_all, rtol=5e-3)


@pytest.mark.parametrize("classes", [2, 3, 40])
def test_other_pictures_are_beyond_the_threshold(classes):
    held_out, _, head = pictures(200, classes, seed=1)
    known, _, _ = pictures(400, classes, seed=2)
    measure = fitted(30 * classes, classes)
    measure = measure.calibrated(measure.distances(held_out, logits(held_out, head)))
    rng = np.random.default_rng(3)
    others = rng.gamma(1, 1, (50, WIDTH)).astype(np.float16)  # of other clusters
    assert (measure.score(others, logits(others, head)) > measure.threshold).all()
    passed = measure.score(known, logits(known, head)) <= measure.threshold
    assert np.mean(passed) > 0.95


def test_a_class_left_out_is_beyond_it_though_its_averages_are_usual():
    known, _, head = pictures(200, 3, seed=1)
    measure = fitted()
    measure = measure.calibrated(measure.distances(known, logits(known, head)))
    moved = np.roll(known.reshape(-1, 36, CHANNELS), 5, axis=1).reshape(known.shape)
    first, second = measure.distances(moved, logits(moved, head)).T
    assert (measure.score(moved, logits(moved, head)) > measure.threshold).all()
    assert (first > measure.arrays["limits"][0]).all()
    assert np.mean(second <= measure.arrays["limits"][1]) > 0.95


def test_contrast_does_not_matter():
    x, _, head = pictures(20, seed=1)
    kernel, measure = head[0], fitted()
    once = measure.distances(x, x.astype(np.float32) @ kernel)
    np.testing.assert_allclose(
        measure.distances(x / 4, (x / 4).astype(np.float32) @ kernel), once, rtol=1e-3
    )


def test_the_share_that_passes_is_the_one_asked_for():
    scores = np.random.default_rng(0).permutation(1000).astype(np.float32)
    limit = novelty.threshold(scores)
    assert np.mean(scores <= limit) == pytest.approx(0.99, abs=0.0015)
    both = np.random.default_rng(1).gamma(2, 1, (1000, 2)).astype(np.float32)
    measure = fitted().calibrated(both)
    assert np.mean(measure.joined(both) <= measure.threshold) == pytest.approx(0.99, abs=0.0015)


def test_what_is_off_in_all_directions_counts_as_nearer_than_what_is_off_in_the_heads():
    x, _, head = pictures(3, seed=1)
    x, measure = x.astype(np.float32), fitted()
    noise = np.random.default_rng(4).standard_normal(x.shape, np.float32)
    basis = np.linalg.qr(np.column_stack([head[0], x.T]))[0]
    noise -= noise @ basis @ basis.T  # no logit depends on it
    both = np.concatenate([x, x + noise]).astype(np.float16)
    _, own, _ = novelty.scaled(both, logits(both, head), RECIPE)
    to_each = novelty.apart(own, measure.arrays["centres"]) / measure.arrays["scales"]
    counted = measure.distances(both, logits(both, head))[:, 0] / to_each.min(axis=1)
    assert (counted[3:] < 0.9 * counted[:3]).all()
    # Farther than a known picture ever is, it counts no nearer: by 1.5 times the usual, at most.
    far = (x + 9 * noise).astype(np.float16)
    _, own, _ = novelty.scaled(far, logits(far, head), RECIPE)
    to_each = novelty.apart(own, measure.arrays["centres"]) / measure.arrays["scales"]
    nearest, second = np.sort(to_each, axis=1)[:, :2].T
    wanted = nearest / second**0.2 / 1.5**0.5
    np.testing.assert_allclose(measure.distances(far, logits(far, head))[:, 0], wanted, rtol=1e-3)


def test_the_second_distance_alone_turns_away_one_known_picture_of_a_thousand():
    both = np.random.default_rng(1).gamma(2, 1, (5000, 2)).astype(np.float32)
    measure = fitted().calibrated(both)
    alone = measure.joined(both * [0, 1]) > 1
    assert np.mean(alone) == pytest.approx(0.001, abs=0.0003)
    assert (measure.joined(both * [0, 1])[~alone] <= 1).all()


def test_features_on_disk_are_read_in_chunks_and_rows_are_what_is_trained_on(tmp_path, monkeypatch):
    x, labels, head = pictures(120)
    rows = np.arange(30, 120)
    whole = novelty.fit(x[rows], np.arange(90), labels[rows], *head, RECIPE)
    np.save(tmp_path / "features.npy", x)
    monkeypatch.setattr(linear, "CHUNK", 7)
    chunked = novelty.fit(FeatureFile(tmp_path / "features.npy"), rows, labels[rows], *head, RECIPE)
    for name, array in whole.arrays.items():
        assert chunked.arrays[name].dtype == array.dtype
    new, _, _ = pictures(10, seed=1)
    np.testing.assert_allclose(
        chunked.distances(new, logits(new, head)),
        whole.distances(new, logits(new, head)),
        rtol=1e-3,
    )


def test_the_sample_is_of_all_classes_alike_and_always_the_same():
    labels = np.repeat([0, 1, 2], [20_000, 5_000, 10])
    chosen = novelty.sample(labels)
    assert np.bincount(labels[chosen]).tolist() == [2666, 2666, 10]
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, novelty.sample(labels))
    np.testing.assert_array_equal(novelty.sample(labels[chosen]), np.arange(len(chosen)))
    many = novelty.sample(np.repeat(np.arange(2000), 12))
    assert len(many) == 2000 * novelty.LEAST


def test_equal_pictures_give_finite_scores():
    x, labels, head = pictures(6)
    x[:] = x[0]
    measure = novelty.fit(x, np.arange(6), labels, *head, RECIPE)
    scores = measure.score(np.zeros_like(x), np.zeros((6, 3), np.float32))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", ["fc7", "pool5", "conv4", "conv3+conv4", "best"])
def test_every_recipe_is_averaged_over_its_places(name):
    recipe = RECIPES[name]
    x = np.random.default_rng(0).random((4, recipe.width)).astype(np.float16)
    averages, own, sketch = novelty.scaled(x, np.ones((4, 2), np.float32), recipe)
    each = 16 if name == "fc7" else 36
    assert averages.shape == (4, recipe.width // each)
    part = x[1, : recipe.width // len(recipe.layers)].astype(np.float64).reshape(each, -1)
    length = np.linalg.norm(x[1].astype(np.float64))
    np.testing.assert_allclose(averages[1, : part.shape[1]], part.mean(axis=0) / length, rtol=1e-4)
    assert not own.any()
    lengths = np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    np.testing.assert_allclose(sketch, linear.sketch(x) / lengths, rtol=1e-3, atol=1e-6)


def test_the_bundled_recipe_stays_within_its_quarter_of_a_megabyte():
    arrays = fitted(430, 43).arrays
    assert sum(array.nbytes for array in arrays.values()) < 250_000

"""Numbers about predictions, against plain Python, closed forms and scipy."""

import math
import random

import numpy as np
import pytest

from lab.errors import LabError
from lab.judging import metrics


def made_up(n=500, classes=7, seed=0):
    """Probabilities (n, classes), and labels that follow them."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (n, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(classes, p=p) for p in probabilities])
    return logits, probabilities, labels


def test_interval_of_single_pictures_is_the_binomial_one():
    """With a track for each picture, the bootstrap's spread is that of a share: sqrt(pq/n)."""
    correct = np.arange(2000) % 10 != 0  # 90%
    low, high = metrics.track_interval(correct, np.arange(2000))
    half = 1.96 * math.sqrt(0.9 * 0.1 / 2000)
    assert low == pytest.approx(0.9 - half, abs=0.002)
    assert high == pytest.approx(0.9 + half, abs=0.002)
    assert metrics.track_interval(correct, None) == (low, high)


def test_interval_is_over_tracks():
    """30 frames that share their track's fate are one draw: sqrt(30) times as wide an interval."""
    right = np.arange(200) % 10 != 0
    low, high = metrics.track_interval(np.repeat(right, 30), np.repeat(np.arange(200), 30))
    half = 1.96 * math.sqrt(0.9 * 0.1 / 200)
    assert low == pytest.approx(0.9 - half, abs=0.008)
    assert high == pytest.approx(0.9 + half, abs=0.008)


def test_interval_of_unequal_tracks_agrees_with_plain_python():
    """Tracks of unequal length weigh by their pictures; numbers and order of tracks are free."""
    tracks = [7] * 40 + [-3] * 5 + [900] * 30 + [12] * 25 + [13] * 10 + [5] * 1
    chance = random.Random(1)
    correct = [chance.random() < {7: 0.9, -3: 0.2, 900: 0.7}.get(t, 0.5) for t in tracks]
    own = {t: [c for c, u in zip(correct, tracks, strict=True) if u == t] for t in set(tracks)}
    draws = []
    for _ in range(20000):
        drawn = [own[t] for t in chance.choices(sorted(own), k=len(own))]
        draws.append(sum(map(sum, drawn)) / sum(map(len, drawn)))
    draws.sort()
    order = np.random.default_rng(0).permutation(len(tracks))
    interval = metrics.track_interval(
        np.array(correct)[order], np.array(tracks)[order], draws=20000
    )
    assert interval == pytest.approx((draws[500], draws[19500]), abs=0.01)


def test_interval_is_repeatable_and_follows_its_seed():
    """The same seed draws the same tracks."""
    correct, tracks = np.random.default_rng(0).random(3000) < 0.9, np.arange(3000) // 10
    first = metrics.track_interval(correct, tracks)
    assert first == metrics.track_interval(correct, tracks)
    assert first != metrics.track_interval(correct, tracks, seed=1)
    assert all(type(end) is float for end in first)


def test_interval_where_there_is_none():
    """One track says nothing; where all is right, or wrong, the bootstrap sees no spread."""
    assert metrics.track_interval([True, False], [4, 4]) == (0.0, 1.0)
    assert metrics.track_interval([True, True], [1, 2]) == (1.0, 1.0)
    assert metrics.track_interval([False, False], [1, 2]) == (0.0, 0.0)


def test_interval_refuses_no_picture_and_unequal_lengths():
    """The message has both numbers."""
    with pytest.raises(LabError, match="at least one picture; received 0 pictures"):
        metrics.track_interval([], [])
    with pytest.raises(LabError, match="received 2 pictures and 3 tracks"):
        metrics.track_interval([True, False], [1, 2, 3])


@pytest.mark.parametrize("bins", [15, 10, 1])
def test_calibration_error_agrees_with_plain_python(bins):
    """Guo et al.'s sum, written out picture by picture."""
    _, probabilities, labels = made_up()
    total = 0.0
    for k in range(bins):
        inside = [
            (max(p), int(list(p).index(max(p)) == label))
            for p, label in zip(probabilities, labels, strict=True)
            if k / bins < max(p) <= (k + 1) / bins
        ]
        if inside:
            confidence, right = (sum(part) / len(inside) for part in zip(*inside, strict=True))
            total += len(inside) / len(labels) * abs(right - confidence)
    assert metrics.expected_calibration_error(probabilities, labels, bins) == pytest.approx(total)


def test_calibration_error_of_known_cases():
    """Always sure and always wrong is 1, sure and right is 0, 0.8 sure and half right is 0.3."""
    sure = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    assert metrics.expected_calibration_error(sure, np.array([1, 2, 0, 0])) == 1
    assert metrics.expected_calibration_error(sure, np.array([0, 0, 1, 2])) == 0
    some = np.tile([0.8, 0.2], (4, 1))
    assert metrics.expected_calibration_error(some, np.array([0, 1, 0, 1])) == pytest.approx(0.3)


def test_reliability_puts_an_upper_end_into_its_bin():
    """0.5 of two bins belongs to the first; an empty bin has no accuracy."""
    count, confidence, accuracy = metrics.reliability(
        np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 1]), bins=2
    )
    assert count.tolist() == [2, 0]
    np.testing.assert_array_equal(confidence, [0.5, np.nan])
    np.testing.assert_array_equal(accuracy, [0.5, np.nan])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_found_again(temperature):
    """Labels drawn at temperature 1, logits multiplied: the factor comes back."""
    logits, _, labels = made_up(20000)
    found = metrics.fit_temperature(temperature * logits, labels)
    assert found == pytest.approx(temperature, rel=0.03)


def test_temperature_is_the_best_of_a_grid():
    """No temperature of a fine grid makes the labels more probable; logits may be any size."""
    logits, _, labels = made_up(300, seed=3)
    logits = (2.2 * logits + 500).astype(np.float32)

    def loss(temperature):
        scaled = logits.astype(np.float64) / temperature
        p = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return -np.log(p[np.arange(300), labels] / p.sum(axis=1)).mean()

    grid = np.geomspace(0.1, 10, 2001)
    best = grid[np.argmin([loss(t) for t in grid])]
    assert metrics.fit_temperature(logits, labels) == pytest.approx(best, rel=0.005)


def test_temperature_has_ends():
    """All right is no reason to be surer than before, all wrong wants nothing but doubt."""
    logits = np.eye(5) * 3
    _, hottest = metrics.TEMPERATURES
    right = metrics.fit_temperature(logits, np.arange(5))
    wrong = metrics.fit_temperature(logits, (np.arange(5) + 1) % 5)
    assert right == 1
    assert 15 < wrong <= hottest


def test_accuracy_by_class_and_confused_pairs():
    """Rows are true, columns predicted; a class without pictures has no accuracy."""
    matrix = np.array([[1, 2, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(metrics.accuracy_by_class(matrix), [1 / 3, np.nan, 1 / 2, np.nan])
    assert metrics.confused_pairs(matrix) == [(0, 1, 2), (2, 0, 1)]
    assert metrics.confused_pairs(matrix, most=1) == [(0, 1, 2)]
    assert metrics.confused_pairs(np.diag([3, 4])) == []


def test_surest_mistakes():
    """Wrong ones alone, by falling probability of the wrong name."""
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    labels = np.array([0, 1, 0, 0])
    assert metrics.surest_mistakes(probabilities, labels).tolist() == [2, 3, 1]
    assert metrics.surest_mistakes(probabilities, labels, most=2).tolist() == [2, 3]
    assert len(metrics.surest_mistakes(probabilities[:1], labels[:1])) == 0


def test_surest_mistakes_show_three_of_a_track_at_most():
    """Frames of one sign do not fill the list; what another track has comes next."""
    sure = np.linspace(0.99, 0.6, 12)
    probabilities = np.stack([sure, 1 - sure], axis=1)
    labels, tracks = np.ones(12, int), np.array([5] * 6 + [2, 5, 2, 9, 2, 2])
    found = metrics.surest_mistakes(probabilities, labels, tracks)
    assert found.tolist() == [0, 1, 2, 6, 8, 9, 10]
    assert metrics.surest_mistakes(probabilities, labels, tracks, most=4).tolist() == [0, 1, 2, 6]
    none = metrics.surest_mistakes(probabilities, 1 - labels, tracks)
    assert len(none) == 0


def test_brightness():
    """White is 255, black 0, green brighter than blue."""
    colours = np.array([[255, 255, 255], [0, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    images = np.tile(colours[:, None, None], (1, 4, 4, 1))
    np.testing.assert_allclose(
        metrics.brightness(images), [255, 0, 255 * 0.587, 255 * 0.114], rtol=1e-9
    )


def test_accuracy_by_bin():
    """A lower edge is inside; empty bins are left out; the ends are open."""
    values = np.array([5, 10, 10, 35, 99])
    correct = np.array([True, True, False, False, True])
    rows = metrics.accuracy_by_bin(values, (10, 20, 30), correct, np.array([1, 2, 3, 4, 4]))
    assert [row[:3] for row in rows] == [(0, 1, 1.0), (1, 2, 0.5), (3, 2, 0.5)]
    assert [row[3] for row in rows] == [(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]
    many = metrics.accuracy_by_bin(
        np.repeat([1, 50], 100), (10,), np.arange(200) % 5 != 0, np.arange(200)
    )
    expected = metrics.track_interval(np.arange(100) % 5 != 0, None)
    assert many == [(0, 100, 0.8, expected), (1, 100, 0.8, expected)]

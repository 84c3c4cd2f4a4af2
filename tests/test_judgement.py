"""A judgement: its numbers against scikit-learn and plain NumPy, and what it refuses."""

import numpy as np
import pytest
from judgements import alone, made_up
from sklearn.metrics import accuracy_score, recall_score

from lab.data import fingerprints
from lab.errors import LabError
from lab.judging import judge, metrics


def softmax(logits):
    exponents = np.exp(logits.astype(np.float64))
    return exponents / exponents.sum(axis=1, keepdims=True)


def test_probabilities_with_and_without_the_temperature():
    """The classifier's temperature divides the logits; uncalibrated ones are their softmax."""
    judgement = made_up(temperature=0.5)
    logits = judgement.logits
    np.testing.assert_allclose(judgement.uncalibrated, softmax(logits), rtol=1e-9)
    np.testing.assert_allclose(judgement.probabilities, softmax(2 * logits), rtol=1e-9)
    before = metrics.expected_calibration_error(softmax(logits), judgement.labels)
    after = metrics.expected_calibration_error(softmax(2 * logits), judgement.labels)
    assert judgement.calibration_error == pytest.approx({"before": before, "after": after})
    assert abs(before - after) > 0.01


def test_accuracy_and_interval():
    """The share of right answers, and its interval over tracks where they are known."""
    judgement = made_up()
    predicted = judgement.logits.argmax(axis=1)
    assert judgement.accuracy == accuracy_score(judgement.labels, predicted)
    correct = predicted == judgement.labels
    assert judgement.interval == metrics.track_interval(correct, judgement.data.tracks)
    assert made_up(tracks=None).interval is None


def test_matrix_and_classes():
    """Rows are true, columns predicted; a class without pictures has a row and no accuracy."""
    labels, predicted = np.array([0, 0, 0, 2, 2], np.uint8), np.array([0, 1, 1, 2, 0])
    names = ["zero", "one", "two", "three"]
    logits = np.eye(4, dtype=np.float32)[predicted]
    judgement = made_up(5, labels=labels, logits=logits, names=names)
    matrix = [[1, 2, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert judgement.matrix.tolist() == matrix
    rows = judgement.per_class()
    assert [(row["class"], row["index"], row["images"]) for row in rows] == [
        ("zero", 0, 3),
        ("two", 2, 2),
    ]
    recall = recall_score(labels, predicted, labels=[0, 2], average=None)
    assert [row["accuracy"] for row in rows] == pytest.approx(recall.tolist())


def test_labels_of_eight_bits_do_not_overflow():
    """Class 42 of 43 as uint8: 42 * 43 is above 255."""
    right = np.eye(43, dtype=np.float32)[[41]]
    matrix = alone(labels=np.array([42], np.uint8), logits=right).matrix
    assert matrix[42, 41] == 1
    assert matrix.sum() == 1


class Trunk:
    """Weights that were trained on the first of three pictures."""

    def __init__(self, data):
        self.trained_on = fingerprints.picture_hashes(data.images[:1])
        self.held_out = np.zeros(0, np.uint64)


@pytest.mark.parametrize("files", [None, ["a.png", "b.png", "c.png"]])
def test_judge_leaves_out_what_the_network_was_trained_on(files, monkeypatch):
    """The others alone are answered, and known by their files or their rows."""
    made = made_up(3, files=files)

    def features(self, images, trunk):
        rows = [np.flatnonzero((made.data.images == i).all(axis=(1, 2, 3)))[0] for i in images]
        yield made.logits[rows]

    monkeypatch.setattr(type(made.classifier), "features", features)
    monkeypatch.setattr(type(made.classifier), "head", lambda self, x: x)
    judgement = judge(made.classifier, Trunk(made.data), made.data)
    assert list(judgement.index) == (files or [0, 1, 2])[1:]
    np.testing.assert_array_equal(judgement.logits, made.logits[1:])
    np.testing.assert_array_equal(judgement.labels, made.labels[1:])
    chosen = judge(made.classifier, Trunk(made.data), made.data, np.array([2, 0]))
    np.testing.assert_array_equal(chosen.logits, made.logits[[2, 0]])
    assert list(chosen.index) == [files[2], files[0]] if files else [2, 0]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"labels": np.zeros(0, int)}, "expected labelled pictures; received none"),
        ({"sketch": np.zeros((2, 5))}, "expected sketch of 3 pictures, as many as labels; .* 2"),
        ({"index": ["a.png"]}, "expected index of 3 pictures, as many as labels; received 1"),
        ({"labels": np.array([0, 1, 43])}, "labels 0 to 42; received .* and 0 to 43"),
        ({"labels": np.array([-1, 1, 4])}, "labels 0 to 42; received .* and -1 to 4"),
        ({"names": ["one", "two"]}, r"expected logits \(3, 2\) .*received \(3, 43\)"),
        ({"logits": np.full((3, 43), np.nan, np.float32)}, "expected finite logits"),
    ],
)
def test_parts_that_do_not_fit(other, message):
    """One line: what was expected and what was received."""
    with pytest.raises(LabError, match=message) as caught:
        made_up(3, **other)
    assert "\n" not in str(caught.value)

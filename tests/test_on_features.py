"""Heads on features: those that are judged, and the one that is saved."""

import resource
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lab import classifier
from lab.data import CLASSES, class_names, train_p
from lab.data.splits import Split
from lab.errors import LabError
from lab.features import extractor
from lab.features.recipes import Recipe
from lab.training import frozen_heads, on_features
from lab.training.frozen_heads import Settings
from lab.training.on_features import HeadTraining

SMALL = Recipe("small", ("pool5",), size=99)  # 1,024 features


@pytest.fixture
def data():
    """Pictures of all classes, five of each, and features that tell their class."""
    labels = np.repeat(np.arange(CLASSES), 5)
    content = {"features": np.zeros((len(labels), 32, 32, 3), np.uint8), "labels": labels}
    x = np.random.default_rng(0).normal(0, 0.1, (len(labels), SMALL.width))
    x[:, :CLASSES] += 3 * np.eye(CLASSES)[labels]
    return train_p.from_dict(content, "test"), x.astype(np.float16)


SETTINGS = Settings(SMALL, epochs=60, batch_size=8)
BY_LBFGS = replace(SETTINGS, recipe=replace(SMALL, components=40))


def training(data, x, split, monkeypatch, settings=SETTINGS):
    """A training whose features are `x`, split as given."""
    monkeypatch.setattr(frozen_heads, "features_of", lambda *_: (x, {}))
    monkeypatch.setattr(on_features.weights, "check", lambda *_: None)
    monkeypatch.setattr(on_features.splits, "by_name", lambda *_: split)
    # These features are of no network: copies of the pictures have none. See test_answers.py.
    monkeypatch.setattr(on_features, "fitted_temperature", lambda *_: 1.5)
    trunk = SimpleNamespace(sha256="0" * 64, trained_on=(), arrays={}, path="w.npz")
    return HeadTraining(settings, "random", data, trunk)


def held_out_class(labels, label=7):
    """Everything but one class to train on."""
    held_out = labels == label
    return Split(np.flatnonzero(~held_out), np.flatnonzero(held_out), np.zeros(0, int), "random")


@pytest.mark.parametrize("settings", [SETTINGS, BY_LBFGS], ids=["Adam", "L-BFGS"])
def test_the_figure_is_the_judged_head_s(data, monkeypatch, settings):
    """What is reported comes from a head that has not seen the held-out pictures; the head that is
    saved has learned from them as much as from all others."""
    data, x = data
    split = held_out_class(data.labels)
    trained = training(data, x, split, monkeypatch, settings).run("nowhere")
    assert trained.history[-1]["validation_accuracy"] == 0
    assert trained.measured["fitted_on_judged"]  # no tracks are known: there are no others
    assert not (trained.judgement.logits.argmax(axis=1) == 7).any()
    judged, saved = (
        x.astype(np.float32) @ one.kernel + one.bias
        for one in (trained.judgement.classifier, trained.saved)
    )
    np.testing.assert_allclose(judged[split.held_out], trained.judgement.logits, atol=1e-2)
    assert (saved.argmax(axis=1) == data.labels).all()


def test_the_saved_head_is_trained_in_full(data, monkeypatch):
    """Bit for bit the head that as many epochs on all pictures give."""
    data, x = data
    trained = training(data, x, held_out_class(data.labels), monkeypatch).run("nowhere")
    wanted, _ = frozen_heads.fit(x, data, np.arange(len(data)), SETTINGS)
    np.testing.assert_array_equal(trained.saved.kernel, wanted.kernel)


def test_cross_validation(data, monkeypatch, tmp_path):
    """Each fold's answers are those of a head fitted on the other folds, and of no other."""
    data, x = data
    fold = np.arange(len(data)) % 5
    everything = np.arange(len(data))
    split = Split(everything, everything, np.zeros(0, int), "folds", fold)
    told, short = [], replace(SETTINGS, epochs=8)
    trained = training(data, x, split, monkeypatch, short).run(tmp_path, told.append)
    for k in range(5):
        head, _ = frozen_heads.fit(x, data, np.flatnonzero(fold != k), short)
        rows = np.flatnonzero(fold == k)
        wanted = x[rows].astype(np.float32) @ head.kernel + head.bias
        np.testing.assert_allclose(trained.judgement.logits[rows], wanted, atol=1e-3)
    assert len(told) == 8 and told == trained.history
    right = (trained.judgement.logits.argmax(axis=1) == data.labels).mean()
    assert told[-1]["validation_accuracy"] == pytest.approx(right)


def test_a_mistake_is_explained_by_the_head_that_made_it(data, monkeypatch, tmp_path):
    """A class that one fold has all of: its head cannot name it, while the saved one does."""
    data, x = data
    fold = np.where(data.labels == 7, 2, np.arange(len(data)) % 5)
    everything = np.arange(len(data))
    split = Split(everything, everything, np.zeros(0, int), "folds", fold)
    short = replace(SETTINGS, epochs=10)
    trained = training(data, x, split, monkeypatch, short).run(tmp_path)
    judgement, wrong = trained.judgement, np.flatnonzero(data.labels == 7)
    assert (trained.saved.head(x[wrong]).argmax(axis=1) == 7).all()
    rows = np.concatenate([wrong, everything[::3]])
    explained = []
    for one, places in judgement.answered_by(rows):
        answers = one.head(x[rows[places]])
        np.testing.assert_allclose(answers, judgement.logits[rows[places]], atol=1e-4)
        np.testing.assert_array_equal(answers.argmax(axis=1), judgement.predicted[rows[places]])
        assert (one.temperature, one.novelty) == (trained.saved.temperature, trained.saved.novelty)
        explained += list(places)
    assert sorted(explained) == list(range(len(rows)))
    assert not (judgement.predicted[wrong] == 7).any() and not list(tmp_path.iterdir())


def test_strangers_are_told_by_pictures_that_the_head_has_not_seen(data, monkeypatch, tmp_path):
    """The threshold lets the held-out pictures pass, and turns away noise of no class."""
    data, x = data
    fold = np.arange(len(data)) % 5
    everything = np.arange(len(data))
    split = Split(everything, everything, np.zeros(0, int), "folds", fold)
    trained = training(data, x, split, monkeypatch, BY_LBFGS).run(tmp_path)
    assert trained.judgement.turned_away.sum() <= 2  # of 215
    noise = np.random.default_rng(1).normal(0, 0.1, (50, SMALL.width)).astype(np.float16)
    distances = trained.saved.novelty.distances(noise, trained.saved.head(noise))
    assert np.mean([not answer["known"] for answer in trained.saved.known(distances)]) > 0.9


def test_a_large_set_goes_the_quick_way(data, monkeypatch):
    """The number of pictures reaches the extractor, in training and in judging."""
    data, _ = data
    counts = []

    def counted(arrays, recipe, variant, precision="float32", count=1, side=0):
        counts.append((count, side))
        raise LabError("enough")

    monkeypatch.setattr(extractor, "Extractor", counted)
    trunk = SimpleNamespace(sha256="0" * 64, arrays={}, recipe=None)
    with pytest.raises(LabError, match="enough"):
        frozen_heads.features_of(data, trunk, SETTINGS)
    head = classifier.fresh(class_names(), trunk, "caffe")
    with pytest.raises(LabError, match="enough"):
        head.logits(data.images, trunk)
    assert counts == [(len(data), 32)] * 2


def test_a_head_that_finds_no_room_to_be_set_aside(tmp_path):
    """A limit on files, or a full disk: the cause is said, in words."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(LabError, match=r"cannot be written \(File too large\); choose another"):
            on_features._set_aside(np.zeros((300, 100), np.float32), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(on_features._set_aside(kernel, tmp_path), kernel)
    assert not list(tmp_path.iterdir())

"""Heads on features: the one that is judged, and the one that is saved."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lab import classifier
from lab.data import CLASSES, class_names, train_p
from lab.data.splits import Split
from lab.errors import LabError
from lab.features import extractor
from lab.features.recipes import RECIPES, Recipe
from lab.training import on_features
from lab.training.on_features import Settings


@pytest.fixture
def data():
    """Pictures of all classes, five of each, and features that tell their class."""
    labels = np.repeat(np.arange(CLASSES), 5)
    content = {"features": np.zeros((len(labels), 32, 32, 3), np.uint8), "labels": labels}
    x = np.random.default_rng(0).normal(0, 0.3, (len(labels), 50))
    x[:, :CLASSES] += 3 * np.eye(CLASSES)[labels]
    return train_p.from_dict(content, "test"), x.astype(np.float16)


SETTINGS = Settings(RECIPES["conv4"], epochs=100, batch_size=8)


def test_refitted(data):
    """What was held out from the judged head is learned from by the one that is saved."""
    data, x = data
    held_out = data.labels == 7
    head, history = on_features.fit(x, data.labels, np.flatnonzero(~held_out), SETTINGS)
    everything = np.arange(len(data))
    before = head.logits(x, everything)
    right = before.argmax(axis=1) == data.labels
    assert history == [] and right[~held_out].all() and not right[held_out].any()
    saved = on_features.refitted(head, x, data.labels, SETTINGS)
    assert saved.epoch == 100 + on_features.REFIT
    after = saved.logits(x, everything)
    assert (after[held_out, 7] > before[held_out, 7] + 0.1).all()
    assert (after.argmax(axis=1) == data.labels)[~held_out].all()


def test_refitted_by_lbfgs(data):
    """A new head, which knows the class that the judged one did not."""
    data, x = data
    settings = replace(SETTINGS, recipe=Recipe("by L-BFGS", ("conv4",), components=40))
    held_out = data.labels == 7
    head, _ = on_features.fit(x, data.labels, np.flatnonzero(~held_out), settings)
    saved = on_features.refitted(head, x, data.labels, settings)
    everything = np.arange(len(data))
    assert not (head.logits(x, everything).argmax(axis=1) == 7).any()
    assert (saved.logits(x, everything).argmax(axis=1) == data.labels).all()


@pytest.mark.parametrize("epochs", [1, 100])
def test_the_figure_is_the_judged_head_s(data, monkeypatch, epochs):
    """The head that is saved has seen the held-out pictures; what is reported comes before."""
    data, x = data
    monkeypatch.setattr(on_features, "features_of", lambda *_: (x, {}))
    held_out = data.labels == 7
    split = Split(np.flatnonzero(~held_out), np.flatnonzero(held_out), np.zeros(0, int), "random")
    trunk = SimpleNamespace(sha256="0" * 64)
    settings = replace(SETTINGS, epochs=epochs)
    trained = on_features.train(data, trunk, settings, split)
    assert trained.history[-1]["validation_accuracy"] == 0
    assert not (trained.judgement.logits.argmax(axis=1) == 7).any()
    for one, seen in ((trained.judgement.classifier, False), (trained.saved, True)):
        logits = x[held_out].astype(np.float32) @ one.kernel + one.bias
        same = np.isclose(logits, trained.judgement.logits, atol=1e-3).all()
        assert same != seen and (logits[:, 7] > trained.judgement.logits[:, 7] + 1e-3).all() == seen
    assert trained.measured["refit_epochs"] == min(2, epochs)


def test_a_large_set_goes_the_quick_way(data, monkeypatch):
    """The number of pictures reaches the extractor, in training and in judging."""
    data, _ = data
    counts = []

    def counted(arrays, recipe, variant, precision="float32", count=1):
        counts.append(count)
        raise LabError("enough")

    monkeypatch.setattr(extractor, "Extractor", counted)
    trunk = SimpleNamespace(sha256="0" * 64, arrays={})
    with pytest.raises(LabError, match="enough"):
        on_features.features_of(data, trunk, SETTINGS)
    head = classifier.fresh(class_names(), trunk, "caffe")
    with pytest.raises(LabError, match="enough"):
        head.logits(data.images, trunk)
    assert counts == [len(data)] * 2

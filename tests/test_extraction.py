"""The head that is kept: it has learned from all pictures."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lab import classifier
from lab.data import dataset
from lab.errors import LabError
from lab.features import extractor
from lab.features.recipes import RECIPES, Recipe
from lab.training import on_features
from lab.training.on_features import Settings

CLASSES = 43


@pytest.fixture
def data():
    """Pictures of all classes, five of each, and features that tell their class."""
    labels = np.repeat(np.arange(CLASSES), 5)
    content = {"features": np.zeros((len(labels), 32, 32, 3), np.uint8), "labels": labels}
    x = np.random.default_rng(0).normal(0, 0.3, (len(labels), 50))
    x[:, :CLASSES] += 3 * np.eye(CLASSES)[labels]
    return dataset.from_dict(content, "test"), x.astype(np.float16)


SETTINGS = Settings("conv4", "caffe", "float32", "random", epochs=100, batch_size=8, seed=0)


def test_refitted(data):
    """What was held out from the judged head is learned from by the one that is kept."""
    data, x = data
    held_out = data.labels == 7
    head, history = on_features.fit(x, data, SETTINGS, np.flatnonzero(~held_out))
    everything = np.arange(len(data))
    before = head.logits(x, everything)
    right = before.argmax(axis=1) == data.labels
    assert history == [] and right[~held_out].all() and not right[held_out].any()
    kept = on_features.refitted(head, x, data, SETTINGS)
    assert kept.epoch == 100 + on_features.REFIT
    after = kept.logits(x, everything)
    assert (after[held_out, 7] > before[held_out, 7] + 0.1).all()
    assert (after.argmax(axis=1) == data.labels)[~held_out].all()


def test_refitted_by_lbfgs(data, monkeypatch):
    """A new head, which knows the class that the judged one did not."""
    data, x = data
    monkeypatch.setitem(RECIPES, "conv4", Recipe(("conv4",), components=40))
    held_out = data.labels == 7
    head, _ = on_features.fit(x, data, SETTINGS, np.flatnonzero(~held_out))
    kept = on_features.refitted(head, x, data, SETTINGS)
    everything = np.arange(len(data))
    assert not (head.logits(x, everything).argmax(axis=1) == 7).any()
    assert (kept.logits(x, everything).argmax(axis=1) == data.labels).all()


@pytest.mark.parametrize("epochs", [1, 100])
def test_the_figure_is_the_judged_head_s(data, monkeypatch, epochs):
    """The head that is kept has seen the held-out pictures; what is reported comes before."""
    data, x = data
    monkeypatch.setattr(on_features, "features_of", lambda *_: (x, None))
    held_out = data.labels == 7
    parts = np.flatnonzero(~held_out), np.flatnonzero(held_out), "random"
    trunk = SimpleNamespace(sha256="0" * 64)
    settings = replace(SETTINGS, epochs=epochs)
    outcome = on_features.train(data, trunk, settings, parts)
    assert outcome.history[-1]["validation_accuracy"] == 0
    assert not (outcome.judgement.logits.argmax(axis=1) == 7).any()
    kept = outcome.judgement.classifier
    logits = x[held_out].astype(np.float32) @ kept.kernel + kept.bias
    assert (logits[:, 7] > outcome.judgement.logits[:, 7]).all()
    assert outcome.measured["refit_epochs"] == min(2, epochs)


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
    head = classifier.fresh(dataset.class_names(), trunk, "caffe")
    with pytest.raises(LabError, match="enough"):
        head.answers(data.images, trunk)
    assert counts == [len(data)] * 2

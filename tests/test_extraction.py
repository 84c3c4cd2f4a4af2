"""The head that is kept: it has learned from all pictures."""

import numpy as np
import pytest

from lab import extraction, signs
from lab.extraction import Settings

CLASSES = 43


@pytest.fixture
def data():
    """Pictures of all classes, five of each, and features that tell their class."""
    labels = np.repeat(np.arange(CLASSES), 5)
    content = {"features": np.zeros((len(labels), 32, 32, 3), np.uint8), "labels": labels}
    x = np.random.default_rng(0).normal(0, 0.3, (len(labels), 50))
    x[:, :CLASSES] += 3 * np.eye(CLASSES)[labels]
    return signs.from_dict(content, "test"), x.astype(np.float16)


def test_refitted(data):
    """What was held out from the judged head is learned from by the one that is kept."""
    data, x = data
    settings = Settings("conv4", "caffe", "float32", "random", epochs=100, batch_size=8, seed=0)
    held_out = data.labels == 7
    head, history = extraction.fit(x, data, settings, np.flatnonzero(~held_out))
    everything = np.arange(len(data))
    before = head.logits(x, everything)
    right = before.argmax(axis=1) == data.labels
    assert history == [] and right[~held_out].all() and not right[held_out].any()
    kept = extraction.refitted(head, x, data, settings)
    assert kept.epoch == 100 + extraction.REFIT
    after = kept.logits(x, everything)
    assert (after[held_out, 7] > before[held_out, 7] + 0.1).all()

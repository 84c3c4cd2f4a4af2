"""What a network has seen: by pixels, by place, and held-out pixels settle it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lab.data import dataset, fingerprints
from lab.errors import LabError


@pytest.fixture(scope="module")
def data(tiny):
    """The tiny data as Dataset."""
    return dataset.from_dict(tiny, "tiny.p")


def network(data, rows, held_out):
    """Something that was trained on some rows."""
    prints = fingerprints.fingerprints(data)
    return SimpleNamespace(
        trained_on=np.unique(prints[rows]), held_out=np.unique(prints[held_out, 0])
    )


def test_pixels_are_known_in_any_order(data):
    """Without sizes and boxes, pixels alone."""
    bare = replace(data, sizes=None, coords=None)
    trained = network(bare, slice(0, 90), slice(90, 180))
    order = np.random.default_rng(0).permutation(len(data))
    seen = fingerprints.seen_by(trained, bare.subset(order))
    np.testing.assert_array_equal(seen, order < 90)


def test_other_pixels_of_the_same_signs_are_known(data):
    """Class, size and box give a picture away that was shrunk by another rule."""
    other = replace(data, images=data.images ^ np.uint8(1))
    trained = network(data, slice(0, 260), slice(0))
    with pytest.raises(LabError, match="no figure may be had"):
        fingerprints.seen_by(trained, other.subset(np.arange(100, 260)))


def test_places_shared_by_chance_prove_nothing(data):
    """A set of which a part shares class, size and box with what was seen is not a copy."""
    other = replace(data, images=data.images ^ np.uint8(1))
    trained = network(data, slice(0, 30), slice(90, 180))  # a third shares the first class's boxes
    assert not fingerprints.seen_by(trained, other).any()


def test_held_out_pixels_settle_it(data):
    """Two signs may share class, size and box; what was held out was held out."""
    trained = network(data, slice(0, 30), slice(30, 60))  # one class: the boxes are the same
    seen = fingerprints.seen_by(trained, data.subset(np.arange(90)))
    assert seen[:30].all() and not seen[30:60].any() and seen[60:90].all()


def test_nothing_left_to_judge_on(data):
    """All of them were trained on: an error that says what to do."""
    with pytest.raises(LabError, match=r"all 270, and no figure may be had on those: take another"):
        fingerprints.seen_by(network(data, slice(None), slice(0)), data)


def test_weights_that_tell_nothing(data):
    """ImageNet's weights have seen no sign."""
    nothing = SimpleNamespace(trained_on=np.zeros(0, np.uint64), held_out=np.zeros(0, np.uint64))
    assert not fingerprints.seen_by(nothing, data).any()

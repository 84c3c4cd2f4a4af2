"""What a network has seen: by pixels, by place, and held-out pixels settle it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from filmed import noise

from lab.data import fingerprints, train_p
from lab.errors import LabError


@pytest.fixture(scope="module")
def data(tiny):
    """The tiny data as Dataset."""
    return train_p.from_dict(tiny, "tiny.p")


def network(data, rows, held_out):
    """Something that was trained on some rows."""
    prints = fingerprints.of(data)
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
    with pytest.raises(LabError, match="say nothing about new pictures"):
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
    with pytest.raises(LabError, match=r"all 270, and .* nothing about new pictures: take another"):
        fingerprints.seen_by(network(data, slice(None), slice(0)), data)


def test_a_resized_copy_is_noticed_before_the_training(data):
    """What is judged afterwards by class, size and box is known by them beforehand."""
    copy = replace(data, images=data.images ^ np.uint8(1), source="copy.p")
    with pytest.raises(LabError, match=r"copy.p: .* for --test that the training does not learn"):
        fingerprints.shared(copy, data)
    part = data.subset(np.arange(0, 270, 2))  # pixels and places of half of it
    assert fingerprints.shared(data, part).tolist() == [True, False] * 135
    other = replace(data, images=noise(270), sizes=None, coords=None)
    assert not fingerprints.shared(other, data).any()


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_data_and_weights_know_a_second_set_together(data, order):
    """Half of it in --data, half known to the weights, by place or by pixels: nothing is left."""
    copy = replace(data, images=data.images ^ np.uint8(1))
    halves = [np.arange(135), np.arange(135, 270)]
    first, second = (halves[i] for i in order)
    with pytest.raises(LabError, match=r"are in tiny.p or known to the weights"):
        fingerprints.shared(copy, data.subset(first), network(data, second, slice(0)))


def test_held_out_of_the_weights_but_in_the_data(data):
    """Its own test pictures are new to the weights, unless this training learns from them."""
    bare = replace(data, sizes=None, coords=None)
    trained = network(bare, slice(0, 90), slice(90, 180))
    rows = np.arange(60, 180)
    test = bare.subset(rows)
    without, within = bare.subset(np.arange(180, 270)), bare.subset(np.arange(150, 270))
    np.testing.assert_array_equal(fingerprints.shared(test, without, trained), rows < 90)
    expected = (rows < 90) | (rows >= 150)
    np.testing.assert_array_equal(fingerprints.shared(test, within, trained), expected)


def test_weights_that_tell_nothing(data):
    """ImageNet's weights have seen no sign."""
    nothing = SimpleNamespace(trained_on=np.zeros(0, np.uint64), held_out=np.zeros(0, np.uint64))
    assert not fingerprints.seen_by(nothing, data).any()


def test_picture_hashes_find_copies():
    """A copied picture has its original's hash; one pixel makes another."""
    images = noise(5)
    copies = images[[3, 1]].copy()
    copies[1, 0, 0, 0] ^= 1
    hashes = fingerprints.picture_hashes(images)
    assert hashes.dtype == np.uint64
    assert len(set(hashes.tolist())) == 5
    assert np.isin(fingerprints.picture_hashes(copies), hashes).tolist() == [True, False]
    assert fingerprints.picture_hashes(images[:0]).shape == (0,)

"""Tracks are found in data that is in GTSRB's order, and in no other."""

import itertools

import numpy as np
import pytest
from filmed import drive

from lab.data import load, splits, tracks


def test_tracks_of_ordered_data():
    """Blocks of 30 within a class, from the boxes or from the sizes, also as uint8."""
    labels, ids, sizes, coords = drive([3, 1, 5])
    for found in (
        tracks.find(labels, None, coords),
        tracks.find(labels, sizes, None),
        tracks.find(labels, sizes, coords),
    ):
        np.testing.assert_array_equal(found[0], ids)
        assert found[1] == ""


@pytest.mark.parametrize(
    "lost",
    [[0], [29], [30], [131], [239], [0, 100, 101, 238], list(range(60, 85)), [*range(229, 240)]],
)
def test_tracks_where_frames_are_missing(lost):
    """One frame or many lost at the beginning, the end or inside: the other tracks stay whole."""
    labels, ids, _, coords = drive([8, 2])
    kept = np.setdiff1d(np.arange(len(labels)), lost)
    found, reason = tracks.find(labels[kept], None, coords[kept])
    assert reason == ""
    np.testing.assert_array_equal(found, ids[kept])


def test_cuts_are_the_deepest(monkeypatch):
    """Against every way to cut a few pictures, here into tracks of at most four."""
    monkeypatch.setattr(tracks, "FRAMES", 4)
    rng = np.random.default_rng(0)
    for n in list(range(1, 17)) * 4:
        area = rng.normal(size=n)
        count = -(-n // 4)
        ways = [w for w in itertools.product(range(1, 5), repeat=count) if sum(w) == n]
        cuts = [np.cumsum(way)[:-1] for way in ways]
        best = min(cuts, key=lambda cut: sum(area[i] - area[i - 1] for i in cut))
        assert tracks.cuts(area).tolist() == best.tolist()


def test_shuffled_data_has_no_tracks():
    """Shuffled as a whole, in every class, or in one class only: recognised, with the reason."""
    labels, _, _, coords = drive([6, 4, 30])
    rng = np.random.default_rng(1)
    whole = rng.permutation(len(labels))
    by_class = np.concatenate([rng.permutation(np.flatnonzero(labels == c)) for c in range(3)])
    one = np.concatenate([np.flatnonzero(labels != 1), by_class[labels[by_class] == 1]])
    for order in (whole, by_class, one):
        found, reason = tracks.find(labels[order], None, coords[order])
        assert found is None
        assert reason.startswith("its order is not GTSRB's: class ")
    assert "class 1 shows no sign coming nearer" in reason


def test_other_orders_have_no_tracks():
    """Every seventh frame, boxes that say nothing, reversed films, no boxes: no tracks."""
    labels, _, sizes, coords = drive([40, 40])
    assert tracks.find(labels[::7], None, coords[::7])[0] is None
    same, reason = tracks.find(labels, np.full_like(sizes, 32), None)
    assert same is None
    assert reason == "its order is not GTSRB's: blocks of 30 do not show a sign coming nearer"
    assert tracks.find(labels[::-1], None, coords[::-1])[0] is None
    none, reason = tracks.find(labels, None, None)
    assert none is None
    assert reason == "it has neither sizes nor coords, which show where a track begins"


def test_the_real_tracks(lab_data):
    """train.p has 1,307 tracks of 30 frames, but one of 29: the twentieth of class 33."""
    data = load(lab_data / "train.p")
    assert len(data) == 39209
    ids, lengths = np.unique(data.tracks, return_counts=True)
    np.testing.assert_array_equal(ids, np.arange(1307))
    assert lengths.tolist().count(30) == 1306
    short = np.flatnonzero(data.tracks == ids[lengths == 29])
    of_33 = np.flatnonzero(data.labels == 33)
    np.testing.assert_array_equal(short, of_33[19 * 30 : 19 * 30 + 29])
    by_size = tracks.find(data.labels, data.sizes, None)[0]
    np.testing.assert_array_equal(by_size, data.tracks)
    split = splits.by_track(data)
    assert (len(split.train), len(split.held_out)) == (31499, 7710)
    order = np.random.default_rng(0).permutation(len(data))
    shuffled = data.subset(order)
    assert tracks.find(shuffled.labels, shuffled.sizes, shuffled.coords)[0] is None

"""The splits are what they say, and follow their seed."""

import itertools
from functools import partial

import numpy as np
import pytest
from filmed import drive, noise

from lab.data import Dataset, Photographs, folds, splits
from lab.errors import LabError


def by_definition(labels, ids, k, seed):
    """folds as its docstring says it, sign by sign."""
    fold = {}
    for label in sorted(set(labels.tolist())):
        of_class = sorted(
            {i for i, c in zip(ids.tolist(), labels.tolist(), strict=True) if c == label}
        )
        order = np.random.default_rng([seed, label]).permutation(of_class)
        fold |= {int(track): (place + label) % k for place, track in enumerate(order)}
    return [fold[i] for i in ids.tolist()]


@pytest.mark.parametrize(("k", "seed"), [(5, 0), (8, 1)])
def test_folds(k, seed):
    """Each track is dealt to the fold that the definition names, also in a subset."""
    labels, ids, _, _ = drive([7, 9, 12])
    for index in (np.arange(len(labels)), np.flatnonzero(ids % 3 > 0)):
        fold = folds.of_tracks(labels[index], ids[index], k, seed)
        assert fold.tolist() == by_definition(labels[index], ids[index], k, seed)


@pytest.mark.parametrize("seed", [0, 3])
def test_by_track(seed):
    """No track is on both sides, each class is, about a fifth is held out: the seed's fold 0."""
    labels, ids, _, _ = drive([7, 9, 12, 30])
    split = splits.by_track(Dataset(noise(len(labels)), labels, ids), seed)
    assert (split.name, len(split.test)) == ("track", 0)
    assert sorted([*split.train, *split.held_out]) == list(range(len(labels)))
    assert not set(ids[split.train]) & set(ids[split.held_out])
    assert set(labels[split.held_out]) == set(labels[split.train]) == {0, 1, 2, 3}
    assert 0.15 < len(split.held_out) / len(labels) < 0.25
    fold = np.array(by_definition(labels, ids, 5, seed))
    np.testing.assert_array_equal(split.held_out, np.flatnonzero(fold == 0))


@pytest.mark.parametrize("seed", [0, 3])
def test_three_way(seed):
    """Test is what `by_track` holds out, held out is fold 0 of ten of the others' tracks."""
    labels, ids, _, _ = drive([12, 30])
    data = Dataset(noise(len(labels)), labels, ids)
    split, outer = splits.three_way(data, seed), splits.by_track(data, seed)
    np.testing.assert_array_equal(split.test, outer.held_out)
    fold = np.array(by_definition(labels[outer.train], ids[outer.train], 10, seed + 1))
    np.testing.assert_array_equal(split.held_out, outer.train[fold == 0])
    np.testing.assert_array_equal(split.train, outer.train[fold != 0])
    labels, ids, _, _ = drive([0, 0, 0, 3, 2])  # (p + 3) % 10 is 0 from eight tracks on
    with pytest.raises(
        LabError, match=r"my.p: expected about ten tracks a class, .*; received fewer"
    ):
        splits.three_way(Dataset(noise(len(labels)), labels, ids, source="my.p"))


@pytest.mark.parametrize("seed", [0, 7])
def test_the_random_split_is_the_labs(seed):
    """The pictures that sklearn's own call on the data gives, in its order; the lab's seed is 0."""
    from sklearn.model_selection import train_test_split

    images, labels = noise(100), np.arange(100) % 4
    expected = train_test_split(images, labels, test_size=0.33, random_state=seed)
    data = Dataset(images, labels)
    split = splits.random(data, seed)
    assert (split.name, len(split.held_out), len(split.test)) == ("random", 33, 0)
    np.testing.assert_array_equal(images[split.train], expected[0])
    np.testing.assert_array_equal(images[split.held_out], expected[1])
    np.testing.assert_array_equal(labels[split.train], expected[2])
    if not seed:
        np.testing.assert_array_equal(splits.random(data).train, split.train)


def test_by_seen():
    """What a network has seen is learned from, the rest is held out: by track, if it is so."""
    seen, labels = np.array([True, False, True, True, False, True]), np.array([0, 0, 1, 1, 1, 0])
    data = Dataset(noise(6), labels)
    for tracks, name in (
        (None, "weights' own"),
        ([7, 0, 8, 8, 1, 7], "track"),
        ([7, 0, 8, 1, 1, 7], "weights' own"),
    ):
        known = Dataset(noise(6), labels, None if tracks is None else np.array(tracks))
        split = splits.by_seen(known, seen)
        assert (split.train.tolist(), split.held_out.tolist()) == ([0, 2, 3, 5], [1, 4])
        assert split.name == name
    with pytest.raises(LabError, match=r"class .*30.* has no picture on the held-out side"):
        splits.by_seen(data, np.array([True, False, True, True, True, True]))


def test_splits_that_cannot_be():
    """Too few pictures, one class only, a class on one side only, no tracks: one line each."""
    for n in (1, 2):
        with pytest.raises(
            LabError, match=f"at least 3 pictures to split; received {n}; give more"
        ):
            splits.random(Dataset(noise(n), np.zeros(n, int)))
    with pytest.raises(
        LabError, match=r"at least 2 classes; received class .*100km/h.* alone; add another cl"
    ):
        splits.random(Dataset(noise(50), np.full(50, 7)))
    with pytest.raises(
        LabError, match=r"every class on both sides of the random split; class .*60km/h.* has no"
    ):
        splits.random(Dataset(noise(51), np.array([0] * 50 + [3])))
    labels, ids, _, _ = drive([6, 1])
    with pytest.raises(
        LabError, match=r"of the track split; class .*30km/h.* has no picture on the .* side \(1"
    ):
        splits.by_track(Dataset(noise(len(labels)), labels, ids))
    unknown = Dataset(noise(4), np.arange(4), no_tracks="it is shuffled", source="my.p")
    with pytest.raises(
        LabError, match=r"my.p: expected tracks .*; it is shuffled; take --split random"
    ):
        splits.by_track(unknown)


def photographs(labels, tracks=None, **more):
    """A set of photographs that nobody looks at."""
    n = len(labels)
    images = Photographs(["x.jpg"] * n, "centre")
    names = ["cat", "dog", "emu"]
    return Dataset(images, labels, tracks, names=names, crop="centre", source="my", **more)


@pytest.mark.parametrize("counts", [(2, 2), (30, 30, 30), (1000, 2, 7)])
def test_photographs_are_split_class_by_class(counts):
    """A third of each class is held out, and at least one; also of two among a thousand."""
    labels = np.repeat(np.arange(len(counts)), counts)
    split = splits.random(photographs(labels), seed=1)
    assert (split.name, len(split.test)) == ("random", 0)
    assert sorted([*split.train, *split.held_out]) == list(range(len(labels)))
    for label, count in enumerate(counts):
        held_out = (labels[split.held_out] == label).sum()
        assert 1 <= held_out < count
        assert abs(held_out - 0.33 * count) < 1
    np.testing.assert_array_equal(splits.random(photographs(labels), 1).train, split.train)
    if max(counts) > 2:
        assert (splits.random(photographs(labels), 2).train != split.train).any()


def test_photographs_of_one_object_stay_together():
    """No group on both sides, each class in proportion, by whatever name the split is asked for."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), rng.integers(1, 9, 60))
    labels = groups % 3
    data = photographs(labels, groups)
    for split in (splits.random(data), splits.by_track(data)):
        assert split.name == "track"
        assert not set(groups[split.train]) & set(groups[split.held_out])
        share = np.bincount(labels[split.held_out]) / np.bincount(labels)
        assert (np.abs(share - 0.2) < 0.06).all()
    split = splits.three_way(data)
    sides = [set(groups[part]) for part in (split.train, split.held_out, split.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 60
    assert all(set(labels[part]) == {0, 1, 2} for part in (split.train, split.held_out, split.test))


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(("fewest", "k"), [(2, 2), (4, 4), (30, 5)])
def test_stratified_folds(fewest, k, grouped):
    """Each class is in each fold, each group in one; few pictures, few folds."""
    units = np.repeat(np.arange(3), (30, fewest, 30))  # the class of each group, or picture
    groups = np.repeat(np.arange(len(units)), 3 if grouped else 1)
    labels = units[groups]
    data = photographs(labels, groups if grouped else None)
    fold = folds.stratified(data, seed=1)
    assert fold.dtype == np.int64
    assert set(fold) == set(range(k))
    for label in range(3):
        counts = np.bincount(fold[labels == label], minlength=k)
        assert counts.min() >= 1
        assert np.ptp(counts) <= (3 if grouped else 1)
    for group in range(len(units)):
        assert len(set(fold[groups == group])) == 1
    np.testing.assert_array_equal(folds.stratified(data, seed=1), fold)
    assert (folds.stratified(data, seed=2) != fold).any()


def mixed(seed):
    """Photographs in three to seven groups, each with up to three of two to five classes."""
    rng = np.random.default_rng(seed)
    count, classes = rng.integers(3, 8), rng.integers(2, 6)
    rows = []
    for group in range(count):
        for label in rng.choice(classes, rng.integers(1, min(classes, 3) + 1), replace=False):
            rows += [(label, group)] * rng.integers(1, 6)
    labels, groups = np.array(rows).T
    images = Photographs(["x.jpg"] * len(labels), "centre")
    return Dataset(images, labels, groups, names=list("abcde"), crop="centre", source="my")


def can_be_parted(data, count):
    """Whether the groups can be dealt to so many sides with each class on each: all deals tried."""
    holders = [set(data.tracks[data.labels == label]) for label in set(data.labels.tolist())]
    deals = itertools.product(range(count), repeat=data.tracks.max() + 1)
    return any(all(len({deal[g] for g in of}) == count for of in holders) for deal in deals)


@pytest.mark.parametrize("start", [0, 100, 200])
def test_groups_of_several_classes(start):
    """Every training has every class, no group is on two sides; refused is what cannot be alone."""
    seen = 0
    for seed in range(start, start + 100):
        data = mixed(seed)
        holders = [len(set(data.tracks[data.labels == label])) for label in set(data.labels)]
        if len(holders) < 2 or min(holders) < 2:
            continue
        every, seen = set(data.labels), seen + 1
        fold = splits.by_name(data, "folds", seed).fold
        assert set(fold) == set(range(fold.max() + 1)) <= set(range(5))
        assert all(set(data.labels[fold != i]) == every for i in set(fold))
        assert all(len(set(fold[data.tracks == group])) == 1 for group in set(data.tracks))
        ways = [(2, splits.by_track)]
        if min(holders) > 2:
            ways += [(3, partial(splits.for_network, how=how)) for how in (None, "track")]
        for count, way in ways:
            try:
                split = way(data, seed=seed)
            except LabError as error:
                assert "my: expected groups that can be dealt out" in str(error)
                assert not can_be_parted(data, count)
                continue
            sides = [split.train, split.held_out, split.test][:count]
            assert sorted(np.concatenate(sides)) == list(range(len(data)))
            assert all(set(data.labels[side]) == every for side in sides)
            assert sum(len(set(data.tracks[side])) for side in sides) == len(set(data.tracks))
    assert seen > 30


def test_groups_that_cannot_be_parted():
    """Three groups, each with two of three classes: no two sides, but folds for heads."""
    data = photographs(np.array([0, 1, 1, 2, 2, 0]), np.array([0, 0, 1, 1, 2, 2]))
    with pytest.raises(LabError, match=r"my: .* 2 sides, each class on each .*received 3 groups"):
        splits.by_track(data)
    assert set(splits.by_name(data, "folds").fold) == {0, 1, 2}


def test_signs_of_two_tracks_are_trained_on():
    """Class 10 has one track to test on; to hold out the other would leave none to learn."""
    labels, ids, _, _ = drive([12] * 10 + [2])
    data = Dataset(noise(len(labels)), labels, ids)
    with pytest.raises(LabError, match=r"class No passing for .* on the training side \(1 such"):
        splits.three_way(data)


def test_the_given_split():
    """What val/ holds is held out; it may lack a class, train/ may not."""
    labels = np.array([0, 0, 1, 1, 2, 0, 1])
    held_out = np.arange(7) > 4
    split = splits.given(photographs(labels, given=held_out))
    assert (split.name, split.train.tolist(), split.held_out.tolist()) == (
        "given", [0, 1, 2, 3, 4], [5, 6],
    )  # fmt: skip
    with pytest.raises(LabError, match=r"my: .* none of emu \(1 such classes\)"):
        splits.given(photographs(labels, given=labels == 2))
    for nothing in (None, labels > 5):
        with pytest.raises(LabError, match="my: expected pictures to hold out in val/ or test/"):
            splits.given(photographs(labels, given=nothing))


def test_photographs_that_cannot_be_split():
    """One class; a class of one picture, or of one group, is named."""
    for split in (splits.random, folds.stratified):
        with pytest.raises(LabError, match="at least 2 classes; received class dog alone"):
            split(photographs(np.full(9, 1)))
        with pytest.raises(LabError, match=r"my: .*2 pictures of each .*1 of class emu \(1 such"):
            split(photographs(np.array([0, 0, 1, 1, 2])))
        with pytest.raises(LabError, match=r"2 groups of pictures of .* received 1 of class cat"):
            split(photographs(np.array([0, 0, 1, 1]), np.array([5, 5, 6, 7])))


@pytest.mark.parametrize("split", [splits.by_name, splits.for_network])
def test_photographs_by_track_need_a_group_column(split):
    """Only a CSV can say which photographs show one object: no order of them helps."""
    data = photographs(np.arange(12) % 3, no_tracks="no column group says it")
    with pytest.raises(LabError, match=r"no column group says it; .* a CSV with .* group$") as told:
        split(data, "track")
    assert "GTSRB" not in str(told.value)


def test_folds_of_few_tracks():
    """Signs: no fold is empty; a class of one track, or one alone, is named."""
    ids = np.repeat(np.arange(4), 3)
    data = Dataset(noise(12), ids // 2 + 9, ids, source="my.p")  # by the rule, folds 4, 0; 0, 1
    split = splits.by_name(data, "folds")
    assert split.fold.dtype == np.int64 and set(split.fold) == {0, 1, 2}
    for k in range(3):
        assert set(data.labels[split.fold != k]) == {9, 10}
    with pytest.raises(LabError, match=r"2 tracks of each class.*1 of class No passing for"):
        splits.by_name(data.subset(ids != 3), "folds")
    with pytest.raises(LabError, match="at least 2 classes"):
        splits.by_name(data.subset(ids < 2), "folds")


@pytest.mark.parametrize("how", [None, "random", "track"])
def test_the_whole_network_needs_three(how):
    """A class of two pictures, or groups, cannot be learned, chosen by and tested."""
    for groups, unit in ((None, "pictures"), (np.arange(14) // 2, "groups of pictures")):
        if groups is None and how == "track":
            continue
        data = photographs(np.repeat([0, 1], (10, 4)), groups)
        if groups is None:
            data = data.subset(np.arange(12))
        with pytest.raises(LabError, match=f"my: expected at least 3 {unit} of each.*received 2"):
            splits.for_network(data, how)

"""train.p is checked, its tracks are found, and the splits are what they say."""

import itertools
import pickle

import numpy as np
import pytest

from lab import files
from lab.data import dataset, tracks
from lab.errors import LabError


def pictures(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), np.uint8)


def drive(numbers, frames=30, seed=0):
    """labels, tracks, sizes and coords of signs coming nearer: numbers[c] tracks of class c."""
    rng = np.random.default_rng(seed)
    labels, ids, sides = [], [], []
    for label, number in enumerate(numbers):
        for _ in range(number):
            first, last = rng.uniform(18, 30), rng.uniform(60, 200)
            side = np.geomspace(first, last, frames) * rng.uniform(0.97, 1.03, frames)
            sides.append(np.round(side).astype(int))
            labels.append(np.full(frames, label))
            ids.append(np.full(frames, len(ids)))
    labels, ids, sides = (np.concatenate(part) for part in (labels, ids, sides))
    coords = np.stack([0 * sides + 5, 0 * sides + 5, sides + 5, sides + 5], axis=1)
    return labels, ids, np.stack([sides + 10, sides + 10], axis=1), coords


def train_p(**changes):
    """A small dict like train.p's: two classes, one track of 30 each."""
    labels, _, sizes, coords = drive([1, 1])
    content = {
        "features": pictures(60),
        "labels": labels.astype(np.uint8),
        "sizes": sizes.astype(np.uint8),
        "coords": coords.astype(np.uint8),
    }
    return {name: value for name, value in (content | changes).items() if value is not None}


def test_class_names():
    """43 names in the official order."""
    names = dataset.class_names()
    assert len(names) == len(set(names)) == 43
    assert (names[0], names[14], names[25]) == ("Speed limit (20km/h)", "Stop", "Road work")
    assert names[42] == "End of no passing by vehicles over 3.5 metric tons"
    table = (files.ROOT / "signnames.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == "ClassId,SignName"
    assert [line.split(",")[0] for line in table[1:]] == [str(i) for i in range(43)]


def test_a_pickle_is_loaded(tmp_path):
    """What was dumped comes back, labels as int64, with two tracks and where it came from."""
    path = tmp_path / "small.p"
    content = train_p()
    path.write_bytes(pickle.dumps(content, protocol=3))
    loaded = dataset.load(path)
    assert len(loaded) == 60
    np.testing.assert_array_equal(loaded.images, content["features"])
    assert loaded.labels.dtype == loaded.tracks.dtype == np.int64
    np.testing.assert_array_equal(loaded.labels, content["labels"])
    np.testing.assert_array_equal(loaded.tracks, np.repeat([0, 1], 30))
    np.testing.assert_array_equal(loaded.sizes, content["sizes"])
    np.testing.assert_array_equal(loaded.coords, content["coords"])
    assert loaded.sizes.dtype == loaded.coords.dtype == np.int64
    assert (loaded.no_tracks, loaded.files, loaded.source) == ("", None, str(path))


def test_lists_and_missing_columns():
    """sizes and coords may be lists of tuples, or not there."""
    content = train_p()
    lists = train_p(
        sizes=[tuple(map(int, size)) for size in content["sizes"]],
        coords=[tuple(map(int, box)) for box in content["coords"]],
        labels=[int(label) for label in content["labels"]],
        features=list(content["features"]),
    )
    np.testing.assert_array_equal(dataset.from_dict(lists, "x").tracks, np.repeat([0, 1], 30))
    bare = dataset.from_dict(train_p(sizes=None, coords=None), "x")
    assert bare.sizes is None
    assert bare.coords is None


WRONG = {
    "list": ([1, 2], "expected a dict with features and labels, like train.p; received a list"),
    "no features": (train_p(features=None), r"features is missing \(its keys: coords, labels, siz"),
    "no labels": (train_p(labels=None), r"labels is missing \(its keys: coords, features, sizes\)"),
    "empty dict": ({}, r"features is missing \(its keys: none\)"),
    "unequal": (
        train_p(labels=np.zeros(59, int)),
        "received 60 features and 59 labels; give a com",
    ),
    "few sizes": (train_p(sizes=np.ones((9, 2), int)), "received 60 features and 9 sizes"),
    "class 43": (
        train_p(labels=np.arange(60) % 44),
        r"0 to 42, .*; received 43 for picture 43 \(1",
    ),
    "negative": (train_p(labels=np.arange(60) % 3 - 1), r"received -1 for picture 0 \(20 wrong"),
    "strings": (
        train_p(labels=["Stop"] * 60),
        r"received <U4 \(60,\), such as \['Stop'\]; use the",
    ),
    "float labels": (train_p(labels=np.zeros(60)), r"received float64 \(60,\), such as \[0.0\]"),
    "one-hot": (
        train_p(labels=np.eye(60, 43, dtype=int)),
        r"received int64 \(60, 43\); use the num",
    ),
    "float": (
        train_p(features=np.zeros((60, 32, 32, 3))),
        r"features uint8 .* received float64 \(6",
    ),
    "4 channels": (
        train_p(features=np.zeros((60, 32, 32, 4), "u1")),
        r"uint8 \(60, 32, 32, 4\); con",
    ),
    "grey": (train_p(features=np.zeros((60, 32, 32), "u1")), r"received uint8 \(60, 32, 32\)"),
    "size": (
        train_p(features=np.zeros((60, 48, 32, 3), "u1")),
        r"received uint8 \(60, 48, 32, 3\)",
    ),
    "none": (
        train_p(features=pictures(0), labels=[]),
        "expected pictures; received none; give a f",
    ),
    "empty list": (train_p(features=[], labels=[]), "expected pictures; received none"),
    "ragged": (
        train_p(features=[np.zeros((3, 3)), np.zeros((4, 4))]),
        "features to be one array; received a list of unequal parts",
    ),
    "coords": (
        train_p(coords=np.ones((60, 2), int)),
        r"coords as whole numbers \(n, 4\); received i",
    ),
    "sizes": (
        train_p(sizes=np.ones((60, 2))),
        r"sizes as whole numbers \(n, 2\); received float64",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_train_p_is_one_line(name):
    """Each wrong column is named, in one line that begins with the file."""
    content, message = WRONG[name]
    with pytest.raises(LabError, match=message) as caught:
        dataset.from_dict(content, "my.p")
    assert str(caught.value).startswith("my.p: expected ")
    assert "\n" not in str(caught.value)


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
    small = train_p(coords=None)
    assert small["sizes"].dtype == np.uint8  # 200 * 200 does not fit
    np.testing.assert_array_equal(dataset.from_dict(small, "x").tracks, np.repeat([0, 1], 30))


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
        fold = dataset.folds(labels[index], ids[index], k, seed)
        assert fold.tolist() == by_definition(labels[index], ids[index], k, seed)


def test_track_split():
    """No track is on both sides, each class is, and about a fifth is held out."""
    labels, ids, _, _ = drive([7, 9, 12, 30])
    data = dataset.Dataset(pictures(len(labels)), labels, ids)
    train, held_out = dataset.track_split(data)
    assert sorted([*train, *held_out]) == list(range(len(labels)))
    assert not set(ids[train]) & set(ids[held_out])
    assert set(labels[held_out]) == set(labels[train]) == {0, 1, 2, 3}
    assert 0.15 < len(held_out) / len(labels) < 0.25
    assert (dataset.folds(labels, ids)[held_out] == 0).all()


def test_random_split_is_the_labs():
    """The pictures that sklearn's own call on the data gives, in its order."""
    from sklearn.model_selection import train_test_split

    images, labels = pictures(100), np.arange(100) % 4
    expected = train_test_split(images, labels, test_size=0.33, random_state=0)
    train, validation = dataset.random_split(labels)
    assert len(validation) == 33
    np.testing.assert_array_equal(images[train], expected[0])
    np.testing.assert_array_equal(images[validation], expected[1])
    np.testing.assert_array_equal(labels[train], expected[2])


def test_splits_that_cannot_be():
    """Too few pictures, one class only, a class on one side only, no tracks: one line each."""
    for n in (1, 2):
        with pytest.raises(
            LabError, match=f"at least 3 pictures to split; received {n}; give more"
        ):
            dataset.random_split(np.zeros(n, int))
    with pytest.raises(
        LabError, match="at least 2 classes; received class 7 alone; add another cl"
    ):
        dataset.random_split(np.full(50, 7))
    labels = np.array([0] * 50 + [3])
    with pytest.raises(
        LabError, match="every class on both sides of the random split; class 3 has no"
    ):
        dataset.random_split(labels)
    labels, ids, _, _ = drive([6, 1])
    with pytest.raises(
        LabError, match=r"of the track split; class 1 has no picture on the .* side \(1"
    ):
        dataset.track_split(dataset.Dataset(pictures(len(labels)), labels, ids))
    unknown = dataset.Dataset(pictures(4), np.arange(4), no_tracks="it is shuffled", source="my.p")
    with pytest.raises(
        LabError, match=r"my.p: expected tracks .*; it is shuffled; take --split random"
    ):
        dataset.track_split(unknown)


def test_the_hash_is_of_the_content():
    """Same pictures and labels, same hash; another pixel, label or order, another hash."""
    labels = np.arange(6) % 3
    data = dataset.Dataset(pictures(6), labels, source="a")
    hashed = dataset.sha256(data)
    assert len(hashed) == 64
    strided = np.repeat(pictures(6), 2, axis=0)[::2]
    assert dataset.sha256(dataset.Dataset(strided, labels.astype(np.int64), source="b")) == hashed
    other = pictures(6)
    other[5, 31, 31, 2] ^= 1
    assert dataset.sha256(dataset.Dataset(other, labels)) != hashed
    assert dataset.sha256(dataset.Dataset(pictures(6), (labels + 1) % 3)) != hashed
    assert dataset.sha256(data.subset([1, 0, 2, 3, 4, 5])) != hashed


def test_picture_hashes_find_copies():
    """A copied picture has its original's hash; one pixel makes another."""
    images = pictures(5)
    copies = images[[3, 1]].copy()
    copies[1, 0, 0, 0] ^= 1
    hashes = dataset.picture_hashes(images)
    assert hashes.dtype == np.uint64
    assert len(set(hashes.tolist())) == 5
    assert np.isin(dataset.picture_hashes(copies), hashes).tolist() == [True, False]
    assert dataset.picture_hashes(images[:0]).shape == (0,)


def test_subset():
    """By numbers in their order or by a mask; what is not there stays away."""
    labels, ids, sizes, coords = drive([2])
    data = dataset.Dataset(
        pictures(60), labels, ids, "", sizes, coords, [f"{i}.ppm" for i in range(60)]
    )
    part = data.subset(np.array([31, 2]))
    assert part.tracks.tolist() == [1, 0]
    assert part.files == ["31.ppm", "2.ppm"]
    np.testing.assert_array_equal(part.images, data.images[[31, 2]])
    np.testing.assert_array_equal(part.coords, coords[[31, 2]])
    assert len(data.subset(ids == 1)) == 30
    bare = dataset.Dataset(pictures(3), np.arange(3)).subset([1])
    assert (len(bare), bare.tracks, bare.files) == (1, None, None)


def test_the_real_tracks(lab_data):
    """train.p has 1,307 tracks of 30 frames, but one of 29: the twentieth of class 33."""
    data = dataset.load(lab_data / "train.p")
    assert len(data) == 39209
    ids, lengths = np.unique(data.tracks, return_counts=True)
    np.testing.assert_array_equal(ids, np.arange(1307))
    assert lengths.tolist().count(30) == 1306
    short = np.flatnonzero(data.tracks == ids[lengths == 29])
    of_33 = np.flatnonzero(data.labels == 33)
    np.testing.assert_array_equal(short, of_33[19 * 30 : 19 * 30 + 29])
    by_size = tracks.find(data.labels, data.sizes, None)[0]
    np.testing.assert_array_equal(by_size, data.tracks)
    train, held_out = dataset.track_split(data)
    assert (len(train), len(held_out)) == (31499, 7710)
    order = np.random.default_rng(0).permutation(len(data))
    shuffled = data.subset(order)
    assert tracks.find(shuffled.labels, shuffled.sizes, shuffled.coords)[0] is None

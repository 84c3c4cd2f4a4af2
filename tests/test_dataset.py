"""A pickle like train.p is read and checked; a set knows its parts and its hash."""

import pickle

import numpy as np
import pytest
from filmed import drive, noise

from lab import files
from lab.data import CLASSES, Dataset, class_names, load, train_p
from lab.data.dataset import sha256
from lab.errors import LabError


def content(**changes):
    """A small dict like train.p's: two classes, one track of 30 each."""
    labels, _, sizes, coords = drive([1, 1])
    columns = {
        "features": noise(60),
        "labels": labels.astype(np.uint8),
        "sizes": sizes.astype(np.uint8),
        "coords": coords.astype(np.uint8),
    }
    return {name: value for name, value in (columns | changes).items() if value is not None}


def test_class_names():
    """43 names in the official order, and the number that all else goes by."""
    names = class_names()
    assert len(names) == len(set(names)) == CLASSES == 43
    assert (names[0], names[14], names[25]) == ("Speed limit (20km/h)", "Stop", "Road work")
    assert names[42] == "End of no passing by vehicles over 3.5 metric tons"
    table = (files.ROOT / "signnames.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == "ClassId,SignName"
    assert [line.split(",")[0] for line in table[1:]] == [str(i) for i in range(43)]


def test_a_pickle_is_loaded(tmp_path):
    """What was dumped comes back, labels as int64, with two tracks and where it came from."""
    path = tmp_path / "small.p"
    columns = content()
    path.write_bytes(pickle.dumps(columns, protocol=3))
    loaded = load(path)
    assert len(loaded) == 60
    np.testing.assert_array_equal(loaded.images, columns["features"])
    assert loaded.labels.dtype == loaded.tracks.dtype == np.int64
    np.testing.assert_array_equal(loaded.labels, columns["labels"])
    np.testing.assert_array_equal(loaded.tracks, np.repeat([0, 1], 30))
    np.testing.assert_array_equal(loaded.sizes, columns["sizes"])
    np.testing.assert_array_equal(loaded.coords, columns["coords"])
    assert loaded.sizes.dtype == loaded.coords.dtype == np.int64
    assert (loaded.no_tracks, loaded.files, loaded.source) == ("", None, str(path))


def test_lists_and_missing_columns():
    """sizes and coords may be lists of tuples, or not there."""
    columns = content()
    lists = content(
        sizes=[tuple(map(int, size)) for size in columns["sizes"]],
        coords=[tuple(map(int, box)) for box in columns["coords"]],
        labels=[int(label) for label in columns["labels"]],
        features=list(columns["features"]),
    )
    np.testing.assert_array_equal(train_p.from_dict(lists, "x").tracks, np.repeat([0, 1], 30))
    bare = train_p.from_dict(content(sizes=None, coords=None), "x")
    assert bare.sizes is None
    assert bare.coords is None
    assert content()["sizes"].dtype == np.uint8  # 200 * 200 does not fit
    by_size = train_p.from_dict(content(coords=None), "x")
    np.testing.assert_array_equal(by_size.tracks, np.repeat([0, 1], 30))


WRONG = {
    "list": ([1, 2], "expected a dict with features and labels, like train.p; received a list"),
    "no features": (content(features=None), r"features is missing \(its keys: coords, labels, siz"),
    "no labels": (content(labels=None), r"labels is missing \(its keys: coords, features, sizes\)"),
    "empty dict": ({}, r"features is missing \(its keys: none\)"),
    "unequal": (
        content(labels=np.zeros(59, int)),
        "received 60 features and 59 labels; give a com",
    ),
    "few sizes": (content(sizes=np.ones((9, 2), int)), "received 60 features and 9 sizes"),
    "class 43": (
        content(labels=np.arange(60) % 44),
        r"0 to 42, .*; received 43 for picture 43 \(1",
    ),
    "negative": (content(labels=np.arange(60) % 3 - 1), r"received -1 for picture 0 \(20 wrong"),
    "strings": (
        content(labels=["Stop"] * 60),
        "received a list of something else; convert it",
    ),
    "float labels": (content(labels=np.zeros(60)), r"received float64 \(60,\), such as \[0.0\]"),
    "one-hot": (
        content(labels=np.eye(60, 43, dtype=int)),
        r"received int64 \(60, 43\); use the num",
    ),
    "float": (
        content(features=np.zeros((60, 32, 32, 3))),
        r"features uint8 .* received float64 \(6",
    ),
    "4 channels": (
        content(features=np.zeros((60, 32, 32, 4), "u1")),
        r"uint8 \(60, 32, 32, 4\); con",
    ),
    "grey": (content(features=np.zeros((60, 32, 32), "u1")), r"received uint8 \(60, 32, 32\)"),
    "size": (
        content(features=np.zeros((60, 48, 32, 3), "u1")),
        r"received uint8 \(60, 48, 32, 3\)",
    ),
    "none": (
        content(features=noise(0), labels=[]),
        "expected pictures; received none; give a f",
    ),
    "empty list": (content(features=[], labels=[]), "expected pictures; received none"),
    "ragged": (
        content(features=[np.zeros((3, 3)), np.zeros((4, 4))]),
        "features to be one array of numbers; received a list of unequal arrays",
    ),
    "coords": (
        content(coords=np.ones((60, 2), int)),
        r"coords as whole numbers \(n, 4\); received i",
    ),
    "sizes": (
        content(sizes=np.ones((60, 2))),
        r"sizes as whole numbers \(n, 2\); received float64",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_train_p_is_one_line(name):
    """Each wrong column is named, in one line that begins with the file."""
    wrong, message = WRONG[name]
    with pytest.raises(LabError, match=message) as caught:
        train_p.from_dict(wrong, "my.p")
    assert str(caught.value).startswith("my.p: expected ")
    assert "\n" not in str(caught.value)


def test_the_hash_is_of_the_content():
    """Same pictures and labels, same hash; another pixel, label or order, another hash."""
    labels = np.arange(6) % 3
    data = Dataset(noise(6), labels, source="a")
    hashed = sha256(data)
    assert len(hashed) == 64
    strided = np.repeat(noise(6), 2, axis=0)[::2]
    assert sha256(Dataset(strided, labels.astype(np.int64), source="b")) == hashed
    other = noise(6)
    other[5, 31, 31, 2] ^= 1
    assert sha256(Dataset(other, labels)) != hashed
    assert sha256(Dataset(noise(6), (labels + 1) % 3)) != hashed
    assert sha256(data.subset([1, 0, 2, 3, 4, 5])) != hashed


def test_subset():
    """By numbers in their order or by a mask; what is not there stays away."""
    labels, ids, sizes, coords = drive([2])
    data = Dataset(noise(60), labels, ids, "", sizes, coords, [f"{i}.ppm" for i in range(60)])
    part = data.subset(np.array([31, 2]))
    assert part.tracks.tolist() == [1, 0]
    assert part.files == ["31.ppm", "2.ppm"]
    np.testing.assert_array_equal(part.images, data.images[[31, 2]])
    np.testing.assert_array_equal(part.coords, coords[[31, 2]])
    assert len(data.subset(ids == 1)) == 30
    bare = Dataset(noise(3), np.arange(3)).subset([1])
    assert (len(bare), bare.tracks, bare.files) == (1, None, None)

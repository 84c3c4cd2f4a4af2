"""Photographs stay on disk: what is decoded is right, is what was asked for, and no more."""

import time
import warnings

import numpy as np
import pytest
from PIL import Image

from lab import pictures
from lab.data import Photographs, photographs
from lab.errors import LabError


def smooth(seed, height, width):
    """A picture as a camera's: noise enlarged, with a little noise of its own."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 9, width // 9, 3), np.uint8))
    fine = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), float)
    return np.clip(fine + rng.normal(0, 9, fine.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Twelve JPEGs of several sizes."""
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(12):
        picture = smooth(number, 300 + 20 * (number % 3), 400 - 30 * (number % 5))
        Image.fromarray(picture).save(folder / f"{number}.jpg", quality=90)
    return [str(folder / f"{number}.jpg") for number in range(12)]


def averaged(pixels, height, width):
    """The mean of the area that each new pixel covers, by running sums; float."""

    def line(values, new):
        total = np.concatenate([[0], np.cumsum(values)])
        edges = np.linspace(0, len(values), new + 1)
        return np.diff(np.interp(edges, np.arange(len(total)), total)) * new / len(values)

    rows = np.apply_along_axis(line, 0, pixels.astype(float), height)
    return np.apply_along_axis(line, 1, rows, width)


def test_centre_and_squeeze_against_running_sums(files):
    """Pillow's own decoding, then the mean over areas: the same within a rounding."""
    for file in files[:3]:
        decoded = np.asarray(Image.open(file))
        height, width = decoded.shape[:2]
        shorter = min(height, width)
        new = round(height * 256 / shorter), round(width * 256 / shorter)
        top, left = (new[0] - 227) // 2, (new[1] - 227) // 2
        expected = averaged(decoded, *new)[top : top + 227, left : left + 227]
        assert np.abs(Photographs([file], "centre")[0] - expected).max() <= 0.5 + 1e-3
        expected = averaged(decoded, 227, 227)
        assert np.abs(Photographs([file], "squeeze")[0] - expected).max() <= 0.5 + 1e-3


def test_like_an_array(files):
    """Numbers, slices, arrays and masks give what they give of the array of all."""
    lazy = Photographs(files, "centre")
    every = np.stack([pictures.photograph(pictures.read(file)) for file in files])
    assert (len(lazy), lazy.shape, lazy.dtype) == (12, every.shape, every.dtype)
    mask = np.arange(12) % 3 == 1
    for index in (3, -1, np.int64(5), slice(2, 9, 3), slice(None), np.array([7, 0, 7]), mask):
        seen = lazy[index]
        assert seen.dtype == np.uint8
        np.testing.assert_array_equal(seen, every[index])
    assert lazy[np.zeros(0, int)].shape == (0, 227, 227, 3)
    assert sum(1 for _ in lazy) == 12
    part = lazy.subset(np.array([9, 2])).subset(np.array([False, True]))
    assert isinstance(part, Photographs)
    np.testing.assert_array_equal(part[:], every[2:3])
    with pytest.raises(IndexError):
        lazy[12]


def test_nothing_is_decoded_before_it_is_asked_for(files, monkeypatch):
    """Nor anything beside it."""
    decoded, prepared = [], photographs.prepared
    monkeypatch.setattr(
        photographs, "prepared", lambda *words: decoded.append(words[0]) or prepared(*words)
    )
    lazy = Photographs(files, "squeeze").subset(np.arange(2, 12))
    assert (len(lazy), lazy.shape[1:], decoded) == (10, (227, 227, 3), [])
    lazy[np.array([1, 3])]
    assert sorted(decoded) == [files[3], files[5]]


def test_a_file_that_vanishes(files, tmp_path):
    """It is named; one that is damaged by then, too."""
    ribbon, gone = tmp_path / "ribbon.png", tmp_path / "gone.jpg"
    Image.new("RGB", (2000, 100)).save(ribbon)
    lazy = Photographs([*files, str(gone)], "centre")
    lazy[:12]
    with pytest.raises(LabError, match=r"gone\.jpg: expected a picture .*there is no such file"):
        lazy[:]
    gone.write_bytes(b"\xff\xd8")
    with pytest.raises(LabError, match=r"gone\.jpg: expected a picture"):
        lazy[np.array([12])]
    with pytest.raises(LabError, match=r"ribbon\.png: expected .* ten times .* received 2000x100"):
        Photographs([str(ribbon)], "centre")[0]


def test_what_raises_stops_the_others():
    """Of thousands of pictures, those under way are finished, no more."""
    done = []

    def work(number):
        if number == 3:
            raise LabError("three")
        time.sleep(0.002)
        done.append(number)

    with pytest.raises(LabError, match="three"):
        list(photographs.in_threads(work, range(2000)))
    assert len(done) < 500


def test_threads_and_odd_files(files, tmp_path):
    """A file that Pillow only warns of is refused in every thread; filters stay as they are."""
    large = tmp_path / "large.png"
    Image.new("1", (10_100, 10_000)).save(large)

    def look(file):
        try:
            return photographs.prepared(file, "centre").shape[0]
        except LabError as error:
            return str(error)

    with warnings.catch_warnings(action="ignore"):  # as outside of the tests
        before = list(warnings.filters)
        seen = list(photographs.in_threads(look, [*files, str(large)] * 3))
        assert warnings.filters == before
    assert [row for row in seen if row == 227] == [227] * 36
    assert all("where at most 100,000,000 are read" in row for row in seen if row != 227)

"""Rows of an array on disk: against NumPy's own reading of the file."""

import numpy as np
import pytest

from lab.errors import LabError
from lab.features.cache import FeatureFile
from lab.untrusted import Broken


@pytest.fixture
def array(tmp_path):
    """Its numbers, and the file."""
    x = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float16)
    np.save(tmp_path / "x.npy", x)
    return x, tmp_path / "x.npy"


@pytest.mark.parametrize(
    "rows",
    [
        [0],
        [3, 4, 5, 9, 10, 39],
        [9, 2, 3, 3],
        [0, 1, 2, 9, 8, 8, 39],
        [],
        np.arange(40) % 7 == 3,
        slice(5, 30),
        slice(30, None),
    ],
    ids=str,
)
def test_rows(array, rows):
    """Any rows in any order, neighbours or not, more than once, or none, as NumPy gives them."""
    x, path = array
    features = FeatureFile(path)
    assert len(features) == 40 and features.shape == (40, 7) and features.dtype == np.float16
    rows = rows if isinstance(rows, slice) else np.array(rows, None if len(rows) else int)
    np.testing.assert_array_equal(features[rows], x[rows])


def test_shorter_than_its_header_says(array):
    """It is no array then."""
    path = array[1]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Broken):
        FeatureFile(path)


def test_cut_while_in_use(array):
    """What was read before stays right; what is gone is an error, not zeros."""
    x, path = array
    features = FeatureFile(path)
    path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_array_equal(features[np.array([0, 1])], x[:2])
    with pytest.raises(LabError, match=r"x\.npy as before; it was cut short: run again"):
        features[np.array([38, 39])]

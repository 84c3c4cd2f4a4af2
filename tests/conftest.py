"""Fixtures shared by the tests: where the real data is, and a cache folder of the test's own."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import storage  # noqa: E402


@pytest.fixture(scope="session")
def lab_data() -> Path:
    """The folder of real data that LAB_DATA names; the test is skipped, visibly, without it."""
    folder = os.environ.get("LAB_DATA")
    if not folder:
        pytest.skip("LAB_DATA is not set: this test needs the real data")
    return Path(folder)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or leaves features in the user's cache."""
    monkeypatch.setattr(storage, "CACHE", tmp_path / "cache")

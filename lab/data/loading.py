"""Reads a labelled set, whatever its format, as a `Dataset`."""

from pathlib import Path

from lab.data import gtsrb, train_p
from lab.data.dataset import Dataset


def load(path: str | Path) -> Dataset:
    """Reads a labelled set.

    Args:
        path: a pickle like train.p, or GTSRB as published, folder or zip; see `gtsrb.read`.

    Returns:
        The set, in the pickle's order, or by class, track and frame.

    Raises:
        LabError: it cannot be read, or is in neither format.
    """
    path = Path(path)
    archive = path.is_dir() or path.suffix.lower() == ".zip"
    return gtsrb.read(path) if archive else train_p.read(path)

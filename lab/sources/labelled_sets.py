"""The labelled set that --data, --test or --evaluate names."""

from pathlib import Path

import numpy as np

from lab import downloads
from lab.command_line import say
from lab.data import CLASSES, Dataset, gtsrb, load
from lab.drawn_signs import RENDERED, signs
from lab.progress import Progress

TRAIN_P = "train.p"
# Labelled sets that are downloaded where they are missing and named without a folder.
PUBLISHED = (TRAIN_P, gtsrb.TRAINING_ZIP, gtsrb.TEST_ZIP)
RENDERED_COUNT = 5000  # pictures of the set that --data rendered names


def read(option: str | None, offline: bool, seed: int = 0) -> Dataset:
    """Reads the labelled set that `--data`, `--test` or `--evaluate` names; None: train.p.

    Args:
        option: the option's value.
        offline: never download.
        seed: of the rendered signs.
    """
    path = None if option == "rendered" else _found(option or TRAIN_P, offline)
    with Progress().phase(f"reading {path.name}" if path else "drawing signs"):
        if path:
            data = load(path)
        else:
            images, labels = signs(RENDERED_COUNT, seed)
            tracks = np.arange(RENDERED_COUNT)  # no two drawings are of one sign
            data = Dataset(images, labels, tracks, source=RENDERED)
    say(f"data: {data.source} ({len(data):,} pictures, {CLASSES} classes)")
    return data


def _found(option: str, offline: bool) -> Path:
    """The data set's path. A published one, named without a folder, is downloaded if missing."""
    path = Path(option)
    if path.exists() or option not in PUBLISHED:
        return path
    if option == gtsrb.TEST_ZIP:  # its classes are in another archive
        downloads.fetch(gtsrb.TEST_TABLE_ZIP, offline=offline)
    return downloads.fetch(option, offline=offline)

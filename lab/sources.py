"""What a command line names, found, read and said: weights, labelled sets, example pictures."""

from pathlib import Path

import numpy as np

from lab import command_line, files, weights
from lab.data import dataset, gtsrb
from lab.downloads import fetching
from lab.downloads.catalogue import REMOTE, WEIGHTS
from lab.drawn_signs import photographs
from lab.errors import LabError
from lab.runs import TRUNK

RENDERED = 5000  # pictures of the set that --data rendered names
BUNDLED = files.ROOT / "trained"


def read_weights(option, offline, folder=None, recorded=None):
    """Reads the weights that `--weights` names.

    Args:
        option: the option's value, or None.
        offline: never download.
        folder: a run's: without the option, its own trunk comes first ...
        recorded: ... then the file that its head was trained on, if it is still there.

    Returns:
        `lab.weights.Weights`.
    """
    own = [Path(folder) / TRUNK] if folder else []
    own += [Path(recorded)] if recorded else []
    there = [path for path in own if path.is_file()]
    if option == "bundled":
        path = BUNDLED / TRUNK
    elif option is not None:
        path = Path(option)
    elif recorded and not there and Path(recorded).name != WEIGHTS:
        raise LabError(
            f"{recorded}: expected the weights that the head was trained on; the file is gone: "
            "name its new place with --weights"
        )
    else:
        path = there[0] if there else fetching.fetch(WEIGHTS, offline=offline)
    result = weights.read(path)
    command_line.say(
        f"weights: {path} (sha256 {result.sha256[:16]}..., {', '.join(result.arrays)})"
    )
    return result


def _fetched(option, offline):
    """The data set's path; a published one, by its name, is downloaded where it is missing."""
    name = "train.p" if option is None else Path(option).name
    if option is not None and (name not in REMOTE or Path(option).exists()):
        return option
    if name == gtsrb.TEST_ZIP:  # its classes are in another archive
        fetching.fetch(gtsrb.TEST_TABLE_ZIP, offline=offline)
    return fetching.fetch(name, offline=offline)


def examples():
    """The pictures in examples/, by name."""
    found = sorted(files.EXAMPLES.glob("*.png"))
    if not found:
        raise LabError(f"{files.EXAMPLES}: expected example signs; there are none: name pictures")
    return found


def read_data(option, offline):
    """Reads the labelled set that `--data`, `--test` or `--evaluate` names; None: train.p.

    Returns:
        `lab.data.dataset.Dataset`.
    """
    if option == "rendered":
        images, labels = photographs.signs(RENDERED)
        data = dataset.Dataset(images, labels, np.arange(RENDERED), source=photographs.SOURCE)
    else:
        data = dataset.load(_fetched(option, offline))
    command_line.say(f"data: {data.source} ({len(data):,} pictures)")
    return data

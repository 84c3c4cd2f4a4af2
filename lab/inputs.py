"""What a command line names, found, read and said: weights, labelled sets, example pictures."""

from pathlib import Path

import numpy as np

from lab import cli, downloads, gtsrb, rendered, signs, storage, weights
from lab.remote import REMOTE, WEIGHTS
from lab.runs import TRUNK
from lab.storage import LabError

RENDERED = 5000  # pictures of the set that --data rendered names
BUNDLED = storage.ROOT / "trained"


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
        path = there[0] if there else downloads.fetch(WEIGHTS, offline=offline)
    result = weights.read(path)
    cli.say(f"weights: {path} (sha256 {result.sha256[:16]}..., {', '.join(result.arrays)})")
    return result


def _fetched(option, offline):
    """The data set's path; a published one, by its name, is downloaded where it is missing."""
    name = "train.p" if option is None else Path(option).name
    if option is not None and (name not in REMOTE or Path(option).exists()):
        return option
    if name == gtsrb.TEST_ZIP:  # its classes are in another archive
        downloads.fetch(gtsrb.TEST_TABLE_ZIP, offline=offline)
    return downloads.fetch(name, offline=offline)


def examples():
    """The pictures in examples/, by name."""
    files = sorted(storage.EXAMPLES.glob("*.png"))
    if not files:
        raise LabError(f"{storage.EXAMPLES}: expected example signs; there are none: name pictures")
    return files


def read_data(option, offline):
    """Reads the labelled set that `--data`, `--test` or `--evaluate` names; None: train.p.

    Returns:
        `lab.signs.Signs`.
    """
    if option == "rendered":
        images, labels = rendered.signs(RENDERED)
        data = signs.Signs(images, labels, np.arange(RENDERED), source=rendered.SOURCE)
    else:
        data = signs.load(_fetched(option, offline))
    cli.say(f"data: {data.source} ({len(data):,} pictures)")
    return data

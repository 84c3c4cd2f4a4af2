"""The labelled set that --data, --test or --evaluate names."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lab import downloads, files
from lab.command_line import say
from lab.data import Dataset, aligned, check, check_crop, gtsrb, load
from lab.drawn_signs import RENDERED, signs
from lab.errors import LabError
from lab.progress import Progress

# Labelled sets that are downloaded if they are missing; they are named without a folder.
PUBLISHED = (downloads.TRAIN_P, gtsrb.TRAINING_ZIP, gtsrb.TEST_ZIP)
RENDERED_COUNT = 5000  # pictures of the set that --data rendered names


def locate(option: str | None, offline: bool) -> Path | None:
    """Where the labelled set is that `--data`, `--test` or `--evaluate` names.

    Args:
        option: a path; the word rendered; or a published file's name without a folder, which is
            downloaded if it is missing, and verified. None: train.p.
        offline: never download.

    Returns:
        Its path; None for rendered signs.

    Raises:
        LabError: it is missing, or shows at a glance to be none.
    """
    if option == "rendered":
        return None
    if option is None:
        return downloads.fetch(downloads.TRAIN_P, offline=offline)
    path = Path(option)
    if option in PUBLISHED and (not path.exists() or path.resolve() == files.ROOT / option):
        return downloads.fetch(option, offline=offline)
    if not path.exists():
        raise LabError(
            f"{path}: expected a labelled set; there is no such file or folder; check the name"
        )
    check(path)
    return path


def read(
    path: Path | None,
    seed: int = 0,
    crop: str | None = None,
    skip_broken: bool = False,
    names: Sequence[str] | None = None,
) -> Dataset:
    """Reads a labelled set.

    Args:
        path: as `locate` gives it; None: signs are drawn.
        seed: of the rendered signs.
        crop, skip_broken: as in `lab.data.load`.
        names: the classes that the set's are to be numbered by; see `lab.data.aligned`.
    """
    told = Progress()
    with told.phase(f"reading {path.name}" if path else "drawing signs"):
        if path:
            data = load(path, crop, skip_broken, told)
        else:
            check_crop(crop, RENDERED)
            images, labels = signs(RENDERED_COUNT, seed)
            tracks = np.arange(RENDERED_COUNT)  # no two drawings are of one sign
            data = Dataset(images, labels, tracks, source=RENDERED)
    say(f"data: {data.source} ({len(data):,} pictures, {len(data.names)} classes)")
    return data if names is None else aligned(data, names)

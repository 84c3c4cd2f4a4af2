"""Reads a labelled set, whatever its format, as a `Dataset`."""

from pathlib import Path

from lab.data import archives, class_folders, gtsrb, labelled_files, table, train_p
from lab.data.dataset import Dataset
from lab.errors import LabError
from lab.pictures import SUFFIXES
from lab.progress import SILENT, Progress


def load(
    path: str | Path,
    crop: str | None = None,
    skip_broken: bool = False,
    progress: Progress = SILENT,
) -> Dataset:
    """Reads a labelled set.

    Args:
        path: a pickle like train.p; GTSRB as published, folder or zip, see `gtsrb.read`; a folder
            with a sub-folder of pictures for each class, see `class_folders.read`; or a CSV, see
            `table.read`.
        crop: how the pictures of a folder or a CSV come to their size, a key of `pictures.CROPS`;
            None is "centre". The others hold signs.
        skip_broken: leave out pictures of a folder or a CSV that cannot be read, and say so.
        progress: where it is shown and said.

    Returns:
        The set, in the order of its file or folders; GTSRB's by class, track and frame.

    Raises:
        LabError: it cannot be read, or is in none of the formats.
    """
    path = Path(path)
    tabular = path.suffix.lower() == ".csv" and not path.is_dir()
    if tabular or (path.is_dir() and not _is_gtsrb(path)):
        rows = table.read(path) if tabular else class_folders.read(path, progress)
        return labelled_files.assemble(rows, str(path), crop or "centre", skip_broken, progress)
    if path.is_dir() or path.suffix.lower() == ".zip":
        check_crop(crop, str(path))
        return gtsrb.read(path)
    signs = train_p.read(path)
    check_crop(crop, str(path))  # what is no labelled set at all is said first
    return signs


def check(path: Path) -> None:
    """Refuses what shows at a glance to be no labelled set; nothing is opened.

    Raises:
        LabError: it is a picture, or a folder without sub-folders.
    """
    if path.is_file() and path.name.lower().endswith(SUFFIXES):
        raise LabError(
            f"{path}: expected a folder with a sub-folder of pictures for each class, a CSV, a "
            "pickle like train.p, or GTSRB; received one picture; name the folder of its class's"
        )
    if path.is_dir() and not _is_gtsrb(path):
        class_folders.check(path)


def check_crop(crop: str | None, source: str) -> None:
    """Refuses a crop of photographs for traffic signs.

    Raises:
        LabError: it is not that of signs.
    """
    if crop not in (None, "sign"):
        raise LabError(
            f"{source}: expected photographs, in a folder for each class or listed in a CSV; "
            "received traffic signs, which go in at 32x32; leave --crop out, or take a "
            "classifier of signs"
        )


def _is_gtsrb(path: Path) -> bool:
    """Whether a folder is GTSRB as published, whole or not, by the names of its files."""
    folders = archives.Folder(path).files.values()
    own = (gtsrb.TABLE, gtsrb.TRAINING_PICTURE)
    if any(form.fullmatch(name) for names in folders for name in names for form in own):
        return True
    # Five digits are a name that anybody may give; but the test set is all in one folder.
    shown = [[name for name in names if name.lower().endswith(SUFFIXES)] for names in folders]
    filled = [names for names in shown if names]
    return len(filled) == 1 and all(map(gtsrb.TEST_PICTURE.fullmatch, filled[0]))

"""A folder with a sub-folder of pictures for each class, or with train/ and val/ of that form.

This is the form of Keras' `image_dataset_from_directory` and of torchvision's `ImageFolder`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from lab import pictures
from lab.data.labelled_files import LabelledFile
from lab.errors import LabError, one_line
from lab.progress import SILENT, Progress

LONGEST = 150  # characters of a path in a notice
DEPTH = 50  # Python walks through some 900
TRAIN, HELD_OUT = "train", ("val", "valid", "validation", "test")


def read(path: Path, progress: Progress = SILENT) -> list[LabelledFile]:
    """Finds the pictures; none is opened.

    Hidden files, and files that are no pictures by their name, are left alone.

    Args:
        path: the folder.
        progress: where it is said what was left alone: kinds of files, see `other_kinds`, and
            pictures in no class's folder.

    Returns:
        The pictures by folder and name, those of train/ before those that are held out.

    Raises:
        LabError: it has no sub-folders, or one of them holds no picture.
    """
    names: list[str] = []
    parts = {folder.name.lower(): folder for folder in _subfolders(path)}
    held_out = [parts[name] for name in HELD_OUT if name in parts]
    if TRAIN not in parts or not held_out or not _subfolders(parts[TRAIN]):
        searched, others = [path], []
        found = list(_classes(path, None, names))
    else:
        searched = [path, parts[TRAIN], *held_out]
        others = [str(folder) for folder in parts.values() if folder not in searched]
        found = list(_classes(parts[TRAIN], False, names))
        for part in held_out:
            found += _classes(part, True, names)
    if kinds := pictures.other_kinds(names):
        progress.say(f"left alone, as no pictures by their names: {kinds}")
    if loose := [str(file) for folder in searched for file in _loose(folder)]:
        first = one_line(loose[0], LONGEST)
        progress.say(f"left alone, as in no class's folder: {len(loose):,} pictures, first {first}")
    if others:
        first = one_line(others[0], LONGEST)
        progress.say(f"left alone, as neither train/ nor held out: {len(others):,}, first {first}")
    return found


def check(path: Path) -> None:
    """Raises a LabError where a folder has no sub-folders."""
    if not _subfolders(path):
        raise LabError(
            f"{path}: expected a folder with a sub-folder of pictures for each class, or with "
            "train/ and val/ of that form; it has no sub-folders; name another"
        )


def _loose(folder: Path) -> list[Path]:
    """The pictures that lie in a folder itself."""
    inside = [entry for entry in sorted(folder.iterdir()) if entry.name[0] != "."]
    return [entry for entry in inside if _is_picture(entry) and entry.is_file()]


def _is_picture(file: Path) -> bool:
    return file.name.lower().endswith(pictures.SUFFIXES)


def _classes(path: Path, given: bool | None, names: list[str]) -> Iterator[LabelledFile]:
    """The pictures of all classes; the names of all files are added to `names`."""
    check(path)
    for folder in _subfolders(path):
        inside = sorted(_files(folder))
        files = [file for file in inside if _is_picture(file)]
        own = [file.name for file in inside]
        names += own
        if not files:
            received = pictures.other_kinds(own) or "a folder without any"
            raise LabError(
                f"{folder}: expected pictures of a class ({', '.join(pictures.SUFFIXES)}); "
                f"received {received}; add some, or remove it"
            )
        # Two bytes that are no character would be in no report.
        name = os.fsencode(folder.name).decode(errors="replace")
        for file in files:
            yield LabelledFile(str(file), name, given=given)


def _subfolders(path: Path) -> list[Path]:
    """The folders in a folder, by name; links are followed, hidden ones left alone."""
    try:
        inside = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
        real = path.resolve()
        for entry in inside:
            if entry.is_symlink() and (not entry.exists() or real.is_relative_to(entry.resolve())):
                raise LabError(
                    f"{entry}: expected a link to a folder of pictures; received one that leads "
                    "to nothing or to itself; correct or remove it"
                )
        return [entry for entry in inside if entry.is_dir()]
    except OSError as error:
        raise _unreadable(error) from None


def _files(folder: Path) -> Iterator[Path]:
    """The files in a folder and below it; links to folders below it are not followed."""

    def refuse(error: OSError) -> None:
        raise _unreadable(error)

    for place, below, names in os.walk(folder, onerror=refuse):
        below[:] = sorted(name for name in below if name[0] != ".")
        if len(Path(place).relative_to(folder).parts) > DEPTH:
            raise LabError(f"{place}: expected at most {DEPTH} folders in one another; move it up")
        for name in names:
            if name[0] != ".":
                yield Path(place, name)


def _unreadable(error: OSError) -> LabError:
    return LabError(
        f"{error.filename}: expected a folder that can be read; {error.strerror}; check it"
    )

"""The pictures that a command line names: files, folders of them, or the signs in examples/."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from lab import files, pictures
from lab.errors import LabError, listed
from lab.progress import tell

Prepared = TypeVar("Prepared")


def examples() -> list[Path]:
    """The pictures in examples/, by name.

    Raises:
        LabError: there are none.
    """
    found = sorted(files.EXAMPLES.glob("*.png"))
    if not found:
        raise LabError(f"{files.EXAMPLES}: expected example signs; there are none: name pictures")
    return found


class PictureFiles:
    """The pictures on a command line.

    Args:
        words: files, or folders of pictures.

    Raises:
        LabError: none of them is there.

    Attributes:
        paths: of the pictures; once they are read, of those that can be read.
    """

    def __init__(self, words: Sequence[str | Path]):
        self.paths: list[Path] = []
        self._broken: list[str] = []
        for word in map(Path, words):
            try:
                self.paths += _files_of(word)
            except LabError as error:
                self._broken.append(str(error))
        if not self.paths:
            self.refuse_broken()

    def read(self, prepare: Callable[[np.ndarray], Prepared]) -> list[Prepared]:
        """Reads the pictures, and leaves out those that cannot be read.

        Args:
            prepare: function of a picture, RGB uint8 (h, w, 3). Pictures may be large: only what it
                returns stays in memory.

        Raises:
            LabError: none of them can be read.
        """
        paths, self.paths, prepared = self.paths, [], []
        for path in paths:
            try:
                prepared.append(prepare(pictures.read(path)))
                self.paths.append(path)
            except LabError as error:
                named = str(error).startswith(str(path))
                self._broken.append(str(error) if named else f"{path}: {error}")
        if not self.paths:
            self.refuse_broken()
        return prepared

    def refuse_broken(self) -> None:
        """Refuses the broken pictures; to be called after the others have been classified.

        Raises:
            LabError: a picture could not be read; the message says which, and why.
        """
        if not self._broken:
            return
        count = len(self._broken) + len(self.paths)
        if count == 1:
            raise LabError(self._broken[0])
        message = f"{len(self._broken)} of {count} pictures cannot be read"
        tell(listed(message, self._broken))
        raise LabError(f"{message}, first {self._broken[0]}")


def _files_of(path: Path) -> list[Path]:
    """The file itself, or a folder's pictures by name; without hidden files."""
    if not path.is_dir():
        if not path.exists():
            pictures.read(path)  # says that it is missing, before a long start
        return [path]
    suffixes, inside = pictures.SUFFIXES, sorted(path.iterdir())
    found = [file for file in inside if file.suffix.lower() in suffixes]
    found = [file for file in found if not file.name.startswith(".")]
    others = pictures.other_kinds(file.name for file in inside if file.is_file())
    if not found:
        raise LabError(
            f"{path}: expected a picture, or a folder with pictures ({', '.join(suffixes)}); it "
            f"holds {others or 'none'}; name another"
        )
    if others:
        tell(f"{path}: left alone, as no pictures by their names: {others}")
    return found

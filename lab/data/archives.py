"""Folders and zips with one interface, read in place: names of files, and the content of each."""

import os
import posixpath
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import untrusted, zips
from lab.files import human_size
from lab.untrusted import Broken

MOST_GROWN = 5  # times a zip's bytes that its members may have; GTSRB's have less than twice
DEPTH = 4  # levels of folders that are searched; a whole home folder would take minutes
MOST_BYTES = 2**24  # of one unpacked file; GTSRB's largest picture has 190,000
MOST_DIRECTORY = 2**23  # of a zip; that of GTSRB's 39,252 files has 5 million
EXPECTED = f"a whole file of at most {MOST_BYTES:,} bytes"


@contextmanager
def opened(path: str | Path) -> Iterator["Folder | Zip"]:
    """Opens a folder or a zip.

    Raises:
        LabError: it is neither, missing or damaged.
    """
    path = Path(path)
    if path.is_dir():
        yield Folder(path)
        return
    with untrusted.opened(path, "a folder or a whole zip", "get it again") as file:
        archive = zips.opened(file, MOST_BYTES, MOST_DIRECTORY)
        size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES + MOST_GROWN * file.seek(0, 2):
            raise Broken(f"a zip that unpacks to {human_size(size)}")
        yield Zip(path, archive)


class Folder:
    """What lies below a folder.

    Args:
        path: the folder.

    Attributes:
        files: each folder in it -> names of its files. Folders are relative, with forward slashes;
            "" is the folder itself.
    """

    def __init__(self, path: Path):
        self.path = path
        self.files: dict[str, set[str]] = {}
        for folder, subfolders, files in os.walk(path):
            inside = Path(folder).relative_to(path)
            if len(inside.parts) >= DEPTH:
                subfolders.clear()
            self.files["" if inside == Path() else inside.as_posix()] = set(files)

    def where(self, name: str) -> str:
        """The file's name for messages."""
        return str(self.path / name)

    def read(self, name: str) -> bytes:
        """The file's content."""
        return _whole(self.path / name)

    def beside_or_above(self, folder: str, name: str, above: int = 2) -> tuple[bytes, str] | None:
        """Content of a file in the folder or above it, even outside `path`, and its full name."""
        place = (self.path / folder).absolute()
        for _ in range(above + 1):
            if (place / name).is_file():
                return _whole(place / name), str(place / name)
            place = place.parent
        return None


class Zip:
    """What lies in a zip; see `Folder`."""

    def __init__(self, path: Path, file: zipfile.ZipFile):
        self.path = path
        self.files: dict[str, set[str]] = defaultdict(set)
        self._file = file
        for info in file.infolist():
            if not info.is_dir():
                folder, name = posixpath.split(info.filename)
                self.files[folder].add(name)

    def where(self, name: str) -> str:
        """The file's name for messages."""
        return f"{self.path}/{name}"

    def read(self, name: str) -> bytes:
        """The file's content."""
        with untrusted.reading(self.where(name), EXPECTED):
            return bytes(zips.content(self._file, self._file.getinfo(name)))

    def beside_or_above(self, folder: str, name: str, above: int = 2) -> tuple[bytes, str] | None:
        """Content of a file in the folder or above it, or beside the zip, and its full name."""
        for _ in range(above + 1):
            if name in self.files.get(folder, ()):
                inside = posixpath.join(folder, name)
                return self.read(inside), self.where(inside)
            folder = posixpath.dirname(folder)
        beside = self.path.absolute().parent / name
        return (_whole(beside), str(beside)) if beside.is_file() else None


def _whole(path: Path) -> bytes:
    with untrusted.opened(path, EXPECTED) as file:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Broken("a larger one")
        return content

"""Folders and zips with one interface, read in place: names of files, and the content of each."""

import os
import posixpath
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError

DEPTH = 4  # levels of folders that are searched; a whole home folder would take minutes
MOST_BYTES = 2**29  # of one unpacked file: twice a picture of 89 million pixels, Pillow's limit


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
    try:
        file = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise LabError(
            f"{path}: expected a folder or a whole zip; received something else ({error}); "
            "get it again"
        ) from None
    except OSError as error:
        raise LabError(f"{path}: expected a folder or a zip; {error.strerror}; check it") from None
    with file:
        yield Zip(path, file)


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
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise LabError(
                f"{self.where(name)}: expected a file that can be read; {error.strerror}; check it"
            ) from None

    def beside_or_above(self, folder: str, name: str, above: int = 2) -> tuple[bytes, str] | None:
        """Content of a file in the folder or above it, even outside `path`, and its full name."""
        place = (self.path / folder).absolute()
        for _ in range(above + 1):
            if (place / name).is_file():
                return Folder.read(self, str(place / name)), str(place / name)
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
        expected = f"{self.where(name)}: expected a whole file of at most {MOST_BYTES:,} bytes"
        size = self._file.getinfo(name).file_size
        if size > MOST_BYTES:
            raise LabError(f"{expected}; received one of {size:,}; get the archive again")
        try:
            return self._file.read(name)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
            raise LabError(
                f"{expected}; received a damaged one ({error}); get the archive again"
            ) from None

    def beside_or_above(self, folder: str, name: str, above: int = 2) -> tuple[bytes, str] | None:
        """Content of a file in the folder or above it, or beside the zip, and its full name."""
        for _ in range(above + 1):
            if name in self.files.get(folder, ()):
                inside = posixpath.join(folder, name)
                return self.read(inside), self.where(inside)
            folder = posixpath.dirname(folder)
        beside = self.path.absolute().parent / name
        return (beside.read_bytes(), str(beside)) if beside.is_file() else None

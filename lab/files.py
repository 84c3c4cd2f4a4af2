"""Files on disk: where they are, atomic writes, hashes, free space."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lab import interruption, locks
from lab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
STALE = 86_400  # seconds without a write after which half a file is nobody's


def cache_folder() -> Path:
    """Where features are stored; all of it can be made again. LAB_CACHE names another folder."""
    return Path(os.environ.get("LAB_CACHE") or ROOT / "cache")


def relative(path: Path) -> str:
    """A path as people name it: relative to the lab's folder where it lies in it."""
    path = path.absolute()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Says of an OSError in the block, such as a full disk, that `path` cannot be written.

    Raises:
        LabError: in its place.
    """
    try:
        yield
    except OSError as error:
        raise LabError(
            f"{path}: cannot be written ({error.strerror or error}); choose another place, or "
            "free it"
        ) from error


def target(path: str | Path) -> Path:
    """The regular file that a path names, which need not exist yet; links are followed.

    Raises:
        LabError: it names a folder, a device, a pipe or a socket, which a renamed file would
            replace, or it is a link to nothing.
    """
    path = Path(path)
    with writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        if path.is_symlink():
            if not path.exists():
                raise OSError(errno.ENOENT, f"it is a link to {os.readlink(path)}: nothing there")
            return path.resolve()
    return path


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Writes a file so that it is never there by half: a kill leaves the old one or the new one.

    Args:
        path: the file to write or to replace, or a link to it; its folder is made if missing.

    Yields:
        An empty temporary file beside it, with the same suffix (imageio and NumPy go by it). When
        the block ends well it becomes `path`; when anything is raised in it, Ctrl-C included, it is
        removed. If the process is killed, the next one that writes to the folder removes it.

    Raises:
        LabError: the file cannot be written, there or within the block.
    """
    path = target(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent)
        part, held = _new_part(path)
    interruption.PARTS.add(part)
    try:
        with writing(path):
            yield part
            put(part, path)
    finally:
        part.unlink(missing_ok=True)
        held.close()
        interruption.PARTS.discard(part)


def put(part: Path, path: Path) -> None:
    """Moves a complete file to its place in the same folder, past the disk's own memory."""
    _sync(part)
    os.replace(part, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    file = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _new_part(path: Path) -> tuple[Path, BinaryIO]:
    """A temporary file beside `path`, and it again, open: its lock says that we are alive."""
    while True:
        part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.part{path.suffix}")
        held = open(part, "xb")  # noqa: SIM115 (closed by `atomic`, which gives the lock back)
        locked = locks.lock(held.fileno())
        if locked is None:  # no locks here; and Windows renames no open file
            held.close()
        if locked is not False and part.exists():
            return part, held
        held.close()  # another process took it for an abandoned one before it was locked


def remove_abandoned(folder: Path) -> None:
    """Removes the temporary files of `atomic` in a folder whose writers were killed.

    A dead writer's lock is free at once; a process number may be another's by then. Where there are
    no locks, a day must do.
    """
    for part in folder.glob(".*-" + "[0-9a-f]" * 8 + ".part*"):
        with contextlib.suppress(OSError):  # gone already, or not ours to remove
            with open(part, "rb") as file:
                free = locks.lock(file.fileno())
                if free:
                    part.unlink()
            if free is None:
                remove_stale([part])


def remove_stale(paths: Iterable[Path]) -> None:
    """Removes halves of files that could be gone on with: after a day without a write."""
    for path in paths:
        with contextlib.suppress(OSError):  # gone already, or not ours to remove
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink()


def remove_outdated(version: int, used: Path) -> None:
    """Removes stored features that no run will read, if a day old: see `lab.features.cache`.

    Args:
        version: of the computation that is valid; features of another one are removed.
        used: the folder whose features are wanted now; of the others, half-made ones are removed.
    """
    folders = [lock.parent for lock in cache_folder().glob("[0-9a-f]" * 16 + "/lock")]
    remove_stale(part for folder in folders if folder != used for part in folder.glob("*.part"))
    for key in (folder / "key.json" for folder in folders):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            other = json.loads(key.read_text(encoding="utf-8"))["version"] != version
            if other and time.time() - key.stat().st_mtime > STALE:
                shutil.rmtree(key.parent)


def check_writable(path: str | Path) -> None:
    """Stops before a long computation whose result could not be written.

    Args:
        path: the file to be written; neither it nor its folder need exist yet.

    Raises:
        LabError: it cannot be put there.
    """
    path = target(path)
    with writing(path), tempfile.TemporaryFile(dir=_existing(path.absolute().parent)):
        pass


def write_json(path: str | Path, obj: object) -> None:
    """Writes an object as indented JSON, all of it or nothing.

    Args:
        path: the file to write or to replace.
        obj: what `json.dumps` takes; NaN and infinities are refused, since JSON has none.

    Raises:
        ValueError: `obj` holds NaN or an infinity.
        LabError: the file cannot be put there.
    """
    text = json.dumps(obj, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic(path) as part:  # a name that is not UTF-8: \udce9 is JSON's, too
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def file_hash(path: str | Path, kind: str = "sha256") -> str:
    """A file's hash in lower-case hexadecimal digits; `kind` is a name that `hashlib.new` knows."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def human_size(count: int) -> str:
    """A number of bytes as people read it, by thousands: 243863787 is "243.9 MB"."""
    if count < 1000:
        return f"{count} bytes"
    size = count / 1000
    for unit in ("kB", "MB", "GB"):
        if size < 999.95:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def check_space(folder: str | Path, needed: int) -> None:
    """Stops before a long computation or download that the disk cannot hold.

    Args:
        folder: where the file is to go; need not exist yet.
        needed: bytes.

    Raises:
        LabError: fewer bytes are free on that disk.
    """
    folder = Path(folder).absolute()
    free = shutil.disk_usage(_existing(folder)).free
    if free < needed:
        raise LabError(
            f"{folder}: {human_size(needed)} are needed there and {human_size(free)} are free; "
            "make room on that disk"
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists; a link to nothing is in the way."""
    places = (folder, *folder.parents)
    place = next(place for place in places if place.exists() or place.is_symlink())
    if not place.exists():
        raise OSError(errno.ENOENT, f"{place} is a link to nothing")
    return place

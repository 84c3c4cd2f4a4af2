"""Files on disk: where they are, atomic writes, hashes, locks, free space."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
STALE = 86_400  # seconds without a write after which a half-written file is nobody's


def cache_folder() -> Path:
    """Where features are stored; all of it can be made again. LAB_CACHE names another folder."""
    return Path(os.environ.get("LAB_CACHE") or ROOT / "cache")


def relative(path: Path) -> str:
    """A path as people name it: relative to the lab's folder where it lies in it."""
    path = path.absolute()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Writes a file so that it is never there by half.

    Args:
        path: the file to write or to replace; its folder is made where it is missing.

    Yields:
        An empty temporary file beside it, with the same suffix (imageio and NumPy go by it). It
        becomes `path` when the block ends well and is removed when anything is raised in it,
        Ctrl-C included.

    Raises:
        LabError: the file cannot be put there.
    """
    path = Path(path)
    part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    remove_stale(path.parent.glob(f".{glob.escape(path.stem)}-*{glob.escape(path.suffix)}"))
    try:
        yield part
        with _writing(path):
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def remove_stale(paths: Iterable[Path]) -> None:
    """Removes what runs that were killed left: files that nobody has written to for a day."""
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


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Waits until no other process has this lock, and holds it while the block runs.

    Yields:
        Whether it is held: Windows and some network drives have no locks, and then nothing keeps
        two runs apart.

    Raises:
        LabError: the folder cannot be written to.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab")  # noqa: SIM115 (closed below, which gives the lock back)
    with file:
        held = True
        try:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                line = f"waiting for another run, which writes to {path.parent}"
                with contextlib.suppress(OSError):
                    print(line, file=sys.stderr)
                fcntl.flock(file, fcntl.LOCK_EX)
        except (ImportError, OSError):
            held = False
        yield held


def check_writable(path: str | Path) -> None:
    """Stops before a long computation whose result could not be written.

    Args:
        path: the file to be written; neither it nor its folder need exist yet.

    Raises:
        LabError: it cannot be put there.
    """
    path = Path(path).absolute()
    with _writing(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        with tempfile.TemporaryFile(dir=_existing(path.parent)):
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
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Says of an OSError in the block that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise LabError(
            f"{path}: cannot be written ({error.strerror or error}); choose another place, or "
            "free it"
        ) from error

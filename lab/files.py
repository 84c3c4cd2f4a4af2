"""Files on disk: where they are, atomic writes, hashes, locks, free space."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
STALE = 86_400  # seconds without a write after which a temporary file is nobody's


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(path.suffix, f".{path.stem}-", path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    os.close(handle)
    part = Path(name)
    _sweep(path)
    try:
        part.chmod(0o666 & ~_umask())  # mkstemp's 0600 would keep a shared lab's files private
        yield part
        try:
            os.replace(part, path)
        except OSError as error:
            raise _unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Waits until no other process has this lock, and holds it while the block runs.

    Yields:
        Whether it is held: Windows and some network drives have no locks, and then nothing keeps
        two runs apart.

    Raises:
        LabError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab")  # noqa: SIM115 (closed below, which gives the lock back)
    except OSError as error:
        raise _unwritable(path, error) from error
    with file:
        try:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with contextlib.suppress(OSError):
                    print(
                        f"waiting for another run, which writes to {path.parent}", file=sys.stderr
                    )
                fcntl.flock(file, fcntl.LOCK_EX)
        except (ImportError, OSError):
            held = False
        else:
            held = True
        yield held


def check_writable(folder: str | Path) -> None:
    """Stops before a long computation whose result could not be put into a folder.

    Args:
        folder: need not exist yet.

    Raises:
        LabError: nothing can be written there.
    """
    folder = Path(folder).absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


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
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def file_hash(path: str | Path, kind: str = "sha256") -> str:
    """A file's hash, read in pieces.

    Args:
        path: the file.
        kind: a name `hashlib.new` knows.

    Returns:
        The hash in lower-case hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def folder_size(path: str | Path) -> int:
    """The bytes of all files under a folder; 0 for a folder that does not exist."""
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())


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
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise LabError(
            f"{folder}: {human_size(needed)} are needed there and {human_size(free)} are free; "
            "make room on that disk"
        )


def _sweep(path: Path) -> None:
    """Removes what runs that were killed left of this file, but nothing that may be in use."""
    for part in path.parent.glob(f".{glob.escape(path.stem)}-*{glob.escape(path.suffix)}"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> LabError:
    return LabError(
        f"{path}: cannot be written ({error.strerror or error}); choose another place, or free it"
    )

"""Files on disk: where things lie, atomic writes, checksums, free space."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "cache"  # whatever is in it can be made again
EXAMPLES = ROOT / "examples"


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Write a file so that nobody ever sees half of it.

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
    try:
        part.chmod(0o666 & ~_umask())  # mkstemp's 0600 would keep a shared lab's files private
        yield part
        try:
            os.replace(part, path)
        except OSError as error:
            raise _unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def write_json(path: str | Path, obj: object) -> None:
    """Write an object as indented JSON, all of it or nothing.

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
    """Stop before a long computation or download that the disk cannot hold.

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


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> LabError:
    return LabError(
        f"{path}: cannot be written ({error.strerror or error}); choose another place, or free it"
    )

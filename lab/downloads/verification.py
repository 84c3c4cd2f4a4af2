"""Whether a file is the published one, by size and hash; remembered, so that it is hashed once."""

import contextlib
import re
from pathlib import Path
from typing import Any

from lab import cached, files, untrusted
from lab.downloads.catalogue import Remote
from lab.errors import LabError

DIGITS = 16  # of a hash, in messages
VERIFIED = "verified.json"  # in the cache: path -> state, see `_state`, and the file's own hash


def compare(size: int, found: str, wanted_size: int | None, wanted: str | None) -> None:
    """Compares a file with what is known about it, as far as anything is.

    Args:
        size, found: its bytes and its hash, as in the catalogue.
        wanted_size, wanted: what they should be, or None.

    Raises:
        LabError: it differs; the message says what was expected and what was received.
    """
    if wanted_size and size != wanted_size:
        raise LabError(f"expected {wanted_size} bytes; received {size}")
    if wanted and found != wanted:
        expected, received = (text.split(":") for text in (wanted, found))
        raise LabError(
            f"expected {expected[0]} {expected[1][:DIGITS]}...; "
            f"received {received[0]} {received[1][:DIGITS]}..."
        )


def verify_once(path: Path, remote: Remote) -> None:
    """Verifies a file that is there already, unless it is unchanged since it was last verified.

    Where no hash is published, the one that it had when it was first used is compared.

    Raises:
        LabError: it is not the published one, or not the one that was used before.
    """
    if not path.is_file():
        return
    state, own = known().get(str(path.resolve()), (None, None))
    if state == _state(path, remote):
        return
    own = own if isinstance(own, str) and re.fullmatch("(md5|sha256):[0-9a-f]+", own) else None
    wanted = remote.hash or own
    found = ""
    if wanted or not remote.size:
        kind = wanted.partition(":")[0] if wanted else "sha256"
        found = f"{kind}:{files.file_hash(path, kind)}"
    try:
        compare(path.stat().st_size, found, remote.size, wanted)
    except LabError as error:
        what = "published file" if remote.size or remote.hash else "file that was used before"
        raise LabError(
            f"{path}: {error}: it is not the {what}; remove it to download it again"
        ) from None
    remember(path, remote, found)


def known() -> dict[str, Any]:
    """What is remembered: path -> (state, own hash)."""
    path, record = files.cache_folder() / VERIFIED, {}
    with cached.reading(path):
        record = untrusted.json_file(path)
    pairs = (pair for pair in record.items() if isinstance(pair[1], list) and len(pair[1]) == 2)
    return {path: (state, own) for path, (state, own) in pairs}


def remember(path: Path, remote: Remote, found: str) -> None:
    """Remembers that a file is the right one as it is now, and its hash."""
    record = {str(path.resolve()): (_state(path, remote), found)}
    with contextlib.suppress(LabError, OSError):  # without a record it is verified again
        files.write_json(files.cache_folder() / VERIFIED, known() | record)


def _state(path: Path, remote: Remote) -> list[Any]:
    """Size, time of the last change, and what is published: equal means verified before."""
    now = path.stat()
    return [now.st_size, now.st_mtime_ns, remote.size, remote.hash]

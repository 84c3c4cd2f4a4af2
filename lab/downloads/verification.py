"""Whether a file is the published one, by size and hash; remembered, so that it is hashed once."""

import contextlib
from pathlib import Path
from typing import Any

from lab import cached, files, untrusted
from lab.downloads.catalogue import Remote
from lab.errors import LabError

VERIFIED = "verified.json"  # in the cache: path -> size, time of change, published size and hash


def verify(path: Path, remote: Remote, size: int | None = None) -> None:
    """Compares a file with what is published about it, as far as anything is.

    Args:
        path: the file.
        remote: its record.
        size: bytes that it should have, if no size is published.

    Raises:
        LabError: it differs; the message says what was expected and what was received.
    """
    received, wanted = path.stat().st_size, remote.size or size
    if wanted and received != wanted:
        raise LabError(f"expected {wanted} bytes; received {received}")
    if remote.hash:
        kind, _, expected = remote.hash.partition(":")
        found = files.file_hash(path, kind)
        if found != expected:
            raise LabError(f"expected {kind} {expected}; received {found}")


def verify_once(path: Path, remote: Remote) -> None:
    """Verifies a file that is there already, unless it is unchanged since it was last verified.

    Raises:
        LabError: it is not the published one.
    """
    if not (remote.size or remote.hash) or not path.is_file():
        return
    now, record = path.stat(), files.cache_folder() / VERIFIED
    state = [now.st_size, now.st_mtime_ns, remote.size, remote.hash]
    known: dict[str, Any] = {}
    with cached.reading(record):
        known = untrusted.json_file(record)
    if known.get(str(path.resolve())) == state:
        return
    try:
        verify(path, remote)
    except LabError as error:
        raise LabError(
            f"{path}: {error}: it is not the published file; remove it to download it again"
        ) from None
    with contextlib.suppress(LabError, OSError):  # without a record it is verified again
        files.write_json(record, known | {str(path.resolve()): state})

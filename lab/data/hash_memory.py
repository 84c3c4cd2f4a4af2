"""Hashes of picture files that were read before, in the cache: they need not be decoded again."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import PIL

from lab import cached, files, untrusted
from lab.errors import LabError
from lab.untrusted import Broken

VERSION = 1  # of reading and cropping pictures: a new number makes all of it invalid


class HashMemory:
    """The hashes of one set's files, each by path, size and time of the last change.

    Args:
        source: the set's folder or table.
        crop: a key of `pictures.CROPS`.
    """

    def __init__(self, source: str, crop: str):
        made_of = json.dumps([VERSION, PIL.__version__, os.path.abspath(source), crop])
        name = hashlib.sha256(made_of.encode()).hexdigest()[:16]
        self._path = files.cache_folder() / f"hashes-{name}.json"
        self._stamps: dict[str, list[int]] = {}
        self._known: dict[str, list[int]] = {}
        with cached.reading(self._path):
            known = untrusted.json_file(self._path)
            if not all(map(_is_entry, known.values())):
                raise Broken("no hashes")
            self._known = known

    def find(self, path: Path) -> int | None:
        """The file's hash, if it is as it was."""
        with contextlib.suppress(OSError):
            status = path.stat()
            self._stamps[str(path)] = [status.st_size, status.st_mtime_ns]
            *stamp, known = self._known.get(str(path), [0])
            return known if stamp == self._stamps[str(path)] else None
        return None

    def keep(self, hashes: Mapping[str, int]) -> None:
        """Stores the hashes of files, as they were when `find` was asked for them."""
        # By the name that `find` was asked for: a table may write ./a.png.
        named = {str(Path(path)): number for path, number in hashes.items()}
        stamps = self._stamps
        known = {path: [*stamps[path], named[path]] for path in named if path in stamps}
        if known != self._known:
            with contextlib.suppress(OSError, LabError), files.atomic(self._path) as part:
                part.write_text(json.dumps(known), encoding="utf-8")  # where it may be written


def _is_entry(value: object) -> bool:
    """Whether it is a file's size, its time and a hash of 64 bits."""
    numbers = value if isinstance(value, list) and len(value) == 3 else [-1]
    return all(type(number) is int and 0 <= number < 2**64 for number in numbers)

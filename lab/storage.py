"""Files on disk: errors a user can act on, atomic writes, checksums, the cache folder."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "cache"


class LabError(ValueError):
    """A user's mistake, in one line: what was expected, what was received, what to do."""

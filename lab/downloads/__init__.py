"""Files that others publish: a catalogue of them, how one is fetched, and how it is verified."""

from lab.downloads.catalogue import REMOTE, WEIGHTS
from lab.downloads.fetching import fetch

__all__ = ["REMOTE", "WEIGHTS", "fetch"]

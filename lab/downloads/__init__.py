"""Files that others publish.

catalogue      addresses, sizes and hashes, in one table
fetching       gets a file: resumed, verified, whole or not at all
transfer       one answer of a server, into a part of the file
verification   whether a file is the published one
"""

from lab.downloads.catalogue import PHOTOGRAPHS, REMOTE, SIGNS, TRAIN_P, WEIGHTS
from lab.downloads.fetching import fetch

__all__ = ["PHOTOGRAPHS", "REMOTE", "SIGNS", "TRAIN_P", "WEIGHTS", "fetch"]

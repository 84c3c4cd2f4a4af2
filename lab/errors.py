"""The error that a user can act on, and what a broken file may raise."""

import zipfile
import zlib

# What reading an .npz that is cut short, damaged or something else may raise.
BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


class LabError(ValueError):
    """A user's mistake, in one line: what was expected, what was received, what to do."""

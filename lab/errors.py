"""The error that a user can act on, and what a broken file may raise."""

import zipfile
import zlib

# What reading an .npz that is cut short, damaged or something else may raise.
BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


class LabError(ValueError):
    """A user's mistake, in one line: what was expected, what was received, what to do."""


def shown(text: str, longest: int = 200) -> str:
    """What a file says, for a message: short, and without line ends or control characters."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: longest + 1])
    return line if len(line) <= longest else line[:longest] + "..."

"""What a script does before anything else is imported, most of all before what is slow."""

import os
import sys

from lab import interruption


def begin() -> None:
    """From here on, the script has its streams, and ends in one line where it is interrupted."""
    _open_closed_streams()
    interruption.watch()


def _open_closed_streams() -> None:
    """Opens the null device where the shell closed a stream, as `2>&-` does.

    Else the next file that is opened gets the stream's number, and what libraries write to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # open takes the lowest number that is free: the stream's
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115

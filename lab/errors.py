"""The error that a user can act on, and text out of files in messages."""

import re
from collections.abc import Sequence

LONGEST = 300  # characters of an error
MOST_LISTED = 10  # lines below a heading; the others are counted
# Control characters, line ends, halves of characters, and what turns the direction of writing.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class LabError(ValueError):
    """A user's mistake, in one short line: what was expected, what was received, what to do."""

    def __init__(self, message: str = ""):
        super().__init__(one_line(message))


def shown(text: str, longest: int = 200) -> str:
    """What a file says, for a message: short, and without line ends or control characters."""
    line = escaped(text[: longest + 1])
    return line if len(line) <= longest else line[:longest] + "..."


def one_line(text: str, longest: int = LONGEST) -> str:
    """A message as one line; of a long one its start and its end, which says what to do."""
    if len(text) > 4 * longest:  # whole files, sometimes
        text = text[: 2 * longest] + text[-2 * longest :]
    line = escaped(" ".join(text.split()))
    end = longest // 3
    return line if len(line) <= longest else line[: longest - end - 5] + " ... " + line[-end:]


def listed(heading: str, lines: Sequence[str]) -> str:
    """A heading and below it, in a short line each, what is too much for one line."""
    more = [f"and {len(lines) - MOST_LISTED:,} more"] if lines[MOST_LISTED:] else []
    below = [f"{heading}:", *lines[:MOST_LISTED], *more]
    return "\n  ".join(one_line(line, LONGEST - 2) for line in below)


def escaped(text: str, kept: str = "") -> str:
    """The text with its control characters as Python writes them, which command no terminal.

    Args:
        text: any.
        kept: control characters that stay.
    """
    return CONTROL.sub(lambda c: c[0] if c[0] in kept else repr(c[0])[1:-1], text)

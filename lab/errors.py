"""The error that a user can act on."""

LONGEST = 300  # characters of an error, as it is printed
MOST_LISTED = 2000  # of one that lists others


class LabError(ValueError):
    """A user's mistake, in one line: what was expected, what was received, what to do."""

    def __init__(self, message: str = ""):
        super().__init__(one_line(message, MOST_LISTED))


def shown(text: str, longest: int = 200) -> str:
    """What a file says, for a message: short, and without line ends or control characters."""
    line = _escaped(text[: longest + 1])
    return line if len(line) <= longest else line[:longest] + "..."


def one_line(text: str, longest: int = LONGEST) -> str:
    """A message as one line; of a long one its start and its end, which says what to do."""
    if len(text) > 4 * longest:  # whole files, some of them
        text = text[: 2 * longest] + text[-2 * longest :]
    line = _escaped(" ".join(text.split()))
    end = longest // 3
    return line if len(line) <= longest else line[: longest - end - 5] + " ... " + line[-end:]


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

"""The classes of traffic signs: how many there are, their names, and their mirror images."""

import csv
import io
from collections.abc import Sequence

from lab import files, untrusted
from lab.untrusted import Broken, parse

CLASSES = 43
# A sign of these in a mirror is one of the same class, as signnames.csv names them.
SYMMETRIC = (
    "Right-of-way at the next intersection", "Priority road", "Yield", "No vehicles", "No entry",
    "General caution", "Bumpy road", "Traffic signals", "Beware of ice/snow", "Ahead only",
)  # fmt: skip
# One of each of these is one of the other.
PAIRS = (
    ("Dangerous curve to the left", "Dangerous curve to the right"),
    ("Turn right ahead", "Turn left ahead"),
    ("Go straight or right", "Go straight or left"),
    ("Keep right", "Keep left"),
)


def class_names() -> list[str]:
    """The names of the classes, in the order of the official benchmark, from signnames.csv.

    Raises:
        LabError: the file is missing, or not as it was published.
    """
    path, expected = (
        files.ROOT / "signnames.csv",
        f"the names of {CLASSES} classes, below ClassId,SignName",
    )
    with untrusted.opened(path, expected, "get the repository again") as file:
        text = parse(file.read(2**16).decode, "utf-8")
        header, *rows = parse(list, csv.reader(io.StringIO(text, newline=""))) or [[]]
        names = [row[1] for row in rows if len(row) == 2]
        if header != ["ClassId", "SignName"] or len(names) != CLASSES:
            raise Broken(f"{len(names)} names")
    return names


def mirror_images(names: Sequence[str]) -> tuple[int, ...]:
    """For each class, the class of its signs' mirror images, or -1 where these have none.

    Args:
        names: of the classes, by number; other names than those of signnames.csv, such as numbers,
            have none.
    """
    images = {name: name for name in SYMMETRIC} | dict(PAIRS) | {b: a for a, b in PAIRS}
    numbers = {name: number for number, name in enumerate(names)}
    return tuple(numbers.get(images.get(name, ""), -1) for name in names)

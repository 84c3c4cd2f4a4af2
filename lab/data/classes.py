"""The classes of traffic signs: how many there are and what they are called."""

import csv
import io

from lab import files, untrusted
from lab.untrusted import Broken, parse

CLASSES = 43


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

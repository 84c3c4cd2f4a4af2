"""The classes of traffic signs: how many there are and what they are called."""

import csv

from lab import files


def class_names() -> list[str]:
    """The names of the classes, in the order of the official benchmark, from signnames.csv."""
    with open(files.ROOT / "signnames.csv", newline="", encoding="utf-8") as file:
        return [row["SignName"] for row in csv.DictReader(file)]


CLASSES = len(class_names())

"""A CSV of labelled pictures: the columns file and class and, where known, group."""

import csv
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lab import untrusted
from lab.data.labelled_files import LabelledFile
from lab.errors import LabError, shown
from lab.untrusted import Broken, parse

COLUMNS = ("file", "class")
# Twice train.p's 39,209 and more; a row takes some 400 bytes, so all of them less than 64 MB.
MOST_ROWS = 100_000
MOST_BYTES = 2**23  # 84 a row; a character beyond the usual ones makes a text four times as long
MOST_LINE, MOST_COLUMNS = 10_000, 100  # characters


def read(path: Path) -> list[LabelledFile]:
    """Reads the table; no picture is opened.

    Args:
        path: UTF-8, cells separated by commas. Files are relative to its folder. A row whose group
            is empty is a group of its own.

    Returns:
        The pictures, in the table's order.

    Raises:
        LabError: a column or a cell is missing, a file is named twice, or there are too many rows.
    """
    rows: dict[str, LabelledFile] = {}
    folder = "" if path.parent == Path() else str(path.parent)
    expected = "a table in UTF-8, cells separated by commas"
    with untrusted.opened(path, expected, "save it so") as file:
        for line, cells in _rows(file, path):
            if len(rows) == MOST_ROWS:
                raise LabError(
                    f"{path}: expected at most {MOST_ROWS:,} rows; received more; leave some out, "
                    "or name a folder with a sub-folder of pictures for each class"
                )
            row = _row(path, folder, line, cells)
            place = os.path.normpath(row.path)
            first = rows.setdefault(row.path if place == row.path else place, row)  # kept once
            if first is not row:
                raise LabError(
                    f"{path} line {line}: expected each file once; received "
                    f"{shown(row.path, 80)} again, after line {first.line}; remove one"
                )
    if not rows:
        raise LabError(f"{path}: expected a row for each picture; received none; add them")
    return list(rows.values())


def _rows(file: BinaryIO, path: Path) -> Iterator[tuple[int, dict[str | None, str | None]]]:
    """The rows by column, each with the number of its line."""
    if file.seek(0, 2) > MOST_BYTES:
        raise Broken(f"one of more than {MOST_BYTES:,} bytes")
    file.seek(0)
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(_lines(text))
        header = parse(getattr, reader, "fieldnames") or []
        if len(header) > MOST_COLUMNS:
            raise Broken(f"one of {len(header)} columns")
        if missing := [name for name in COLUMNS if name not in header]:
            raise LabError(
                f"{path} line 1: expected the columns file,class and maybe group; "
                f"{missing[0]} is missing (received {shown(','.join(header), 80)}); add it"
            )
        while (cells := parse(next, reader, None)) is not None:
            yield reader.line_num, cells


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MOST_LINE):
        if len(line) == MOST_LINE:
            raise Broken(f"a line of more than {MOST_LINE:,} characters")
        yield line


def _row(path: Path, folder: str, line: int, cells: dict[str | None, str | None]) -> LabelledFile:
    file, name = ((cells[column] or "").strip() for column in COLUMNS)
    if not file or not name or "\0" in file or None in cells:
        received = shown(",".join(str(cell) for cell in cells.values() if cell), 80)
        raise LabError(
            f"{path} line {line}: expected a file and a class; received {received!r}; correct the "
            "line"
        )
    group = None
    if "group" in cells:  # none begins with a space but those made here
        group = sys.intern((cells["group"] or "").strip() or f" line {line}")
    return LabelledFile(os.path.join(folder, file), name, group, None, line)

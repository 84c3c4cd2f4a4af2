"""A CSV of labelled pictures: the columns file and class and, where known, group."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lab import untrusted
from lab.data.labelled_files import LabelledFile
from lab.errors import LabError, shown
from lab.untrusted import Broken, parse

COLUMNS = ("file", "class")
MOST_BYTES = 2**26  # half a million rows
MOST_LINE, MOST_COLUMNS = 10_000, 100  # characters


def read(path: Path) -> list[LabelledFile]:
    """Reads the table; no picture is opened.

    Args:
        path: UTF-8, cells separated by commas. Files are relative to its folder. A row whose group
            is empty is a group of its own.

    Returns:
        The pictures, in the table's order.

    Raises:
        LabError: a column or a cell is missing, or a file is named twice.
    """
    rows: dict[str, LabelledFile] = {}
    expected = "a table in UTF-8, cells separated by commas"
    with untrusted.opened(path, expected, "save it so") as file:
        for number, cells in _rows(file, path):
            row = _row(path, f"{path} line {number}", cells)
            first = rows.setdefault(os.path.normpath(row.path), row)
            if first is not row:
                raise LabError(
                    f"{row.where}: expected each file once; received {shown(str(row.path), 80)} "
                    f"again, after {first.where}; remove one"
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


def _row(path: Path, where: str, cells: dict[str | None, str | None]) -> LabelledFile:
    file, name = ((cells[column] or "").strip() for column in COLUMNS)
    if not file or not name or "\0" in file or None in cells:
        received = shown(",".join(str(cell) for cell in cells.values() if cell), 80)
        raise LabError(
            f"{where}: expected a file and a class; received {received!r}; correct the line"
        )
    group = (cells.get("group") or "").strip() or where
    return LabelledFile(path.parent / file, name, group if "group" in cells else None, None, where)

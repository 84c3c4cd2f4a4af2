"""A CSV of labelled pictures: the columns file and class and, where known, group."""

import csv
import os
from pathlib import Path

from lab.data.labelled_files import LabelledFile
from lab.errors import LabError, shown

COLUMNS = ("file", "class")


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
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = reader.fieldnames or []
            if missing := [name for name in COLUMNS if name not in header]:
                raise LabError(
                    f"{path} line 1: expected the columns file,class and maybe group; "
                    f"{missing[0]} is missing (received {shown(','.join(header))}); add it"
                )
            for cells in reader:
                row = _row(path, f"{path} line {reader.line_num}", cells)
                first = rows.setdefault(os.path.normpath(row.path), row)
                if first is not row:
                    raise LabError(
                        f"{row.where}: expected each file once; received {row.path} again, after "
                        f"{first.where}; remove one"
                    )
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabError(
            f"{path}: expected a table in UTF-8, cells separated by commas; received something "
            f"else ({error}); save it so"
        ) from None
    except OSError as error:
        raise LabError(f"{path}: expected a table; {error.strerror}; check the file") from None
    if not rows:
        raise LabError(f"{path}: expected a row for each picture; received none; add them")
    return list(rows.values())


def _row(path: Path, where: str, cells: dict[str | None, str | None]) -> LabelledFile:
    file, name = ((cells[column] or "").strip() for column in COLUMNS)
    if not file or not name or "\0" in file or None in cells:
        raise LabError(
            f"{where}: expected a file and a class; received "
            f"{shown(','.join(str(cell) for cell in cells.values() if cell))!r}; correct the line"
        )
    group = (cells.get("group") or "").strip() or where
    return LabelledFile(path.parent / file, name, group if "group" in cells else None, None, where)

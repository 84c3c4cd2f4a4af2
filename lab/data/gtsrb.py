"""GTSRB as its authors publish it, folder or zip, read in place: nothing is unpacked.

A training set is .../000NN/TTTTT_FFFFF.ppm (class; track, frame) with a table GT-000NN.csv in each
folder, the test set .../Images/NNNNN.ppm with one GT-final_test.csv. The tables' columns are those
of `COLUMNS`, separated by semicolons.
"""

import csv
import io
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab import pictures, untrusted
from lab.data import archives
from lab.data.archives import Folder, Zip
from lab.data.classes import CLASSES
from lab.data.dataset import Dataset
from lab.data.fingerprints import picture_hashes
from lab.errors import LabError, shown
from lab.untrusted import Broken, parse

TRAINING_ZIP, TEST_ZIP = "GTSRB_Final_Training_Images.zip", "GTSRB_Final_Test_Images.zip"
TEST_TABLE_ZIP, TEST_TABLE = "GTSRB_Final_Test_GT.zip", "GT-final_test.csv"
Rule = Callable[[np.ndarray], np.ndarray]  # uint8 (h, w, 3) -> uint8 (32, 32, 3)

MOST_TABLE = 2**22  # bytes; the test set's 12,630 rows have 450,000
COLUMNS = ("Filename", "Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId")
TABLE = re.compile(r"GT-(\d{5})\.csv", re.ASCII)
TRAINING_PICTURE = re.compile(r"(\d{5})_(\d{5})\.ppm", re.ASCII)  # track, frame
TEST_PICTURE = re.compile(r"(\d{5})\.ppm", re.ASCII)


@dataclass(frozen=True)
class Row:
    """A picture as its table describes it."""

    name: str
    where: str  # the table and the line, for messages
    number: tuple[int, ...]  # track and frame, or a test picture's number
    size: tuple[int, int]  # width, height
    box: tuple[int, int, int, int]  # x1, y1, x2, y2
    label: int


def read(path: str | Path, rule: Rule = pictures.to_sign) -> Dataset:
    """Reads the training set or the test set.

    Args:
        path: an official zip, or a folder: Images, Final_Training, GTSRB or one above it.
        rule: brings a picture to 32x32.

    Returns:
        The set, by class, track and frame, as train.p is, or by a test picture's number. Tracks
        are numbered from 0; the test set has none.

    Raises:
        LabError: it is not GTSRB, or a picture or row is missing, empty or broken: the
            message names it, with the line and the table.
    """
    with archives.opened(path) as archive:
        folders, training = _find_set(archive)
        read_rows = _training_rows if training else _test_rows
        rows = [(folder, row) for folder in folders for row in read_rows(archive, folder)]
        if not rows:
            raise LabError(f"{path}: expected pictures; its tables have no rows; get it again")
        rows.sort(key=lambda pair: (training and pair[1].label, pair[1].number))
        originals = (_picture(archive, folder, row) for folder, row in rows)  # one at a time
        both = [(rule(original), published_rule(original)) for original in originals]
        names = [archive.where(posixpath.join(folder, row.name)) for folder, row in rows]
    tracks, no_tracks = None, "the official test set has none"
    if training:
        signs = [(row.label, row.number[0]) for _, row in rows]
        tracks = np.unique(signs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        no_tracks = ""
    labels = np.array([row.label for _, row in rows], np.int64)
    sizes = np.array([row.size for _, row in rows], np.int64)
    coords = np.array([row.box for _, row in rows], np.int64)
    images = np.stack([image for image, _ in both])
    # Weights tell what they were trained on, and what was held out, by the pixels of train.p.
    hashes = picture_hashes([published for _, published in both])
    return Dataset(images, labels, tracks, no_tracks, sizes, coords, names, str(path), hashes)


def published_rule(picture: np.ndarray) -> np.ndarray:
    """Brings a picture uint8 (h, w, 3) to 32x32 as the lab did for its train.p.

    The rule was found in that file. Its pictures of originals below 32 pixels lie in the span of
    half-pixel bilinear interpolation, but for rounding (the residual is 0.29 = 1 / sqrt(12); other
    rules leave more). Larger originals are not averaged: the sharpest pictures come from originals
    96 pixels wide, where every third pixel is taken.
    """
    return pictures.to_uint8(pictures.resize(picture[None], pictures.SIGN, pictures.half_pixel)[0])


def _find_set(archive: Folder | Zip) -> tuple[list[str], bool]:
    """The folders with the pictures, and whether they are of a training set."""
    training, test = [], []
    for folder, names in archive.files.items():
        if any(TABLE.fullmatch(name) or TRAINING_PICTURE.fullmatch(name) for name in names):
            training.append(folder)
        elif any(map(TEST_PICTURE.fullmatch, names)):
            test.append(folder)
    sets = sorted({posixpath.dirname(folder) for folder in training} | set(test))
    if not sets:
        raise LabError(
            f"{archive.path}: expected GTSRB as published, training or test set; found no "
            "000NN/TTTTT_FFFFF.ppm and no NNNNN.ppm; name the folder or zip that has them"
        )
    if len(sets) > 1:
        named = shown(", ".join(name or "." for name in sets), 100)
        raise LabError(
            f"{archive.path}: expected one set of pictures; received {len(sets)}: {named}; name "
            "the folder of one of them"
        )
    return sorted(training) or test, bool(training)


def _training_rows(archive: Folder | Zip, folder: str) -> list[Row]:
    tables = sorted(filter(TABLE.fullmatch, archive.files[folder]))
    if len(tables) != 1:
        raise LabError(
            f"{archive.where(folder)}: expected one table GT-000NN.csv beside the pictures; "
            f"received {len(tables)}; unpack the archive again"
        )
    name = posixpath.join(folder, tables[0])
    rows = _rows(archive, folder, archive.read(name), archive.where(name), TRAINING_PICTURE)
    label = int(tables[0][len("GT-") : -len(".csv")])
    for row in rows:
        if row.label != label:
            raise LabError(
                f"{row.where}: expected ClassId {label}, this table's; received "
                f"{row.label}; correct it"
            )
    return rows


def _test_rows(archive: Folder | Zip, folder: str) -> list[Row]:
    found = archive.beside_or_above(folder, TEST_TABLE)
    zipped = archive.path.absolute().parent / TEST_TABLE_ZIP
    if found is None and zipped.is_file():
        with archives.opened(zipped) as other:
            found = other.beside_or_above("", TEST_TABLE)
    if found is None:
        raise LabError(
            f"{archive.where(folder)}: expected {TEST_TABLE} beside the test pictures or up to two "
            f"folders above; found none; put the one of {TEST_TABLE_ZIP} there"
        )
    return _rows(archive, folder, *found, TEST_PICTURE)


def _rows(
    archive: Folder | Zip, folder: str, content: bytes, table: str, pattern: re.Pattern
) -> list[Row]:
    """The table's rows, one for each of the folder's pictures."""
    without = set(filter(pattern.fullmatch, archive.files[folder]))
    rows, seen = [], set()
    for line, cells in _lines(content, table):
        row = _row(cells, f"{table} line {line}", pattern)
        if row.name in seen:
            raise LabError(
                f"{row.where}: expected one row a picture; received {row.name} again; remove it"
            )
        if row.name not in without:
            place = archive.where(posixpath.join(folder, row.name))
            raise LabError(
                f"{row.where}: expected the picture {place}; it is missing; "
                "unpack the archive again"
            )
        without.remove(row.name)
        seen.add(row.name)
        rows.append(row)
    if without:
        raise LabError(
            f"{table}: expected a row for each picture; received none for {min(without)} "
            f"({len(without)} such pictures); get the table again"
        )
    return rows


def _lines(content: bytes, table: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The table's rows by column, each with its line number."""
    with untrusted.reading(table, "a table, cells separated by semicolons", "get it again"):
        if len(content) > MOST_TABLE:
            raise Broken(f"one of {len(content):,} bytes")
        text = parse(content.decode, "utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
        header = parse(next, reader, [])
        if missing := [name for name in COLUMNS if name not in header]:
            raise LabError(
                f"{table} line 1: expected the columns {';'.join(COLUMNS)}; {missing[0]} is "
                "missing; get the table again"
            )
        while (cells := parse(next, reader, None)) is not None:
            if len(cells) != len(header):
                raise LabError(
                    f"{table} line {reader.line_num}: expected {len(header)} cells; received "
                    f"{len(cells)}; get the table again"
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))


def _row(cells: dict[str, str], where: str, pattern: re.Pattern) -> Row:
    name = pattern.fullmatch(cells["Filename"])
    if not name:
        form = "TTTTT_FFFFF.ppm" if pattern is TRAINING_PICTURE else "NNNNN.ppm"
        received = shown(repr(cells["Filename"]), 60)
        raise LabError(f"{where}: expected a Filename {form}; received {received}; correct it")
    for column in COLUMNS[1:]:
        if not re.fullmatch(r"[0-9]{1,5}", cells[column]):
            raise LabError(
                f"{where}: expected a whole number as {column}; received "
                f"{shown(repr(cells[column]), 60)}; correct it"
            )
    width, height, left, top, right, bottom, label = (int(cells[c]) for c in COLUMNS[1:])
    if label >= CLASSES:
        raise LabError(
            f"{where}: expected a ClassId from 0 to {CLASSES - 1}; received {label}; correct it"
        )
    number, box = tuple(map(int, name.groups())), (left, top, right, bottom)
    return Row(name[0], where, number, (width, height), box, label)


def _picture(archive: Folder | Zip, folder: str, row: Row) -> np.ndarray:
    """The row's picture, uint8 (h, w, 3), of the size that the row names."""
    name = posixpath.join(folder, row.name)
    try:
        picture = pictures.decode(io.BytesIO(archive.read(name)), archive.where(name))
    except LabError as error:
        cause = str(error).replace(archive.where(name), row.name)  # the folder is named once
        raise LabError(f"{row.where}: {cause}") from None
    height, width = picture.shape[:2]
    if (width, height) != row.size:
        raise LabError(
            f"{row.where}: expected a picture of {row.size[0]}x{row.size[1]} pixels; received "
            f"{archive.where(name)} of {width}x{height}; get it again"
        )
    return picture

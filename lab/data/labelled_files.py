"""Picture files with a class each -> a set whose pictures can all be read, each of them once."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.data.dataset import Dataset
from lab.data.fingerprints import picture_hashes
from lab.data.hash_memory import HashMemory
from lab.data.photographs import Photographs, in_threads, prepared
from lab.errors import LabError, listed, one_line, shown
from lab.progress import Progress

LONGEST_KEY = 100  # characters of a class's name that are sorted by numbers


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A picture file as its folder or its table describes it.

    Attributes:
        path: the file.
        name: of its class, normalised: NFC.
        group: of pictures that show one object, or None where no groups are known.
        given: whether the source holds it out; None where it holds out none.
        line: of the table, for messages; 0 where there is none.
    """

    path: str
    name: str
    group: str | None = None
    given: bool | None = None
    line: int = 0

    def __post_init__(self) -> None:
        # A Mac's names of folders are decomposed, é in two characters; tables come from anywhere.
        name = sys.intern(unicodedata.normalize("NFC", self.name))  # one text for all of a class
        object.__setattr__(self, "name", name)


@dataclass(frozen=True)
class Checked:
    """A picture that can be read: its hash and, of a sign, the picture itself."""

    row: LabelledFile
    hash: int
    sign: np.ndarray | None


def assemble(
    rows: Sequence[LabelledFile], source: str, crop: str, skip_broken: bool, progress: Progress
) -> Dataset:
    """Reads every picture once, to check and to recognise it; photographs are not kept.

    Of pictures that are the same, by their pixels, the first counts; one that is in two classes
    does not count in either: TrashNet has three such pictures.

    Args:
        rows: the pictures; those that the source holds out come last.
        source: where they come from, for messages.
        crop: a key of `pictures.CROPS`.
        skip_broken: leave out what cannot be read, and say so.
        progress: where it is shown and said.

    Returns:
        The set: classes in natural order (1, 2, 10), pictures in that of the rows.

    Raises:
        LabError: a picture cannot be read, or a class is left without any.
    """
    looked = _look(rows, source, crop, progress)
    if broken := [str(result) for result in looked if isinstance(result, LabError)]:
        message = f"{len(broken):,} of {len(rows):,} pictures cannot be read"
        progress.say(listed(f"left out: {message}" if skip_broken else message, broken))
        if not skip_broken:
            raise LabError(
                f"{message}, first {one_line(broken[0], 190)}; mend them, or leave them out: "
                "--skip-broken"
            )
    kept = _once([result for result in looked if isinstance(result, Checked)], progress)
    names = sorted({row.name for row in rows}, key=_natural)
    if lost := set(names) - {picture.row.name for picture in kept}:
        raise LabError(
            f"{source}: expected pictures of the class {shown(min(lost), 60)}; none is left, since "
            "its files cannot be read or are in another class as well; add some, or remove it"
        )
    return _dataset(kept, names, source, crop)


def _look(
    rows: Sequence[LabelledFile], source: str, crop: str, progress: Progress
) -> list[Checked | LabError]:
    memory, table = HashMemory(source, crop), Path(source).name

    def look(row: LabelledFile) -> Checked | LabError:
        known = memory.find(Path(row.path))
        if known is not None and crop != "sign":
            return Checked(row, known, None)
        try:
            picture = prepared(row.path, crop)
        except LabError as error:
            return LabError(f"{table} line {row.line}: {error}") if row.line else error
        return Checked(row, int(picture_hashes([picture])[0]), picture if crop == "sign" else None)

    looked = []
    with progress.phase("pictures", len(rows)) as advance:
        for result in in_threads(look, rows):
            looked.append(result)
            advance()
    memory.keep({seen.row.path: seen.hash for seen in looked if isinstance(seen, Checked)})
    return looked


def _once(pictures: list[Checked], progress: Progress) -> list[Checked]:
    """The pictures without copies of others, and without any that is in two classes."""
    same: dict[int, list[Checked]] = {}
    for picture in pictures:
        same.setdefault(picture.hash, []).append(picture)
    kept, copies, both_sides, lost, torn = [], [], 0, 0, []
    for first, *others in same.values():
        a, rows = first.row, [picture.row for picture in others]
        if other := next((b for b in rows if b.name != a.name), None):
            names = [shown(row.name, 60) for row in (a, other)]
            torn.append(f"{a.path} ({names[0]}) is {other.path} ({names[1]})")
            lost += 1 + len(rows)
            continue
        kept.append(first)
        copies += [f"{b.path} is {a.path}" for b in rows]
        both_sides += sum(a.given != b.given for b in rows)
    count = f"of {len(pictures):,} pictures"
    if copies:
        sides = f" ({both_sides:,} in train/ and held out: these are trained on)"
        heading = f"left out: {len(copies):,} {count}, as copies{sides if both_sides else ''}"
        progress.say(listed(heading, copies))
    if torn:
        heading = f"left out: {lost:,} {count}, since they are in two classes"
        progress.say(listed(heading, torn))
    return kept


def _dataset(pictures: list[Checked], names: list[str], source: str, crop: str) -> Dataset:
    rows = [picture.row for picture in pictures]
    paths = [row.path for row in rows]
    tracks, no_tracks = None, "no column group says which of its pictures show one object"
    if rows[0].group is not None:
        # Not by NumPy, which gives every text the room of the longest.
        order = {group: i for i, group in enumerate(sorted({str(row.group) for row in rows}))}
        tracks, no_tracks = np.array([order[str(row.group)] for row in rows], np.int64), ""
    signs = [picture.sign for picture in pictures if picture.sign is not None]
    labels = {name: number for number, name in enumerate(names)}
    return Dataset(
        np.stack(signs) if signs else Photographs(paths, crop),
        np.array([labels[row.name] for row in rows], np.int64),
        tracks,
        no_tracks,
        files=paths,
        source=source,
        hashes=np.array([picture.hash for picture in pictures], np.uint64),
        names=names,
        crop=crop,
        given=None if rows[0].given is None else np.array([row.given for row in rows], bool),
    )


def _natural(name: str) -> tuple[str, str]:
    """A sort key in which 2 comes before 10."""
    start = name[:LONGEST_KEY].casefold()  # a name of digits and letters in turn grows tenfold
    return re.sub("[0-9]+", lambda digits: digits[0].zfill(20), start), name

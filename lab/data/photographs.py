"""Pictures that stay on disk and are decoded when they are asked for."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from lab import pictures
from lab.errors import LabError

WORKERS = min(4, os.cpu_count() or 1)  # Pillow and NumPy let go of Python's lock

Item = TypeVar("Item")
Result = TypeVar("Result")


class Photographs:
    """Picture files with an array's interface: never more in memory than was asked for.

    Args:
        files: paths.
        crop: a key of `pictures.CROPS`.

    Attributes:
        shape, dtype: of the array that all of them would be, uint8 (n, side, side, 3), RGB.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, files: Iterable[str], crop: str):
        self.files, self.crop = list(files), crop
        side = pictures.CROPS[crop].side
        self.shape = (len(self.files), side, side, 3)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        """Decodes one picture, uint8 (side, side, 3), or several, uint8 (m, side, side, 3).

        Args:
            index: a number, a slice, or an array, int (m,) or bool (n,).

        Raises:
            LabError: a file cannot be read any more; the message names it.
        """
        if isinstance(index, int | np.integer):
            return prepared(self.files[index], self.crop)
        part = self.subset(index)
        result = np.empty(part.shape, np.uint8)

        def fill(row: int) -> None:
            result[row] = prepared(part.files[row], self.crop)

        for _ in in_threads(fill, range(len(part))):
            pass
        return result

    def subset(self, index: slice | np.ndarray) -> "Photographs":
        """The pictures at `index`, as in `__getitem__`, not decoded."""
        return Photographs([self.files[i] for i in np.arange(len(self))[index]], self.crop)


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The function's results in order, by a few threads; what raises, or Ctrl-C, stops them."""
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(function, items)


def prepared(path: str, crop: str) -> np.ndarray:
    """Reads a picture file, uint8 (side, side, 3), as this crop has it.

    Raises:
        LabError: it cannot be read, or not be cropped so; the message names it.
    """
    picture = pictures.read(path)
    try:
        return pictures.CROPS[crop].function(picture)
    except LabError as error:
        raise LabError(f"{path}: {error}") from None

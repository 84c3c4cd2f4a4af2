"""Pictures in batches: the next one is read while the network works on this one."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeAlias

import numpy as np

from lab.data import Photographs

Images: TypeAlias = np.ndarray | Photographs  # uint8 (n, s, s, 3)


class ByRows(Protocol):
    """What gives some of its rows: pictures, or features."""

    def __getitem__(self, rows: Any, /) -> Any: ...


BATCH = 128  # pictures that are computed, and written, at a time


def rows_of(images: Images, rows: slice) -> Images:
    """Some of the images; photographs are not decoded for it."""
    return images.subset(rows) if isinstance(images, Photographs) else images[rows]


def batches(images: Images, start: int = 0, size: int | None = None) -> Iterator[Any]:
    """The images, a batch at a time, so that memory suffices for any number.

    Args:
        images: n pictures.
        start: the first picture.
        size: pictures at a time, `BATCH` if not given.
    """
    size = size or BATCH
    return read_ahead(images, [slice(i, i + size) for i in range(start, len(images), size)])


def read_ahead(images: ByRows, parts: Sequence[Any]) -> Iterator[Any]:
    """The rows of each part, in order.

    Photographs are decoded when they are indexed, and features come from a file: one part is read
    ahead, in a thread.

    Args:
        images: n pictures, or the features of n.
        parts: slices, or int arrays (m,).
    """
    with ThreadPoolExecutor(1) as reader:
        ahead = [reader.submit(images.__getitem__, part) for part in parts[:1]]
        for following in [*parts[1:], None]:
            if not ahead:
                return
            batch = ahead.pop().result()
            if following is not None:
                ahead.append(reader.submit(images.__getitem__, following))
            yield batch

"""Pictures in batches: the next one is read while the network works on this one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np

from lab.data import Photographs

Images: TypeAlias = np.ndarray | Photographs  # uint8 (n, s, s, 3)

BATCH = 128  # pictures that are computed, and written, at a time


def batches(images: Images, start: int = 0) -> Iterator[Any]:
    """The images, at most `BATCH` at a time, so that memory suffices for any number.

    Photographs are decoded when they are sliced: one batch is read ahead, in a thread.

    Args:
        images: n pictures.
        start: the first picture.
    """
    slices = [slice(i, i + BATCH) for i in range(start, len(images), BATCH)]
    with ThreadPoolExecutor(1) as reader:
        ahead = [reader.submit(images.__getitem__, part) for part in slices[:1]]
        for following in [*slices[1:], None]:
            if not ahead:
                return
            batch = ahead.pop().result()
            if following:
                ahead.append(reader.submit(images.__getitem__, following))
            yield batch

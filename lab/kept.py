"""An array on disk that is read by rows: features that need not fit into memory."""

import itertools
import math

import numpy as np

from lab.storage import LabError


class Kept:
    """A float16 array on disk; `kept[rows]` reads those rows.

    Not mapped into memory: the pages of a map count as the process's own, here 1 to 2 GB of them.

    Args:
        path: an .npy file.

    Raises:
        OSError, ValueError: there is none, or it is shorter than its header says.
        LabError: on reading, where it was cut short since.
    """

    def __init__(self, path):
        mapped = np.lib.format.open_memmap(path, mode="r")
        self.shape, self.dtype = mapped.shape, mapped.dtype
        self._path, self._offset = path, mapped.offset

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        rows = np.arange(len(self))[rows]
        x = np.empty((len(rows), *self.shape[1:]), self.dtype)
        stride = self.dtype.itemsize * math.prod(self.shape[1:])
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)  # of runs of neighbours
        with open(self._path, "rb", buffering=0) as file:  # a buffer reads what nobody asked for
            for start, end in itertools.pairwise([*starts, len(rows)]):
                file.seek(self._offset + stride * int(rows[start]))
                _fill(file, memoryview(x[start:end]).cast("B"), self._path)
        return x


def _fill(file, space, path):
    while len(space):  # one read gives at most 2 GB
        count = file.readinto(space)
        if not count:
            raise LabError(f"expected as many features in {path} as before; it was cut: run again")
        space = space[count:]

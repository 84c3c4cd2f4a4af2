"""Features on disk, under a key of all that made them: read by rows, made once."""

import hashlib
import itertools
import json
import math
import time

import numpy as np

from lab import files
from lab.errors import LabError
from lab.features.extractor import BATCH

STALE = 3600  # seconds without a write after which half an array is nobody's
FEATURES = ("power", "scale", "unit", "contrast")  # fields of a recipe that make them
VERSION = 4  # of the computation: another number makes every kept result unused


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


def key(signs_hash, weights_hash, recipe, variant, precision):
    """All that makes a result, as a dict: equal keys mean equal results, but for rounding."""
    return {
        "version": VERSION,
        "data_sha256": signs_hash,
        "weights_sha256": weights_hash,
        "recipe": {name: getattr(recipe, name) for name in FEATURES}
        | {"layers": list(recipe.layers)},
        "variant": variant,
        "precision": precision,
    }


def compute(images, extract, made_of, progress=iter):
    """Features of a data set: from the cache, or computed and put there.

    Args:
        images: uint8 (n, 32, 32, 3).
        extract: function that gives the `Extractor`; called only where there is work to do.
        made_of: the dict of `key`.
        progress: wraps the iterable of batches.

    Returns:
        features: `Kept`, float16 (n, d).
        seconds: from the first picture read to the last feature on disk; None where kept.

    Raises:
        LabError: no room left for them.
    """
    text = json.dumps(made_of, sort_keys=True)
    folder = files.CACHE / hashlib.sha256(text.encode()).hexdigest()[:16]
    array, label = folder / "features.npy", folder / "key.json"
    n = len(images)
    found = _kept(array, label, json.loads(text), n)
    if found is not None:
        return found, None
    label.unlink(missing_ok=True)
    _sweep(folder)
    run = extract()
    shape = (n, run(images[:BATCH]).shape[1])  # compiles for this size of batch, too
    files.check_space(folder, 2 * math.prod(shape))
    start = time.perf_counter()
    with files.atomic(array) as part, open(part, "wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for i in progress(range(0, n, BATCH)):
            x = run(images[i : i + BATCH])
            file.write(np.asarray(x).astype("<f2", copy=False).tobytes())
    seconds = time.perf_counter() - start
    files.write_json(label, made_of)  # last: a folder without it holds nothing finished
    return Kept(array), seconds


def _sweep(folder):
    """Removes what killed runs left half-written; another run may be at work."""
    for part in folder.glob(".features-*"):
        if time.time() - part.stat().st_mtime > STALE:
            part.unlink()


def _kept(array, label, made_of, count):
    """The features that a folder holds; None where it has none, others, or damaged ones."""
    try:
        same = json.loads(label.read_text(encoding="utf-8")) == made_of
        x = Kept(array)
    except (OSError, ValueError):  # absent, no JSON, or shorter than its header says
        return None
    return x if same and x.dtype == np.float16 and x.shape[:1] == (count,) else None

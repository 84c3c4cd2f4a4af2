"""Features on disk, under a key of all that made them: computed once, read by rows."""

import hashlib
import io
import itertools
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from lab import files
from lab.errors import LabError
from lab.features.recipes import Recipe
from lab.progress import SILENT, Progress

RECIPE_FIELDS = ("power", "scale", "unit", "contrast")  # those that make the features
VERSION = 4  # of the computation: another number makes every stored result unused
BATCH = 128  # pictures that are computed, and written, at a time


class FeatureFile:
    """A float16 array on disk; `features[rows]` reads those rows.

    Not mapped into memory: the pages of a map count as the process's own, here 1 to 2 GB of them.

    Args:
        path: an .npy file.

    Raises:
        OSError, ValueError: there is none, or it is shorter than its header says.
        LabError: on reading, where it was cut short since.
    """

    def __init__(self, path: Path):
        mapped = np.lib.format.open_memmap(path, mode="r")
        self.shape, self.dtype = mapped.shape, mapped.dtype
        self._path, self._offset = path, mapped.offset

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        rows = np.arange(len(self))[rows]
        x = np.empty((len(rows), *self.shape[1:]), self.dtype)
        stride = self.dtype.itemsize * math.prod(self.shape[1:])
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)  # of runs of neighbours
        with open(self._path, "rb", buffering=0) as file:  # a buffer reads what nobody asked for
            for start, end in itertools.pairwise([*starts, len(rows)]):
                file.seek(self._offset + stride * int(rows[start]))
                _fill(file, x[start:end].view(np.uint8).data.cast("B"), self._path)
        return x


Features: TypeAlias = np.ndarray | FeatureFile


def _fill(file: BinaryIO, space: memoryview, path: Path) -> None:
    while len(space):  # one read gives at most 2 GB
        count = file.readinto(space)  # type: ignore[attr-defined]
        if not count:
            raise LabError(f"expected as many features in {path} as before; it was cut: run again")
        space = space[count:]


def key(
    data_hash: str, weights_hash: str, recipe: Recipe, variant: str, precision: str
) -> dict[str, Any]:
    """All that makes a result: equal keys mean equal features, but for rounding."""
    fields = {name: getattr(recipe, name) for name in RECIPE_FIELDS}
    return {
        "version": VERSION,
        "data_sha256": data_hash,
        "weights_sha256": weights_hash,
        "recipe": fields | {"layers": list(recipe.layers)},
        "variant": variant,
        "precision": precision,
    }


def compute(
    images: np.ndarray,
    extractor: Callable[[], Callable[[np.ndarray], Any]],
    made_of: dict[str, Any],
    progress: Progress = SILENT,
) -> tuple[FeatureFile, dict[str, float | None]]:
    """Features of a data set: from the cache, or computed and put there.

    What a stopped run has computed is gone on with. Where another run computes the same features,
    this one waits for them.

    Args:
        images: uint8 (n, 32, 32, 3).
        extractor: gives the `lab.features.extractor.Extractor`, called only where there is work.
        made_of: the dict of `key`.
        progress: what is told of it.

    Returns:
        features: float16 (n, d).
        measured: feature_seconds, from the first picture read to the last feature on disk, and
            images_per_second; None where all of them were on disk before.

    Raises:
        LabError: no room left for them.
    """
    text = json.dumps(made_of, sort_keys=True)
    folder = files.cache_folder() / hashlib.sha256(text.encode()).hexdigest()[:16]
    measured: dict[str, float | None] = {"feature_seconds": None, "images_per_second": None}
    with files.locked(folder / "lock"):
        stored = _stored(folder, json.loads(text), len(images))
        if stored is None:
            seconds, count = _extract(images, extractor(), folder, progress)
            measured = {"feature_seconds": seconds, "images_per_second": count / seconds}
            files.write_json(folder / "key.json", made_of)  # without it nothing here is complete
            stored = FeatureFile(folder / "features.npy")
    return stored, measured


def _extract(
    images: np.ndarray, run: Callable[[np.ndarray], Any], folder: Path, progress: Progress
) -> tuple[float, int]:
    """Computes what the folder's part file lacks and makes it the whole: seconds, pictures."""
    (folder / "key.json").unlink(missing_ok=True)
    shape = (len(images), run(images[:BATCH]).shape[1])  # compiles for this size of batch, too
    files.check_space(folder, 2 * math.prod(shape))
    part, header, row = folder / "features.part", _header(shape), 2 * shape[1]
    start = time.perf_counter()
    with open(part, "a+b") as file:
        file.seek(0)
        if file.read(len(header)) != header:
            file.truncate(0)
            file.write(header)
        done = (file.seek(0, 2) - len(header)) // row // BATCH * BATCH  # whole batches
        file.truncate(len(header) + done * row)
        if done:
            progress.say(f"features: {done:,} of {len(images):,} pictures are on disk: going on")
        for i in progress.over("features", range(done, len(images), BATCH)):
            file.write(np.asarray(run(images[i : i + BATCH])).astype("<f2", copy=False).tobytes())
    part.replace(folder / "features.npy")
    return time.perf_counter() - start, len(images) - done


def _header(shape: tuple[int, int]) -> bytes:
    """What an .npy of float16 begins with."""
    header = io.BytesIO()
    form = {"descr": "<f2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, form)
    return header.getvalue()


def _stored(folder: Path, made_of: dict[str, Any], count: int) -> FeatureFile | None:
    """The features that a folder holds; None where it has none, others, or damaged ones."""
    try:
        same = json.loads((folder / "key.json").read_text(encoding="utf-8")) == made_of
        x = FeatureFile(folder / "features.npy")
    except (OSError, ValueError):  # absent, no JSON, or shorter than its header says
        return None
    return x if same and x.dtype == np.float16 and x.shape[:1] == (count,) else None

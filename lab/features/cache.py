"""Stored features: computed once, stored by a key of all that determines them, read by rows."""

import hashlib
import io
import itertools
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from lab import cached, files, locks, npz, untrusted
from lab.errors import LabError
from lab.features import finite
from lab.features.batches import BATCH, Images, batches
from lab.features.recipes import Recipe
from lab.progress import SILENT, Progress
from lab.untrusted import Broken
from lab.workers import Workers

if TYPE_CHECKING:  # TensorFlow takes seconds to import
    from lab.features.devices import OnAllDevices

RECIPE_FIELDS = ("power", "scale", "unit", "contrast", "zoom", "size")  # besides the layers
VERSION = 4  # of the computation: a new number makes all stored features invalid


class FeatureFile:
    """A float16 array on disk; `features[rows]` reads those rows.

    Not a memory map: the pages of one count as the process's memory, here 1 to 2 GB.

    Args:
        path: an .npy file.

    Raises:
        Broken: it is something else than float16 (n, d), or cut short.
        OSError: there is none.
        LabError: rows cannot be read, since the file was cut short meanwhile.
    """

    def __init__(self, path: Path):
        with untrusted.regular(path) as file:
            declared = npz.header(file)
            self._offset = file.tell()
            room = file.seek(0, 2) - self._offset
        self.shape, self.dtype, self._path = declared.shape, np.dtype(np.float16), path
        known = declared.kind == "<f2" and not declared.fortran and len(declared.shape) == 2
        if not known or untrusted.array_size(declared.shape, self.dtype, room) != room:
            raise Broken("no features, or cut short")

    def check(self) -> None:
        """Reads all numbers once; raises Broken where one is not finite."""
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            while len(bits := np.fromfile(file, "<u2", finite.BLOCK)):
                if not finite.all_finite(bits):
                    raise Broken("features that are not finite")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        rows = np.arange(len(self))[rows]
        x = np.empty((len(rows), *self.shape[1:]), self.dtype)
        stride = self.dtype.itemsize * math.prod(self.shape[1:])
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)  # of runs of neighbours
        with open(self._path, "rb", buffering=0) as file:  # a buffer would read more than these
            for start, end in itertools.pairwise([*starts, len(rows)]):
                file.seek(self._offset + stride * int(rows[start]))
                _fill(file, x[start:end].view(np.uint8).data.cast("B"), self._path)
        return x


class SharedFeatures:
    """The features of all pictures, of which each worker has its own share.

    `features[rows]` and what `lab.features.linear` makes of them are the same on all workers, and
    all have to ask for them.

    Args:
        own: of this worker's share.
        start: the first picture of the share.
        count: of all pictures.
        workers: all of them.
    """

    def __init__(self, own: FeatureFile, start: int, count: int, workers: Workers):
        self.own, self.start, self.workers = own, start, workers
        self.shape, self.dtype = (count, *own.shape[1:]), own.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        rows = np.arange(len(self))[rows]
        x, mine = np.zeros((len(rows), *self.shape[1:]), self.dtype), self.mine(rows)
        x[mine] = self.own[rows[mine] - self.start]
        return self.workers.summed(x)

    def mine(self, rows: np.ndarray) -> np.ndarray:
        """bool (m,): which of these rows, int (m,), this worker has."""
        return (rows >= self.start) & (rows < self.start + len(self.own))


Features: TypeAlias = np.ndarray | FeatureFile | SharedFeatures


def _fill(file: BinaryIO, space: memoryview, path: Path) -> None:
    while len(space):  # one read gives at most 2 GB
        count = file.readinto(space)  # type: ignore[attr-defined]
        if not count:
            raise LabError(
                f"expected as many features in {path} as before; it was cut short: run again"
            )
        space = space[count:]


def key(
    data_hash: str, weights_hash: str, recipe: Recipe, variant: str, precision: str
) -> dict[str, Any]:
    """All that determines features: equal keys mean equal features, but for rounding."""
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
    images: Images,
    extractor: Callable[[], "OnAllDevices"],
    made_of: dict[str, Any],
    width: int,
    progress: Progress = SILENT,
) -> tuple[FeatureFile, dict[str, float | None]]:
    """The features of a data set: read from the cache, or computed and stored there.

    An interrupted computation is continued. If another run is computing the same features, this
    one waits for it.

    Args:
        images: uint8 (n, s, s, 3); photographs are decoded beside the network.
        extractor: makes the network; not called if all are stored.
        made_of: what `key` returns.
        width: d, the number of features that the recipe has.
        progress: reports the phases.

    Returns:
        features: float16 (n, d).
        measured: feature_seconds, from the first picture read to the last feature written, and
            images_per_second; None if all were stored before.

    Raises:
        LabError: the disk has no room for them.
        Overflow: float16 cannot hold them; nothing of them is kept.
    """
    text, shape = json.dumps(made_of, sort_keys=True), (len(images), width)
    folder = files.cache_folder() / hashlib.sha256(text.encode()).hexdigest()[:16]
    measured: dict[str, float | None] = {"feature_seconds": None, "images_per_second": None}
    stored = _stored(folder, json.loads(text), shape)
    if stored is not None:  # also where the cache may only be read
        return stored, measured
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lock").touch()
    with locks.held(folder / "lock") as alone:
        stored = _stored(folder, json.loads(text), shape)
        if stored is None:
            files.remove_outdated(VERSION, folder)
            files.write_json(folder / "key.json", made_of)
            # Two runs that cannot keep apart would mix their rows in one file.
            part = folder / ("features.part" if alone else f"features-{os.getpid()}.part")
            seconds, count = _extract(images, extractor(), part, shape, progress)
            measured = {"feature_seconds": seconds, "images_per_second": count / seconds}
            stored = FeatureFile(folder / "features.npy")
    return stored, measured


def _extract(
    images: Images, run: "OnAllDevices", part: Path, shape: tuple[int, int], progress: Progress
) -> tuple[float, int]:
    """Computes what a part file lacks and renames it: seconds, and pictures computed."""
    with progress.phase("compiling the network"):  # for this size of batch
        finite.checked(np.asarray(run(images[:BATCH])))
    there = part.stat().st_size if part.exists() else 0
    files.check_space(part.parent, 2 * math.prod(shape) - there)
    header, row = _header(shape), 2 * shape[1]
    start = time.perf_counter()
    with files.writing(part), open(part, "a+b", buffering=0) as file:
        if file.seek(0) or file.read(len(header)) != header:
            file.truncate(0)
            file.write(header)
        done = (file.seek(0, 2) - len(header)) // row // BATCH * BATCH  # whole batches
        file.truncate(len(header) + done * row)
    if done:
        progress.say(f"features: {done:,} of {len(images):,} pictures are on disk: going on")
    last = None
    steps = progress.over("features", range(done, len(images), run.batch))
    for _, batch in zip(steps, batches(images, done, run.batch), strict=True):
        due, last = last, run(batch)  # a GPU computes it while the one before is written
        if due is not None:
            _append(part, due)
    if last is not None:
        _append(part, last)
    with files.writing(part):
        files.put(part, part.with_name("features.npy"))
    return time.perf_counter() - start, len(images) - done


def _append(part: Path, x: Any) -> None:
    """Adds the features (n, d) of a batch to a file, or removes it where they cannot be kept."""
    try:
        x = finite.checked(np.asarray(x))
    except finite.Overflow:
        part.unlink()
        raise
    with files.writing(part), open(part, "ab") as file:
        file.write(x.astype("<f2", copy=False).tobytes())


def _header(shape: tuple[int, int]) -> bytes:
    """The header of an .npy of float16."""
    header = io.BytesIO()
    form = {"descr": "<f2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, form)
    return header.getvalue()


def _stored(folder: Path, made_of: dict[str, Any], shape: tuple[int, int]) -> FeatureFile | None:
    """The features stored in a folder; None if there are none, others, or damaged ones."""
    with cached.reading(folder / "key.json"):
        if untrusted.json_file(folder / "key.json") != made_of:
            return None
        with cached.reading(folder / "features.npy"):
            features = FeatureFile(folder / "features.npy")
            if features.shape != shape:
                raise Broken(f"features {features.shape}, not {shape}")
            features.check()
            return features
    return None

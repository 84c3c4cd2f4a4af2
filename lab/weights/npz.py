"""AlexNet's weights out of an .npz: every size is checked before memory is taken for it."""

import json
import math
import zipfile
import zlib
from typing import Any, BinaryIO

import numpy as np

from lab.files import human_size

MOST_BYTES = 2**29  # unpacked: AlexNet's 61 million numbers in float64 are 488 MB
PARTS = ("kernel", "bias")
RECIPE, FINGERPRINTS = "recipe", ("trained_on", "held_out")


def layers(file: BinaryIO) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
    """Reads the arrays of an .npz.

    Args:
        file: holds conv1/kernel, conv1/bias ..., and maybe a recipe (a 0-d text array of JSON) and
            fingerprints (uint64 arrays trained_on and held_out).

    Returns:
        Layer name -> [kernel, bias], and a dict of what else there is.

    Raises:
        ValueError: it is broken or holds anything else; the text continues "received ...".
    """
    try:
        entries = _entries(file)
        more = {RECIPE: json.loads(str(entries.pop(RECIPE)))} if RECIPE in entries else {}
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ValueError(f"a broken .npz ({error})") from None
    for name in FINGERPRINTS:
        if name in entries:
            more[name] = entries.pop(name)
            if more[name].dtype != np.uint64 or more[name].ndim != 1:
                raise ValueError(f"an .npz with {name} as {more[name].dtype} {more[name].shape}")
    arrays: dict[str, dict[str, np.ndarray]] = {}
    for entry, array in entries.items():
        layer, _, part = entry.rpartition("/")
        if not layer or part not in PARTS:
            raise ValueError(
                f"an .npz with {entry!r}; its arrays must be named conv1/kernel, conv1/bias ..."
            )
        arrays.setdefault(layer, {})[part] = array
    return {name: [parts[p] for p in PARTS if p in parts] for name, parts in arrays.items()}, more


def _entries(file: BinaryIO) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > MOST_BYTES:
            raise ValueError(f"it unpacks to {human_size(size)}")
        return {
            member.filename.removesuffix(".npy"): _member(archive, member) for member in members
        }


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        shape, fortran, dtype = npy_header(file)
        size, room = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
        if dtype.hasobject or size != room:  # before numbers that a small file claims are allocated
            raise ValueError(f"{member.filename}: {shape} of {dtype} in {human_size(room)}")
        return np.ndarray(shape, dtype, file.read(), order="F" if fortran else "C")


def npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran order, and dtype of an open .npy.

    Raises:
        ValueError: it is none, or of a version that nobody writes.
    """
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"format version {version}")

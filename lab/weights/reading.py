"""Weights in files: read from .npy, .npz and .onnx, checked, and written as .npz.

It knows files and arrays; which layers the network has, and of what shapes, is told to `check`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lab import files, pickles
from lab.errors import LabError
from lab.weights import npz, onnx

Arrays = Mapping[str, Sequence[np.ndarray]]

PARTS = npz.PARTS
NONE = np.zeros(0, np.uint64)


@dataclass(frozen=True, eq=False)
class Weights:
    """What a weights file holds.

    Args:
        arrays: layer name -> (kernel, bias), float32; kernels HWIO or (inputs, outputs). They may
            be read-only.
        sha256: the file's hash, 64 hexadecimal digits.
        path: the file.
        recipe: how the weights came about, where the file tells.
        trained_on, held_out: uint64 (m,), fingerprints (see `lab.provenance`) of the signs that
            the weights were trained on, and of those kept from them, where the file tells.
    """

    arrays: dict[str, tuple[np.ndarray, np.ndarray]] = field(repr=False)
    sha256: str
    path: Path
    recipe: dict[str, Any] | None = None
    trained_on: np.ndarray = field(default_factory=lambda: NONE, repr=False)
    held_out: np.ndarray = field(default_factory=lambda: NONE, repr=False)


def read(path: str | Path) -> Weights:
    """Reads a weights file; what it is shows in its first bytes.

    Args:
        path: `.npy`, a pickled dict of [kernel, bias] as the lab has it, from Python 2 or 3; `.npz`
            with arrays conv1/kernel, conv1/bias ..., float16 to float64, and maybe a recipe, a
            0-d text array that holds JSON; or `.onnx`, see `lab.onnx`.

    Returns:
        The weights. Names and shapes are whatever the file has: see `check`.

    Raises:
        LabError: the file is missing, empty, cut short, or holds anything else.
    """
    path = Path(path)
    expected = f"{path}: expected AlexNet weights (.npy, .npz or .onnx)"
    try:
        with open(path, "rb") as file:
            start = file.read(8)
            reader = _reader(start)
            if reader is None:
                received = f"a file that starts with {start!r}" if start else "an empty file"
                raise LabError(f"{expected}; received {received}; get the file again")
            file.seek(0)
            arrays, more = reader(file, expected)
    except FileNotFoundError:
        raise LabError(f"{expected}; there is no such file; check the name") from None
    except OSError as error:
        raise LabError(f"{expected}; received: {error.strerror or error}; check it") from None
    if not arrays:
        raise LabError(f"{expected}; received a file without any layer; get the file again")
    pairs = {name: _pair(name, pair, expected) for name, pair in arrays.items()}
    return Weights(pairs, files.file_hash(path), path, **more)


def check(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]], needed: Iterable[str]) -> None:
    """Checks every name, type, shape and value before any weight is used.

    Args:
        arrays: layer name -> (kernel, bias).
        shapes: layer name -> shape of its kernel; the bias is as long as the last axis.
        needed: names of `shapes` that must be there; other layers are not looked at.

    Raises:
        LabError: names the layer, what was expected and what was received.
    """
    needed = list(needed)
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise LabError(
            f"expected weights of {', '.join(needed)}; received {', '.join(arrays) or 'none'}: "
            f"{', '.join(missing)} is missing; take a complete file, or a layer before {missing[0]}"
        )
    for name in needed:
        expected = (tuple(shapes[name]), tuple(shapes[name][-1:]))
        for part, array, shape in zip(PARTS, arrays[name], expected, strict=True):
            _check_array(f"{name} {part}", np.asarray(array), shape)


def _check_array(what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.dtype.kind != "f":
        raise LabError(f"{what}: expected float numbers; received {array.dtype}; {_ANOTHER}")
    if array.shape != shape:
        raise LabError(f"{what}: expected shape {shape}; received {array.shape}; {_ANOTHER}")
    finite = np.isfinite(array)
    if not finite.all():
        raise LabError(
            f"{what}: expected finite numbers; received {np.isnan(array).sum()} NaN and "
            f"{np.isinf(array).sum()} infinite of {array.size}; {_ANOTHER}"
        )


_ANOTHER = "take another weights file"


def save(
    path: str | Path,
    arrays: Arrays,
    dtype: str | type[np.floating] = np.float32,
    recipe: Mapping[str, Any] | None = None,
    **fingerprints: np.ndarray,
) -> None:
    """Writes weights as `.npz`, all or nothing; the same weights give the same bytes.

    Args:
        path: the file to write or to replace.
        arrays: layer name -> (kernel, bias), finite.
        dtype: float16, float32 or float64: the type of the numbers in the file.
        recipe: what `json.dumps` takes, to be kept with them.
        fingerprints: trained_on and held_out, as in `Weights`.

    Raises:
        LabError: a weight is too large for `dtype`, or the file cannot be written.
    """
    entries = dict(fingerprints)
    for name, pair in arrays.items():
        for part, array in zip(PARTS, pair, strict=True):
            with np.errstate(over="ignore"):
                entries[f"{name}/{part}"] = np.asarray(array).astype(dtype, copy=False)
            _check_array(
                f"{name} {part} as {np.dtype(dtype)}", entries[f"{name}/{part}"], array.shape
            )
    if recipe is not None:
        entries[npz.RECIPE] = np.array(json.dumps(recipe, ensure_ascii=False, allow_nan=False))
    with files.atomic(path) as part, open(part, "wb") as file:
        np.savez(file, allow_pickle=False, **entries)


def _reader(start: bytes):
    if start.startswith(b"\x93NUMPY"):
        return _read_npy
    if start.startswith(b"PK"):
        return _read_npz
    return _read_onnx if start.startswith(b"\x08") else None  # field 1, the format's version


def _read_npy(file: BinaryIO, expected: str):
    try:
        shape, _, dtype = npz.npy_header(file)
    except ValueError as error:
        raise LabError(f"{expected}; received a broken .npy ({error}); get it again") from None
    if not dtype.hasobject:
        raise LabError(
            f"{expected}; received one array {shape} of {dtype}; an .npy must hold a dict of "
            "[kernel, bias] like bvlc-alexnet.npy"
        )
    layers = pickles.load(file, "a dict of [kernel, bias] like bvlc-alexnet.npy")
    if not isinstance(layers, dict):
        raise LabError(
            f"{expected}; received a {type(layers).__name__}; an .npy must hold a dict of "
            "[kernel, bias] like bvlc-alexnet.npy"
        )
    return layers, {}


def _read_npz(file: BinaryIO, expected: str):
    try:
        return npz.layers(file)
    except ValueError as error:
        raise LabError(f"{expected}; received {error}; get it again") from None


def _read_onnx(file: BinaryIO, expected: str):
    try:
        return onnx.layers(file.read()), {}
    except ValueError as error:
        raise LabError(f"{expected}; received an .onnx that {error}; get another file") from None


def _pair(name: str, pair: object, expected: str) -> tuple[np.ndarray, np.ndarray]:
    """A layer's kernel and bias as float32; what is float32 already is not copied."""
    arrays = pair if isinstance(pair, list | tuple) else [pair]
    if len(arrays) != 2 or not all(
        isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arrays
    ):
        received = ", ".join(
            f"{a.dtype} {a.shape}" if isinstance(a, np.ndarray) else type(a).__name__
            for a in arrays
        )
        raise LabError(
            f"{expected}; received for {name}: {received or 'nothing'}; each layer needs a kernel "
            "and a bias of float numbers"
        )
    with np.errstate(over="ignore"):  # `check` counts the infinities
        kernel, bias = (np.ascontiguousarray(array, np.float32) for array in arrays)
    return kernel, bias

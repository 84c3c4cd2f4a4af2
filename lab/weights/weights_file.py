"""A weights file: recognised by its first bytes, read, checked, and written as .npz."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lab import files, untrusted
from lab import npz as numpy_files
from lab.errors import LabError, shown
from lab.untrusted import Broken
from lab.weights import npy, npz, onnx

Arrays = Mapping[str, Sequence[np.ndarray]]

MOST_BYTES = npz.MOST_BYTES + 2**23  # the weights, and as much as is said about them
MOST_NUMBERS = 2**26  # AlexNet has 61 million; of float16 each takes three times its bytes
LONGEST_NAME = 40  # characters
EXPECTED = "AlexNet weights (.npy, .npz or .onnx)"
_ANOTHER = "take another weights file"


def _no_signs() -> np.ndarray:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True, eq=False)
class Weights:
    """What a weights file holds.

    Args:
        arrays: layer name -> (kernel, bias), float32; kernels HWIO or (inputs, outputs). They may
            be read-only.
        sha256: the file's hash, 64 hexadecimal digits.
        path: the file.
        recipe: how the weights were made, where the file tells: any JSON object.
        input_scale: what the input was multiplied by in the training that they came from; 1 where
            the file does not tell. From the recipe's plan; a positive float32.
        trained_on, held_out: uint64 (m,), fingerprints (see `lab.data.fingerprints`) of the signs
            that the weights were trained on, and of those kept from them, where the file tells.
    """

    arrays: dict[str, tuple[np.ndarray, np.ndarray]] = field(repr=False)
    sha256: str
    path: Path
    recipe: dict[str, Any] | None = None
    input_scale: float = 1.0
    trained_on: np.ndarray = field(default_factory=_no_signs, repr=False)
    held_out: np.ndarray = field(default_factory=_no_signs, repr=False)


def read(path: str | Path) -> Weights:
    """Reads a weights file; what it is shows in its first bytes.

    Args:
        path: `.npy`, a pickled dict of [kernel, bias] as the lab has it, from Python 2 or 3; `.npz`
            with arrays conv1/kernel, conv1/bias ..., float16 to float64, and maybe more, see
            `lab.weights.npz`; or `.onnx`, see `lab.weights.onnx`.

    Returns:
        The weights. Names and shapes are whatever the file has: see `check`.

    Raises:
        LabError: the file is missing, empty, cut short, or holds anything else.
    """
    path, arrays, room = Path(path), {}, MOST_NUMBERS
    with untrusted.opened(path, EXPECTED) as file:
        layers, more = _layers(file)
        for given, pair in layers:
            name = _name(given)
            arrays[name] = _pair(name, pair, room)
            room -= sum(array.size for array in arrays[name])
        if not arrays:
            raise Broken("a file without any layer")
    return Weights(arrays, files.file_hash(path), path, **more)


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
        received = shown(", ".join(arrays), 100) or "none"
        raise LabError(
            f"expected weights of {', '.join(needed)}; received {received}, "
            f"without {', '.join(missing)}; take a complete file, such as bvlc-alexnet.npy, or a "
            f"layer before {missing[0]}"
        )
    for name in needed:
        expected = (tuple(shapes[name]), tuple(shapes[name][-1:]))
        for part, array, shape in zip(npz.PARTS, arrays[name], expected, strict=True):
            _check_array(f"{name} {part}", np.asarray(array), shape)


def _check_array(what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.dtype.kind != "f":
        raise LabError(f"{what}: expected float numbers; received {array.dtype}; {_ANOTHER}")
    if array.shape != shape:
        raise LabError(
            f"{what}: expected shape {shape}; received {shown(str(array.shape))}; {_ANOTHER}"
        )
    finite = np.isfinite(array)
    if not finite.all():
        raise LabError(
            f"{what}: expected finite numbers; received {np.isnan(array).sum()} NaN and "
            f"{np.isinf(array).sum()} infinite of {array.size}; {_ANOTHER}"
        )


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
    with np.errstate(over="ignore"):  # counted below
        stored = {
            name: tuple(np.asarray(array).astype(dtype, copy=False) for array in pair)
            for name, pair in arrays.items()
        }
    for name, pair in stored.items():
        for part, array in zip(npz.PARTS, pair, strict=True):
            _check_array(f"{name} {part} as {np.dtype(dtype)}", array, array.shape)
    with files.atomic(path) as temporary, open(temporary, "wb") as file:
        npz.write(file, stored, recipe, fingerprints)


def _layers(file: BinaryIO) -> tuple[Iterable[tuple[Any, Any]], dict[str, Any]]:
    """What a file holds by layer, unchecked, and what else by the names of `Weights`' fields."""
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if size > MOST_BYTES:
        raise Broken(f"a file of {files.human_size(size)}")
    if start.startswith(numpy_files.MAGIC):
        return npy.layers(file).items(), {}
    if start.startswith(b"PK"):
        layers, more = npz.layers(file)
        return layers.items(), more
    if start.startswith(b"\x08"):  # field 1, the format's version
        return onnx.layers(file), {}
    raise Broken(f"a file that starts with {start!r}" if start else "an empty file")


def _name(name: object) -> str:
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise Broken("a layer whose name is no short text")
    return name


def _pair(name: str, pair: object, room: int) -> tuple[np.ndarray, np.ndarray]:
    """A layer's kernel and bias as float32; what is float32 already is not copied."""
    arrays: Any = pair[:3] if isinstance(pair, list | tuple) else [pair]
    if [a.dtype.kind if isinstance(a, np.ndarray) else "" for a in arrays] != ["f", "f"]:
        found = [
            f"{a.dtype} {a.shape}" if isinstance(a, np.ndarray) else type(a).__name__
            for a in arrays
        ]
        raise Broken(
            f"for {name}: {', '.join(found) or 'nothing'}; each layer needs a kernel and a bias of "
            "float numbers"
        )
    if sum(array.size for array in arrays) > room:
        raise Broken("more numbers than AlexNet has")
    with np.errstate(over="ignore"):  # `check` counts the infinities
        kernel, bias = (np.ascontiguousarray(array, np.float32) for array in arrays)
    return kernel, bias

"""NumPy's .npz: AlexNet's weights, how they were made, and the signs they were trained on.

A zip of .npy files: conv1/kernel, conv1/bias ..., and maybe `recipe`, a 0-d text array of JSON, and
`trained_on` and `held_out`, fingerprints of signs as uint64 (m,).
"""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from lab.files import human_size
from lab.untrusted import Broken
from lab.weights import npy

MOST_BYTES = 2**29  # unpacked: AlexNet's 61 million numbers in float64 are 488 MB
MOST_RECIPE = 2**20  # bytes; JSON of empty lists takes 20 times as much when it is read
PARTS = ("kernel", "bias")
RECIPE, FINGERPRINTS = "recipe", ("trained_on", "held_out")
# What NumPy writes; zipfile unpacks bz2 and LZMA beyond the size that is declared.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
SCALES = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)


def layers(file: BinaryIO) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
    """Reads the arrays of an .npz.

    Args:
        file: the open file.

    Returns:
        Layer name -> [kernel, bias], and what else there is by the names of `Weights`' fields.

    Raises:
        Broken: it is cut short or damaged, or holds anything else.
    """
    entries = {}
    for name, data in _members(file).items():
        content = io.BytesIO(data)
        declared = npy.header(content)
        entries[name] = npy.array(data, content.tell(), declared)
    more: dict[str, Any] = {name: entries.pop(name) for name in FINGERPRINTS if name in entries}
    for name, prints in more.items():
        if prints.dtype != np.uint64 or prints.ndim != 1:
            raise Broken(f"an .npz with {name} as {prints.dtype} {prints.shape}")
    if RECIPE in entries:
        more |= _recipe(entries.pop(RECIPE))
    pairs: dict[str, dict[str, np.ndarray]] = {}
    for entry, array in entries.items():
        layer, _, part = entry.rpartition("/")
        if not layer or part not in PARTS:
            raise Broken(
                f"an .npz with {entry[:80]!r}; its arrays must be named conv1/kernel, conv1/bias"
            )
        pairs.setdefault(layer, {})[part] = array
    return {name: [parts[p] for p in PARTS if p in parts] for name, parts in pairs.items()}, more


def write(
    file: BinaryIO,
    arrays: Mapping[str, tuple[np.ndarray, ...]],
    recipe: Mapping[str, Any] | None,
    fingerprints: Mapping[str, np.ndarray],
) -> None:
    """Writes what `layers` reads; the same weights give the same bytes."""
    entries = dict(fingerprints)
    for name, pair in arrays.items():
        entries |= {f"{name}/{part}": array for part, array in zip(PARTS, pair, strict=True)}
    if recipe is not None:
        entries[RECIPE] = np.array(json.dumps(recipe, ensure_ascii=False, allow_nan=False))
    np.savez(file, allow_pickle=False, **entries)


def _members(file: BinaryIO) -> dict[str, bytes]:
    """The zip's members, name without .npy -> content."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > MOST_BYTES:
                raise Broken(f"an .npz that unpacks to {human_size(size)}")
            for member in members:
                if member.compress_type not in METHODS:
                    raise Broken("an .npz that is not compressed as np.savez_compressed does it")
            # With a number, as a deflated member may hold 1000 times what it declares.
            return {
                member.filename.removesuffix(".npy"): archive.open(member).read(member.file_size)
                for member in members
            }
    except Broken:
        raise
    except Exception as error:  # what zipfile raises on a broken file is of any type
        raise Broken(f"a broken .npz ({error or type(error).__name__})") from None


def _recipe(array: np.ndarray) -> dict[str, Any]:
    """How the weights were made: any JSON object, of which only the input's scale is used."""
    try:
        text = array.item() if array.nbytes <= MOST_RECIPE else ""
        recipe = json.loads(text)
    except Exception:  # text out of Unicode's range, lists 10,000 deep ...
        recipe = None
    if not isinstance(recipe, dict):
        raise Broken("an .npz whose recipe is no JSON object")
    plan = recipe.get("plan")
    scale = plan.get("scale", 1.0) if isinstance(plan, dict) else 1.0
    if type(scale) not in (int, float) or not SCALES[0] <= scale <= SCALES[1]:
        raise Broken(f"an .npz whose recipe has {str(scale)[:40]!r} as the input's scale")
    return {RECIPE: recipe, "input_scale": float(scale)}

"""NumPy's .npz: AlexNet's weights, how they were made, and the signs they were trained on.

A zip of .npy files: conv1/kernel, conv1/bias ..., and maybe `recipe`, a 0-d text array of JSON, and
`trained_on` and `held_out`, fingerprints of signs as uint64 (m,).
"""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from lab import npz
from lab.errors import shown
from lab.untrusted import Broken

MOST_BYTES = 2**29  # unpacked: AlexNet's 61 million numbers in float64 are 488 MB
PARTS = ("kernel", "bias")
RECIPE, FINGERPRINTS = "recipe", ("trained_on", "held_out")
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
    entries, recipe = npz.read(file, MOST_BYTES, RECIPE)
    more: dict[str, Any] = {name: entries.pop(name) for name in FINGERPRINTS if name in entries}
    for name, prints in more.items():
        if prints.dtype != np.uint64 or prints.ndim != 1:
            raise Broken(f"an .npz with {name} as {prints.dtype} {prints.shape}")
    if recipe is not None:
        more |= _recipe(recipe)
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


def _recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    """How the weights were made: any JSON object, of which only the input's scale is used."""
    plan = recipe.get("plan")
    scale = plan.get("scale", 1.0) if isinstance(plan, dict) else 1.0
    if type(scale) not in (int, float) or not SCALES[0] <= scale <= SCALES[1]:
        raise Broken(f"an .npz whose recipe has {shown(repr(scale), 40)} as the input's scale")
    return {RECIPE: recipe, "input_scale": float(scale)}

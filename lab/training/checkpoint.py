"""A training's state on disk: where it was, and the values of all variables."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lab import files
from lab.errors import BROKEN, LabError


def write(path: Path, where: dict[str, Any], values: Sequence[np.ndarray]) -> None:
    """Writes a checkpoint, atomically; but none with NaN or infinity.

    Args:
        path: the file to write or to replace.
        where: epoch, step and so on, as JSON has them, and origin: what `read` compares.
        values: of the variables, in order.
    """
    if not all(np.isfinite(value).all() for value in values if value.dtype.kind == "f"):
        return
    named: dict[str, Any] = {f"v{i}": value for i, value in enumerate(values)}
    with files.atomic(path) as part, open(part, "wb") as file:
        np.savez(file, allow_pickle=False, state=np.array(json.dumps(where)), **named)


def read(path: Path, count: int, origin: dict[str, Any]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Reads what `write` wrote.

    Args:
        path: the file.
        count: of variables.
        origin: name -> value of what must be the same as when it was written.

    Raises:
        LabError: the file cannot be read or belongs to another training.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            where = json.loads(str(file["state"]))
            values = [file[f"v{i}"] for i in range(count)]
    except BROKEN as error:
        raise LabError(f"expected a checkpoint of this training in {path}: {error}") from None
    names = [name for name in origin if origin[name] != where["origin"].get(name)]
    if names:
        raise LabError(
            f"{path} was written with another {', '.join(names)}: resume with the same options "
            "and files"
        )
    return where, values

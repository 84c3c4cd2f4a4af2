"""A training's state on disk: written, read again, and checked against the training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED

import numpy as np

from lab import files, npz, untrusted
from lab.errors import LabError
from lab.untrusted import Broken

PLACE = ("epoch", "step", "loss", "seconds", "history")  # where a training was
MOST_BYTES = 2**29  # three times the trunk and a head of 10,000 classes


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


def read(
    path: Path, origin: dict[str, Any], expected: Sequence[np.ndarray], epochs: int, steps: int
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Reads what `write` wrote.

    Args:
        path: the file.
        origin: name -> value of what must be the same.
        expected: arrays of the shapes and types that the state has.
        epochs, steps: of the whole training, and of an epoch.

    Returns:
        values: arrays as `expected`.
        where: epoch, step, loss, seconds and history.

    Raises:
        LabError: it is broken, or belongs to another training.
    """
    advice = "start again in another --output"
    with untrusted.opened(path, "a checkpoint of this training", advice) as file:
        arrays, where = npz.read(file, MOST_BYTES, "state", [ZIP_STORED])
        found = where.pop("origin", None) if where else None
        if where is None or not isinstance(found, dict):
            raise Broken("one that does not tell its training")
        if names := [name for name in origin if origin[name] != found.get(name)]:
            raise LabError(
                f"{path} was written with another {', '.join(names)}: resume with the same options "
                "and files"
            )
        if arrays.keys() != {f"v{i}" for i in range(len(expected))}:
            raise Broken(f"{len(arrays)} arrays in place of {len(expected)}")
        values = [arrays[f"v{i}"] for i in range(len(expected))]
        for value, like in zip(values, expected, strict=True):
            if (value.shape, value.dtype) != (like.shape, like.dtype):
                raise Broken(f"{value.dtype} {value.shape} in place of {like.dtype} {like.shape}")
            if not np.isfinite(value).all():
                raise Broken("numbers that are not finite")
        _check(where, epochs, steps)
    return values, where


def _check(where: dict[str, Any], epochs: int, steps: int) -> None:
    if where.keys() != {*PLACE}:
        raise Broken("one of other fields")
    epoch, step, history = where["epoch"], where["step"], where["history"]
    if type(epoch) is not int or not 0 <= epoch <= epochs:
        raise Broken(f"an epoch that is none of {epochs}")
    if type(step) is not int or not 0 <= step <= steps:
        raise Broken(f"a step that is none of {steps}")
    if not all(_number(where[name]) for name in ("loss", "seconds")):
        raise Broken("a loss or a time that is no number")
    if not isinstance(history, list) or len(history) != epoch:
        raise Broken("a history of other epochs")
    for record in history:
        if not isinstance(record, dict) or not all(map(_number, record.values())):
            raise Broken("a history that is not of numbers")
        if not {"epoch", "seconds", "loss", "validation_accuracy"} <= record.keys():
            raise Broken("a history of other fields")


def _number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e12  # type: ignore[arg-type]

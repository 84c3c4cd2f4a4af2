"""A run's folder: the options it was started with, and its metrics, once it is complete."""

import contextlib
import re
import shlex
import time
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lab import files, locks, untrusted
from lab.errors import LabError, shown
from lab.untrusted import Broken

RUNS = files.ROOT / "runs"
BUNDLED = files.ROOT / "trained"  # the run that comes with the repository
OPTIONS, METRICS, REPORT = "options.json", "metrics.json", "report.html"
CLASSIFIER, TRUNK, CHECKPOINT = "classifier.npz", "trunk.npz", "checkpoint.npz"
PATHS = ("data", "test", "weights")  # options that may name a file ...
WORDS = ("rendered", "bundled")  # ... or be one of these words

_held = ExitStack()  # the lock of the run's folder


def folder(prefix: str = "") -> Path:
    """A folder under `RUNS`, named after date and time; not made yet."""
    return RUNS / (prefix + time.strftime("%Y-%m-%d-%H%M%S"))


def empty(target: str | Path) -> Path:
    """The folder, if it can be written to and holds no run and no report yet.

    Raises:
        LabError: it holds one, or cannot be written to.
    """
    target = Path(target)
    for name in (METRICS, OPTIONS, REPORT):
        if (target / name).exists():
            way = "--resume it, or " if name == OPTIONS else ""
            raise LabError(
                f"{target}: expected a folder without a run; it holds {name}: {way}choose another "
                "--output"
            )
    files.check_writable(target / METRICS)
    return target


def begin(target: Path, options: Namespace) -> None:
    """Takes the folder of a run for this process, until that ends or begins another run.

    The folder of a new run is made, and its options are written down: files by their whole path,
    since a run may be resumed from another folder.

    Args:
        target: the folder.
        options: as parsed; `resume` is set where the run goes on.

    Raises:
        LabError: another run is at work there, or has begun there since `empty` was asked.
    """
    with files.writing(target):
        target.mkdir(parents=True, exist_ok=True)
    _held.close()
    held = _held.enter_context(locks.held(target, wait=False))
    if held is False or (not options.resume and (target / OPTIONS).exists()):
        raise LabError(
            f"{target}: expected a folder without a run; another run has begun there: choose "
            "another --output, or wait for it"
        )
    if not options.resume:
        files.write_json(target / OPTIONS, _kept(options))


def _kept(options: Namespace) -> dict[str, Any]:
    """The options that are written down."""
    kept = {name: value for name, value in vars(options).items() if value not in (None, False)}
    for name in PATHS:
        if kept.get(name) not in (None, *WORDS) and Path(kept[name]).exists():
            kept[name] = str(Path(kept[name]).resolve())
    return {name: value for name, value in kept.items() if name not in ("output", "offline")}


def withdraw(folder: Path) -> None:
    """Takes a run back that ends in the same error however often it is resumed."""
    (folder / OPTIONS).unlink()
    with contextlib.suppress(OSError):  # there was more in the folder before
        folder.rmdir()


def way_on(folder: Path) -> str:
    """What is said of a run that is interrupted: how to go on with it."""
    folder = folder.absolute()
    if (folder / METRICS).exists():
        return f"interrupted; the run in {folder} is complete"
    if (folder / OPTIONS).exists():
        again = ["python", "train_feature_extraction.py", "--resume", str(folder)]
        return f"interrupted; to go on: {shlex.join(again)}"
    return (
        f"interrupted before the run in {folder} began: there is nothing to go on with; give the "
        "same command again"
    )


def words(options: dict[str, Any]) -> list[str]:
    """Options as the words of a command line."""
    return [
        f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
        for name, value in options.items()
    ]


def options(folder: str | Path) -> list[str]:
    """The options of a run that was begun and not finished, as the words of a command line.

    Raises:
        LabError: there is none, or it is complete.
    """
    folder = Path(folder)
    if (folder / METRICS).exists():
        _remove_checkpoint(folder)  # `finish` may have been killed
        raise LabError(f"{folder}: expected an unfinished run; this one is complete: use it")
    expected, advice = (
        "the options of a run that was begun",
        "name another, or start anew without --resume",
    )
    with untrusted.reading(folder / OPTIONS, expected, advice):
        written = untrusted.json_file(folder / OPTIONS)
        for name, value in written.items():
            kind = type(value) in (str, int, float) or value is True
            if name in ("help", "resume") or not kind or not re.fullmatch("[a-z_]{1,40}", name):
                raise Broken(f"an option {shown(name, 40)} that is none")
        if "arguments" in written:
            raise Broken("options of an older version")
        return words(written)


def classifier_file(path: str | Path) -> Path:
    """A classifier's file: the path itself, or the one in a run's folder.

    Raises:
        LabError: there is none.
    """
    path = Path(path) / CLASSIFIER if Path(path).is_dir() else Path(path)
    if not path.is_file():
        raise LabError(
            f"expected a trained classifier at {path}; there is none: "
            "train one with train_feature_extraction.py, or leave --model out"
        )
    return path


def finish(folder: Path, metrics: dict[str, Any]) -> None:
    """Writes the metrics; from here on the run counts as complete."""
    files.write_json(folder / METRICS, metrics)
    _remove_checkpoint(folder)


def _remove_checkpoint(folder: Path) -> None:
    with files.writing(folder / CHECKPOINT):
        (folder / CHECKPOINT).unlink(missing_ok=True)


def newest() -> Path | None:
    """The newest complete run under `RUNS`, or None where there is none."""
    complete = [
        path.parent for path in RUNS.glob(f"*/{METRICS}") if (path.parent / CLASSIFIER).is_file()
    ]
    return max(complete, key=lambda folder: (folder / CLASSIFIER).stat().st_mtime_ns, default=None)

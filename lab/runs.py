"""A run's folder: the options it was started with, and its metrics, once it is complete."""

import json
import time
from pathlib import Path

from lab import files
from lab.errors import LabError

RUNS = files.ROOT / "runs"
OPTIONS, METRICS = "options.json", "metrics.json"
CLASSIFIER, TRUNK, CHECKPOINT = "classifier.npz", "trunk.npz", "checkpoint.npz"


def folder(prefix: str = "") -> Path:
    """A folder under `RUNS`, named after date and time; not made yet."""
    return RUNS / (prefix + time.strftime("%Y-%m-%d-%H%M%S"))


def empty(target: str | Path) -> Path:
    """The folder, if nothing of a run or an evaluation is in it yet.

    Raises:
        LabError: there is.
    """
    target = Path(target)
    for name in (METRICS, OPTIONS, "report.html"):
        if (target / name).exists():
            way = "--resume it, or " if name == OPTIONS else ""
            raise LabError(
                f"{target}: expected a folder without a run; it holds {name}: {way}choose another "
                "--output"
            )
    return target


def create(output: str | None, arguments: list[str]) -> Path:
    """Makes the folder of a new run and writes down its options.

    Args:
        output: the folder; None: `runs/<date-time>`.
        arguments: the command line, without the program's name.

    Raises:
        LabError: the folder holds a run already.
    """
    target = empty(output or folder())
    # Files by their whole path: it may be resumed from another folder.
    words = [str(Path(word).resolve()) if Path(word).exists() else word for word in arguments]
    files.write_json(target / OPTIONS, {"arguments": words})
    return target


def arguments(folder: str | Path) -> list[str]:
    """The command line of a run that was begun and not finished.

    Raises:
        LabError: there is none, or it is complete.
    """
    folder = Path(folder)
    if (folder / METRICS).exists():
        raise LabError(f"{folder}: expected an unfinished run; this one is complete: use it")
    try:
        return [str(word) for word in json.loads((folder / OPTIONS).read_text())["arguments"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise LabError(
            f"{folder}: expected the folder of a run that was begun; it has no {OPTIONS}: name "
            "another, or start anew without --resume"
        ) from None


def finish(folder: Path, metrics: dict) -> None:
    """Writes the metrics; from here on the run counts as complete."""
    files.write_json(folder / METRICS, metrics)
    (folder / CHECKPOINT).unlink(missing_ok=True)


def newest(runs: str | Path | None = None) -> Path | None:
    """The newest complete run under a folder (None: `RUNS`), or None where there is none."""
    complete = [
        path.parent
        for path in Path(runs or RUNS).glob(f"*/{METRICS}")
        if (path.parent / CLASSIFIER).is_file()
    ]
    return max(complete, key=lambda folder: (folder / CLASSIFIER).stat().st_mtime_ns, default=None)

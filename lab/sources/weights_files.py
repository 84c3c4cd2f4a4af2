"""The weights that --weights names."""

from pathlib import Path

from lab import downloads, runs, untrusted, weights
from lab.command_line import say
from lab.downloads import WEIGHTS
from lab.errors import LabError
from lab.progress import Progress
from lab.weights import Weights


def locate(
    option: str | None,
    offline: bool,
    run: Path | None = None,
    recorded: str | None = None,
) -> Path:
    """Where the weights are that `--weights` names.

    Args:
        option: the option's value, or None; of a run that trained the network, its folder will do.
        offline: never download.
        run: the folder of a classifier's run. Without the option, its own trunk is taken if it has
            one, else `recorded`.
        recorded: the file that the classifier's head was trained on.

    Raises:
        LabError: they are missing.
    """
    candidates = [run / runs.TRUNK] if run else []
    candidates += [Path(recorded)] if recorded else []
    there = [path for path in candidates if path.is_file()]
    if option == "bundled":
        path = runs.BUNDLED / runs.TRUNK
    elif option is not None:
        path = Path(option)
        path = path / runs.TRUNK if (path / runs.TRUNK).is_file() else path
    elif recorded and not there and Path(recorded).name != WEIGHTS:
        raise LabError(
            f"{recorded}: expected the weights that the head was trained on; the file is gone: "
            "name its new place with --weights"
        )
    else:
        path = there[0] if there else downloads.fetch(WEIGHTS, offline=offline)
    with untrusted.opened(path, weights.EXPECTED):
        return path


def read(path: Path) -> Weights:
    """Reads the weights in a file, as `locate` gives it, and says so.

    Raises:
        LabError: they cannot be read.
    """
    with Progress().phase(f"reading {path.name}"):
        result = weights.read(path)
    say(f"weights: {path} (sha256 {result.sha256[:16]}..., {', '.join(result.arrays)})")
    return result


def load(option: str | None, offline: bool) -> Weights:
    """The weights that `--weights` names, read; see `locate`.

    Raises:
        LabError: they are missing or cannot be read.
    """
    return read(locate(option, offline))

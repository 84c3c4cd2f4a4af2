"""The whole lab: the four scripts in its order, on the real files if they are available.

    python -m lab

A file that is not available is replaced by a stand-in, and the summary says so: the trunk in
trained/ for the weights, rendered signs for train.p, the signs in examples/ for the lab's own two.
Only this module does so.
"""

from lab import beginning  # first, before any import that takes longer

if __name__ == "__main__":
    beginning.begin()

# isort: split
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import alexnet
from lab import command_line, files, interruption, runs
from lab.downloads import PHOTOGRAPHS, SIGNS, TRAIN_P, WEIGHTS, fetch
from lab.errors import LabError
from lab.progress import Progress, show

PATIENCE = 9.0  # seconds for all addresses of all files together to fail


def available(names: Sequence[str]) -> dict[str, Path | str]:
    """Fetches files.

    Returns:
        For each file its path, or the reason why it is not available.
    """
    found: dict[str, Path | str] = {}
    left = PATIENCE
    for name in Progress().over("looking for the published files", names):
        start = time.monotonic()
        try:
            found[name] = fetch(name, patience=left)
        except LabError as error:
            found[name] = str(error)
            left = max(0, left - (time.monotonic() - start))
    return found


def plan(
    found: dict[str, Path | str], precision: str = "float32"
) -> Iterator[tuple[str, list[str] | None, str]]:
    """For each script its arguments (None: it cannot run), and what it ran on, in words.

    Args:
        found: what `available` gives.
        precision: of the training.
    """

    def missing(*names: str) -> list[str]:
        return [reason for name in names if isinstance(reason := found[name], str)]

    weights = missing(WEIGHTS)
    yield "imagenet_inference.py", *_unless(weights + missing(*PHOTOGRAPHS), [])
    signs, stand_in = [str(found[name]) for name in SIGNS], "real weights, the lab's two signs"
    if missing(*SIGNS):
        signs, stand_in = [], "a stand-in: the rendered signs in examples/"
    yield "traffic_sign_inference.py", *_unless(weights, signs, f"ran on {stand_in}")
    words = f"ran on the bundled classifier and {'the real signs' if signs else 'examples/'}"
    yield "feature_extraction.py", [*signs, "--model", "bundled"], words
    # Not where feature_extraction.py looks for the newest run: stand-ins may have made this one.
    options, stand_ins = ["--output", str(runs.folder("lab/"))], []
    if precision != "float32":
        options += ["--precision", precision]
    if weights:
        options += ["--weights", "bundled"]
        stand_ins.append("--weights bundled")
    if missing(TRAIN_P):
        options += ["--data", "rendered"]
        stand_ins.append("--data rendered")
    what = f"stand-ins: {', '.join(stand_ins)}" if stand_ins else "the real files"
    yield "train_feature_extraction.py", options, f"ran on {what}"


def _unless(
    reasons: list[str], arguments: list[str], otherwise: str = "ran on the real files"
) -> tuple[list[str] | None, str]:
    return (None, f"did not run: {reasons[0]}") if reasons else (arguments, otherwise)


@command_line.script
def main(argv: list[str]) -> None:
    parser = command_line.Parser(__doc__)
    parser.add_argument("--precision", choices=alexnet.PRECISIONS, default="float32", help="of the "
        "training's network")  # fmt: skip
    args = parser.parse_args(argv)
    found = available((WEIGHTS, TRAIN_P, *PHOTOGRAPHS, *SIGNS))
    lines, failed = [], False
    for script, arguments, words in plan(found, args.precision):
        if arguments is not None:
            show(f"\n$ python {' '.join([script, *arguments])}")
            command = [sys.executable, str(files.ROOT / script), *arguments, "--offline"]
            with subprocess.Popen(command) as interruption.stop.child:
                status = interruption.stop.child.wait()
            if status in interruption.STATUS.values():
                raise SystemExit(status)
            if status:
                failed, words = True, f"FAILED with status {status}"
        lines.append(f"{script:28} {words}")
    show("\n" + "\n".join(lines))
    if failed:
        raise LabError("a script that had its inputs failed, see above")


if __name__ == "__main__":
    sys.exit(main())

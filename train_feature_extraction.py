"""Trains a head for traffic signs, or for your own classes, on AlexNet's features, or the network.

python train_feature_extraction.py                        # the lab: train.p, ten epochs of Adam
python train_feature_extraction.py --data my_pictures     # a sub-folder of pictures for each class
python train_feature_extraction.py --split track          # judged on signs it has not seen
python train_feature_extraction.py --train all --epochs 3 --batch-size 32 --split track
"""

from lab import beginning  # first, before any import that takes longer

if __name__ == "__main__":
    beginning.begin()

# isort: split
import functools
import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import alexnet
from lab import command_line, features, files, interruption, printed, progress, runs, workers
from lab.sources import labelled_sets, weights_files
from lab.training import plans


def parse(argv: list[str]) -> Namespace:
    parser = command_line.Parser(__doc__)
    add = parser.add_argument
    add("--data", metavar="DATA", help="a folder with a sub-folder of pictures for each class, or "
        "with train/ and val/ of that form; a CSV with the columns file, class and maybe group; a "
        "pickle like train.p; GTSRB's folder or zip; or the word rendered (default: train.p, "
        "downloaded once where it is missing)")  # fmt: skip
    add("--test", metavar="DATA", help="a second labelled set, looked at once, at the end")
    add("--layer", choices=features.RECIPES, help="what the head sees (default: fc7 "
        "where the weights have it, else conv4; pool5 of a trunk made by --train; of your own "
        "pictures photographs: conv4 and pool5)")  # fmt: skip
    add("--train", choices=("head", "all", "scratch"), default="head", help="a head on frozen "
        "features; everything, from the given weights; everything, from random ones")  # fmt: skip
    add("--crop", choices=("centre", "squeeze"), help="of photographs: the central square, or "
        "all of it, squeezed to a square (default: centre)")  # fmt: skip
    add("--skip-broken", action="store_true", help="leave out pictures that cannot be read")
    add("--split", choices=("random", "track", "folds"), help="what is held out: a third of the "
        "pictures; a fifth of the signs (or of a CSV's groups); or each fifth in turn (default: "
        "random, as in the lab; folds where there are fewer than 5,000 pictures of your own)"
        )  # fmt: skip
    add("--epochs", type=command_line.positive, default=10, metavar="N", help="times through the "
        "data; ten steps of L-BFGS each for --layer best and photographs")  # fmt: skip
    add("--batch-size", type=command_line.positive, default=128, metavar="N", help="of a step")
    add("--seed", type=command_line.whole, default=0, metavar="N", help="of all that is random")
    add("--precision", choices=alexnet.PRECISIONS, default="float32", help="of the network")
    add("--output", metavar="DIR", help="the run's folder (default: runs/<date-time>)")
    add("--resume", metavar="DIR", help="go on with a run that was stopped, with its options")
    parser.add_common(alexnet.VARIANTS)
    args = parser.parse_args(argv)
    if args.resume:
        if not set(argv) <= {"--resume", args.resume, f"--resume={args.resume}", "--offline"}:
            parser.error("--resume takes the options of the run it resumes: give no others")
        folder, offline = args.resume, args.offline
        parser.source = str(Path(folder) / runs.OPTIONS)
        args = parser.parse_args(runs.options(folder))
        args.resume, args.offline = folder, offline
    if args.train != "head" and args.layer:
        parser.error("--layer is for --train head; the whole network is trained up to pool5")
    if args.train == "scratch" and args.weights:
        parser.error("--weights is what a training starts from; --train scratch starts from none")
    args.variant = args.variant or "caffe"
    if args.train != "head":
        plans.check(args.precision, args.variant)
        if args.split == "folds":
            parser.error("--split folds is for --train head: it would train the network five times")
    return args


@command_line.script
def main(argv: list[str]) -> None:
    args, start = parse(argv), time.perf_counter()
    folder = Path(args.resume) if args.resume else runs.empty(args.output or runs.folder())
    interruption.stop.advice = functools.partial(runs.way_on, folder)
    with workers.joined() as crew:
        metrics = train(args, argv, folder, start, crew)
    if crew.chief:
        names = f"classifier.npz, metrics.json, predictions.csv, {runs.REPORT}"
        printed.show_end(metrics, f"in {files.relative(folder)}: {names}")


def train(
    args: Namespace, argv: list[str], folder: Path, start: float, crew: workers.Workers
) -> dict[str, Any]:
    """Finds what the options name, and trains; gives what metrics.json holds."""
    if args.resume:
        command_line.say(f"going on with {folder}: {shlex.join(runs.options(folder))}")
    # What is missing is said before anything is read.
    place = labelled_sets.locate(args.data, args.offline)
    other = labelled_sets.locate(args.test, args.offline) if args.test else None
    start_from = None
    if args.train != "scratch":
        start_from = weights_files.locate(args.weights, args.offline)
    how = {"crop": args.crop, "skip_broken": args.skip_broken}
    data = test = labelled_sets.read(place, args.seed, **how)
    if args.test:
        how["crop"] = data.crop
        test = labelled_sets.read(other, args.seed + 1, names=data.names, **how)
    weights = weights_files.read(start_from) if start_from else None
    device = command_line.start_tensorflow()
    from lab.training import experiment

    words = runs.options(folder) if args.resume else argv
    facts = {"device": device, "command": shlex.join(["train_feature_extraction.py", *words])}
    told = progress.Progress(experiment.PHASES[args.train])
    inputs = experiment.Inputs(data, test if args.test else None, weights, start, crew)
    return experiment.run(args, inputs, folder, facts, printed.show_epoch, told)


if __name__ == "__main__":
    sys.exit(main())

"""Trains a 43-way head for traffic signs on frozen AlexNet features, or the whole network.

python train_feature_extraction.py                        # the lab: train.p, ten epochs of Adam
python train_feature_extraction.py --split track          # judged on signs that it never met
python train_feature_extraction.py --train all --epochs 3 --batch-size 32 --split track
"""

import functools
import sys
import time
from pathlib import Path

from lab import command_line, runs, sources
from lab.features import recipes

SAME_SIGNS = " (frames of the same signs on both sides; see --split track)"


def parse(argv):
    parser = command_line.Parser(__doc__)
    add = parser.add_argument
    add("--data", metavar="DATA", help="a pickle like train.p, GTSRB's folder or zip, or the word "
        "rendered (default: train.p, downloaded once where it is missing)")  # fmt: skip
    add("--test", metavar="DATA", help="a second labelled set, looked at once, at the end")
    add("--layer", choices=recipes.RECIPES, help="what the head sees "
        "(default: fc7 where the weights have it, else conv4)")  # fmt: skip
    add("--train", choices=("head", "all", "scratch"), default="head", help="a head on frozen "
        "features; everything, from the given weights; everything, from random ones")  # fmt: skip
    add("--split", choices=("random", "track"), default="random", help="what is held out: 33%% of "
        "the frames, as in the lab, or 20%% of the signs")  # fmt: skip
    add("--epochs", type=command_line.positive, default=10, metavar="N", help="times through the "
        "data; for --layer best ten steps of L-BFGS each")  # fmt: skip
    add(
        "--batch-size",
        type=command_line.positive,
        default=128,
        metavar="N",
        help="pictures a step of Adam",
    )
    add("--seed", type=command_line.whole, default=0, metavar="N", help="of all that is random")
    add("--precision", choices=("float32", "bfloat16", "float16"), default="float32",
        help="what the network computes in")  # fmt: skip
    add("--output", metavar="DIR", help="the run's folder (default: runs/<date-time>)")
    add("--resume", metavar="DIR", help="go on with a run that was stopped, with its options")
    parser.add_common()
    args = parser.parse_args(argv)
    if args.resume:
        if not set(argv) <= {"--resume", args.resume, f"--resume={args.resume}", "--offline"}:
            parser.error("--resume takes the options of the run it resumes: give no others")
        folder, offline = args.resume, args.offline
        args = parser.parse_args(runs.arguments(folder))
        args.output, args.resume, args.offline = folder, folder, offline or args.offline
    if args.train != "head" and args.layer:
        parser.error(
            "--layer is for --train head; the whole network is trained from conv1 to pool5"
        )
    if args.train == "scratch" and args.weights:
        parser.error("--weights is what a training starts from; --train scratch starts from none")
    args.variant = args.variant or "caffe"
    return args


def tell(same_signs, record):
    """The lab's three lines."""
    print(f"EPOCH {record['epoch']} ...")
    print(f"Time: {record['seconds']:.3f} seconds")
    note = SAME_SIGNS if same_signs else ""
    print(f"Validation Accuracy: {record['validation_accuracy']:.3f}{note}\n", flush=True)


def tell_end(metrics, folder):
    """What was measured besides the epochs, and where everything is."""
    if metrics["feature_seconds"]:
        command_line.say(f"features: {metrics['images_per_second']:.0f} pictures/s, kept in cache/")
    if metrics.get("test_tracks_accuracy") is not None:
        print(f"Test Tracks Accuracy: {metrics['test_tracks_accuracy']:.4f}")
    if metrics["test_accuracy"] is not None:
        less = metrics["test_images_left_out"]
        note = f", without {less:,} that the network was trained on" if less else ""
        print(f"Test Accuracy: {metrics['test_accuracy']:.4f} ({metrics['test_images']:,}{note})")
    command_line.say(
        f"kept in {folder}: classifier.npz, metrics.json, predictions.csv, report.html"
    )


@command_line.script
def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    args = parse(argv)
    start = time.perf_counter()
    data = sources.read_data(args.data, args.offline)
    test = sources.read_data(args.test, args.offline) if args.test else None
    weights = None
    if args.train != "scratch":
        weights = sources.read_weights(args.weights, args.offline)
    device = command_line.start_tensorflow()
    from lab.training import experiment

    prepared = experiment.prepare(args, data, test, weights)
    for notice in prepared.notices:
        command_line.say(notice)
    folder = Path(args.resume) if args.resume else runs.create(args.output, argv)
    same_signs = prepared.split == "random" and args.data != "rendered"
    outcome = prepared(folder, functools.partial(tell, same_signs), command_line.progress)
    metrics = experiment.conclude(args, outcome, data, test, weights, folder)
    metrics |= {"device": device, "total_seconds": time.perf_counter() - start}
    runs.finish(folder, metrics)
    tell_end(metrics, folder)


if __name__ == "__main__":
    sys.exit(main())

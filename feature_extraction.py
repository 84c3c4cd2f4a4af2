"""Names German traffic signs, or your own classes: AlexNet with another head as its last layer.

python feature_extraction.py                      # the signs in examples/, the trained classifier
python feature_extraction.py my_sign.jpg --top 3 --explain why    # and where its class comes from
python feature_extraction.py --evaluate train.p   # accuracy, and a report
python feature_extraction.py *.jpg --save-features fc7.npz --layer fc7
"""

from lab import beginning  # first, before any import that takes longer

if __name__ == "__main__":
    beginning.begin()

# isort: split
import shlex
import sys
import time
from argparse import Namespace

import numpy as np

import alexnet
from lab import command_line, files, interruption, pictures, printed, progress, runs
from lab.errors import shown
from lab.sources import weights_files
from lab.sources.picture_files import PictureFiles, examples


def parse(argv: list[str]) -> Namespace:
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the signs in examples/")
    add = parser.add_argument
    add("--model", metavar="FILE", help="a classifier's file or its run's folder; bundled: the one "
        "in trained/; none: a fresh head (default: the newest run, else bundled)")  # fmt: skip
    add("--evaluate", metavar="DATA", help="the classifier's accuracy on a labelled set, as "
        "train_feature_extraction.py takes it for --data")  # fmt: skip
    add("--skip-broken", action="store_true", help="of --evaluate: leave out what cannot be read")
    add("--output", metavar="DIR", help="of the report (default: runs/evaluation-<date-time>)")
    add("--explain", metavar="DIR", help="a PNG of each picture: where its class comes from")
    add("--save-features", metavar="FILE.npz", help="write a layer's features of photographs")
    add("--layer", choices=alexnet.LAYERS, help="of --save-features")
    parser.add_common(alexnet.VARIANTS)
    args = parser.parse_args(argv)
    if (args.save_features is None) != (args.layer is None):
        parser.error("--save-features FILE.npz and --layer NAME go together")
    if args.evaluate and (args.save_features or args.pictures or args.explain):
        parser.error("--evaluate takes a labelled set, and no pictures, --explain or features")
    if args.save_features and (args.json or args.model or args.explain):
        parser.error("--save-features needs no classifier, explains nothing and writes no JSON")
    if (args.output or args.skip_broken) and not args.evaluate:
        parser.error("--output and --skip-broken are for --evaluate: give it, too")
    if args.model not in (None, "none", "bundled"):
        runs.classifier_file(args.model)
    args.command = shlex.join(["feature_extraction.py", *argv])
    return args


def save_features(args: Namespace) -> None:
    """Writes one layer's features, float32 (n, ...), of photographs: their central 227x227."""
    files.check_writable(args.save_features)
    interruption.stop.advice = lambda: f"{interruption.AGAIN} to write {args.save_features}"
    photographs = PictureFiles(args.pictures or examples())
    trunk = weights_files.load(args.weights, args.offline)
    variant = args.variant or "caffe"
    command_line.start_tensorflow()
    from lab.features import extractor

    network = alexnet.build(trunk.arrays, args.layer, variant=variant)
    images = np.stack(photographs.read(alexnet.photograph))
    x = extractor.predict(network, images, lambda x: alexnet.centred(x, variant))
    with files.atomic(args.save_features) as part, open(part, "wb") as file:
        np.savez(file, features=x, files=[*map(str, photographs.paths)], layer=args.layer)
    command_line.say(f"{args.layer}: {' x '.join(map(str, x.shape))} in {args.save_features}")
    photographs.refuse_broken()


def evaluate(args: Namespace) -> None:
    """Judges the classifier on a labelled set and writes the report."""
    from lab.sources import labelled_sets

    folder = runs.empty(args.output or runs.folder("evaluation-"))
    interruption.stop.advice = lambda: f"{interruption.AGAIN} for the report in {folder}"
    path = labelled_sets.locate(args.evaluate, args.offline)  # what is missing is said first
    facts = {"command": args.command, "device": command_line.start_tensorflow()}
    from lab import report
    from lab.sources import classifiers

    classifier, trunk, name, words = classifiers.find(args)
    command_line.say(f"classifier: {name} ({words})")
    how = {"crop": classifier.crop, "skip_broken": args.skip_broken}
    data = labelled_sets.read(path, names=classifier.classes, **how)
    start, told = time.perf_counter(), progress.Progress(("judging", "report"))
    result = report.evaluate(classifier, trunk, data, folder, name, facts, told)
    result["seconds"] = round(time.perf_counter() - start, 3)
    command_line.say(f"report: {folder / runs.REPORT}")
    printed.show_evaluation(result, data.source, args.json)


def classify(args: Namespace) -> None:
    """Names pictures, and first the classifier that does it."""
    if args.explain:
        files.check_writable(f"{args.explain}/0.png")
    named = PictureFiles(args.pictures or examples())
    command_line.start_tensorflow()
    from lab.sources import classifiers

    classifier, trunk, name, words = classifiers.find(args)
    images = np.stack(named.read(pictures.CROPS[classifier.crop].function))
    (command_line.say if args.json else progress.show)(f"Classifier: {name} ({words})")
    start = time.perf_counter()
    # (n, 32, 32, 3) of signs, (n, 227, 227, 3) of photographs -> (n, classes)
    logits, distances, _ = classifier.answers(images, trunk)
    seconds = round(time.perf_counter() - start, 3)
    shares, known = classifier.probabilities(logits), classifier.known(distances)
    answers = printed.top(shares, classifier.classes, args.top, named.paths, known)
    printed.show_answers(answers, seconds, trunk.path, args.json, classifier=name)
    if args.explain:
        from lab import explanation

        drawn = explanation.write(args.explain, classifier, trunk, images, answers)
        more = f" and {len(drawn) - 1:,} more" if drawn[1:] else ""
        command_line.say(f"explained: {shown(str(drawn[0]))}{more}")
    named.refuse_broken()


@command_line.script
def main(argv: list[str]) -> None:
    args = parse(argv)
    evaluated, saved = args.evaluate is not None, args.save_features is not None
    (evaluate if evaluated else save_features if saved else classify)(args)


if __name__ == "__main__":
    sys.exit(main())

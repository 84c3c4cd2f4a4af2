"""Names German traffic signs: AlexNet's features, and a 43-way head in place of its last layer.

python feature_extraction.py                      # the signs in examples/, the trained classifier
python feature_extraction.py my_sign.jpg --top 3
python feature_extraction.py --evaluate train.p   # accuracy, and a report
python feature_extraction.py *.jpg --save-features fc7.npz --layer fc7
"""

import functools
import shlex
import sys
import time
from argparse import Namespace

import lab  # noqa: F401 (first: it says what to do where a package is missing)

# isort: split
import numpy as np

import alexnet
from lab import command_line, files, pictures, progress, runs
from lab.sources import weights_files
from lab.sources.picture_files import PictureFiles, examples


def parse(argv: list[str]) -> Namespace:
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the signs in examples/")
    add = parser.add_argument
    add("--model", metavar="FILE", help="a trained classifier, its file or its run's folder, or "
        "the word bundled: the one in trained/; or none: a fresh head (default: the newest run, "
        "else bundled)")  # fmt: skip
    add("--evaluate", metavar="DATA", help="the classifier's accuracy on a labelled set: a pickle "
        "like train.p, GTSRB's folder or zip, or the word rendered")  # fmt: skip
    add("--output", metavar="DIR", help="of the report (default: runs/evaluation-<date-time>)")
    add("--save-features", metavar="FILE.npz", help="write a layer's features of photographs")
    add("--layer", choices=alexnet.LAYERS, help="of --save-features")
    parser.add_common(alexnet.VARIANTS)
    args = parser.parse_args(argv)
    if bool(args.save_features) != bool(args.layer):
        parser.error("--save-features FILE.npz and --layer NAME go together")
    if args.evaluate and (args.save_features or args.pictures):
        parser.error("--evaluate takes a labelled set, and no pictures or features beside it")
    if args.save_features and (args.json or args.model):
        parser.error("--save-features needs no classifier, and writes no JSON")
    if args.output and not args.evaluate:
        parser.error("--output is where --evaluate's report goes: give both")
    if args.model not in (None, "none", "bundled"):
        runs.classifier_file(args.model)
    args.command = shlex.join(["feature_extraction.py", *argv])
    return args


def save_features(args: Namespace) -> None:
    """Writes one layer's features, float32 (n, ...), of photographs: their central 227x227."""
    files.check_writable(args.save_features)
    photographs = PictureFiles(args.pictures or examples(), alexnet.photograph)
    trunk, variant = weights_files.read(args.weights, args.offline), args.variant or "caffe"
    command_line.start_tensorflow()
    from lab.features import extractor

    network = alexnet.build(trunk.arrays, args.layer, variant=variant)
    centred = functools.partial(alexnet.centred, variant=variant)
    x = extractor.predict(network, photographs.prepared, centred)
    with files.atomic(args.save_features) as part, open(part, "wb") as file:
        np.savez(file, features=x, files=[*map(str, photographs.paths)], layer=args.layer)
    command_line.say(f"{args.layer}: {' x '.join(map(str, x.shape))} in {args.save_features}")
    photographs.refuse_broken()


def evaluate(args: Namespace) -> None:
    """Judges the classifier on a labelled set and writes the report."""
    from lab.sources import labelled_sets

    folder = runs.empty(args.output or runs.folder("evaluation-"))
    data = labelled_sets.read(args.evaluate, args.offline)
    facts = {"command": args.command, "device": command_line.start_tensorflow()}
    from lab import report
    from lab.sources import classifiers

    classifier, trunk, name, words = classifiers.find(args)
    command_line.say(f"classifier: {name} ({words})")
    start, told = time.perf_counter(), progress.Progress(("judging", "report"))
    result = report.evaluate(classifier, trunk, data, folder, name, facts, told)
    result["seconds"] = round(time.perf_counter() - start, 3)
    command_line.say(f"report: {folder / runs.REPORT}")
    if args.json:
        command_line.show_json(result)
    else:
        count = f"{result['images']:,} pictures of {data.source}"
        progress.show(f"Accuracy: {result['accuracy']:.4f} ({count})")


def classify(args: Namespace) -> None:
    """Names signs, and first the classifier that does it."""
    signs = PictureFiles(args.pictures or examples(), pictures.to_sign)
    command_line.start_tensorflow()
    from lab.sources import classifiers

    classifier, trunk, name, words = classifiers.find(args)
    (command_line.say if args.json else progress.show)(f"Classifier: {name} ({words})")
    start = time.perf_counter()
    # (n, 32, 32, 3) -> (n, 43)
    probabilities = classifier.probabilities(classifier.logits(np.stack(signs.prepared), trunk))
    seconds = round(time.perf_counter() - start, 3)
    answers = command_line.top(probabilities, classifier.classes, args.top, signs.paths)
    command_line.show_answers(answers, seconds, trunk.path, args.json, classifier=name)
    signs.refuse_broken()


@command_line.script
def main(argv: list[str]) -> None:
    args = parse(argv)
    task = evaluate if args.evaluate else save_features if args.save_features else classify
    task(args)


if __name__ == "__main__":
    sys.exit(main())

"""Names German traffic signs: AlexNet's features, and a 43-way head in place of its last layer.

python feature_extraction.py                      # the signs in examples/, the trained classifier
python feature_extraction.py my_sign.jpg --top 3
python feature_extraction.py --evaluate train.p   # accuracy, and a report
python feature_extraction.py *.jpg --save-features fc7.npz --layer fc7
"""

import sys
import time
from pathlib import Path

import numpy as np

from lab import command_line, files, pictures, runs, sources
from lab.data import dataset
from lab.errors import LabError


def parse(argv):
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the signs in examples/")
    add = parser.add_argument
    add("--model", metavar="FILE", help="a trained classifier, its file or its run's folder, or "
        "the word none: a fresh head (default: the newest run, else trained/)")  # fmt: skip
    add("--evaluate", metavar="DATA", help="the classifier's accuracy on a labelled set: a pickle "
        "like train.p, GTSRB's folder or zip, or the word rendered")  # fmt: skip
    add("--output", metavar="DIR", help="where --evaluate's report goes "
        "(default: runs/evaluation-<date-time>)")  # fmt: skip
    add(
        "--save-features", metavar="FILE.npz", help="write a layer's features, and classify nothing"
    )
    add("--layer", metavar="NAME", help="of --save-features: conv1, norm1, ... fc8")
    parser.add_common()
    args = parser.parse_args(argv)
    if bool(args.save_features) != bool(args.layer):
        parser.error("--save-features FILE.npz and --layer NAME go together")
    if args.evaluate and (args.save_features or args.pictures):
        parser.error("--evaluate takes a labelled set, and no pictures or features beside it")
    if args.save_features and (args.json or args.model):
        parser.error("--save-features needs no classifier, and writes no JSON")
    if args.output and not args.evaluate:
        parser.error("--output is where --evaluate's report goes: give both")
    return args


def find_classifier(args):
    """The classifier that the options name, and the weights that it stands on."""
    from lab import classifier

    if args.model == "none":
        trunk = sources.read_weights(args.weights, args.offline)
        kept = classifier.fresh(dataset.class_names(), trunk, args.variant or "caffe")
        command_line.say("classifier: a fresh head that nobody has trained: its answers are chance")
        return kept, trunk
    path = Path(args.model) if args.model else runs.newest() or sources.BUNDLED
    kept = classifier.load(path)
    if args.variant not in (None, kept.variant):
        raise LabError(
            f"{path}: expected --variant {kept.variant}, as it was trained; received {args.variant}"
        )
    accuracy = kept.notes.get("accuracy")
    command_line.say(f"classifier: {path} ({kept.layer}{f', {accuracy}' if accuracy else ''})")
    folder = path if path.is_dir() else path.parent
    return kept, sources.read_weights(args.weights, args.offline, folder, kept.notes.get("weights"))


def save_features(args, paths, images):
    """Writes one layer's features: float32 (n, ...), of pictures taken as signs."""
    import alexnet
    from lab.features import extractor

    trunk, variant = sources.read_weights(args.weights, args.offline), args.variant or "caffe"
    network = alexnet.build(trunk.arrays, args.layer, variant=variant)
    rule = pictures.old_resize if variant == "lab" else pictures.enlarge
    x = extractor.predict(network, images, lambda some: rule(some, alexnet.SIZE))
    with files.atomic(args.save_features) as part, open(part, "wb") as file:
        np.savez(file, features=x, files=np.array(list(map(str, paths))), layer=args.layer)
    command_line.say(f"{args.layer}: {' x '.join(map(str, x.shape))} in {args.save_features}")


def evaluate(args):
    """Judges the classifier on a labelled set and writes the report."""
    from lab.report import evaluations

    kept, trunk = find_classifier(args)
    data = sources.read_data(args.evaluate, args.offline)
    start = time.perf_counter()
    folder = runs.empty(args.output or runs.folder("evaluation-"))
    result = evaluations.evaluate(kept, trunk, data, folder)
    result["seconds"] = round(time.perf_counter() - start, 3)
    for notice in result.pop("notices"):
        command_line.say(notice)
    command_line.say(f"report: {folder / 'report.html'}")
    if args.json:
        command_line.print_json(result)
    else:
        print(f"Accuracy: {result['accuracy']:.4f} ({result['images']:,} pictures)")


@command_line.script
def main(argv=None):
    args = parse(argv)
    if not args.evaluate:
        paths = args.pictures or sources.examples()
        images = np.stack([pictures.to_sign(pictures.read(path)) for path in paths])
    command_line.start_tensorflow()
    if args.evaluate:
        return evaluate(args)
    if args.save_features:
        return save_features(args, paths, images)
    kept, trunk = find_classifier(args)
    start = time.perf_counter()
    probabilities = kept.probabilities(kept.answers(images, trunk)[0])
    seconds = round(time.perf_counter() - start, 3)
    command_line.print_top(
        probabilities, kept.classes, args.top, args.json, paths, trunk.path, seconds
    )


if __name__ == "__main__":
    sys.exit(main())

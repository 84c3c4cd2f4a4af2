"""Classifies photographs into ImageNet's 1000 classes with AlexNet.

python imagenet_inference.py                     # the lab's poodle.png and weasel.png
python imagenet_inference.py my_dog.jpg --top 3
"""

import sys
import time

import numpy as np

from lab import command_line, pictures, sources
from lab.downloads import fetching

DEFAULT = ("poodle.png", "weasel.png")


def parse(argv):
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the lab's poodle.png and weasel.png, downloaded once")
    parser.add_common()
    return parser.parse_args(argv)


@command_line.script
def main(argv=None):
    args = parse(argv)
    files = args.pictures or [fetching.fetch(name, offline=args.offline) for name in DEFAULT]
    photographs = np.stack([pictures.photograph(pictures.read(file)) for file in files])
    weights = sources.read_weights(args.weights, args.offline)
    command_line.start_tensorflow()
    import alexnet
    from caffe_classes import class_names
    from lab.features import extractor

    variant = args.variant or "caffe"
    network = alexnet.build(weights.arrays, variant=variant)
    start = time.perf_counter()
    # (n, 227, 227, 3) -> (n, 1000)
    probabilities = extractor.predict(
        network, photographs, lambda some: pictures.centred(some, variant)
    )
    seconds = round(time.perf_counter() - start, 3)
    command_line.print_top(
        probabilities, class_names, args.top, args.json, files, weights.path, seconds
    )


if __name__ == "__main__":
    sys.exit(main())

"""Classifies photographs into ImageNet's 1000 classes with AlexNet.

python imagenet_inference.py                     # the lab's poodle.png and weasel.png
python imagenet_inference.py my_dog.jpg --top 3
"""

from lab import beginning  # first, before any import that takes longer

if __name__ == "__main__":
    beginning.begin()

# isort: split
import sys
import time
from argparse import Namespace

import numpy as np

import alexnet
from caffe_classes import class_names
from lab import command_line, printed
from lab.downloads import PHOTOGRAPHS, fetch
from lab.sources import weights_files
from lab.sources.picture_files import PictureFiles


def parse(argv: list[str]) -> Namespace:
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the lab's poodle.png and weasel.png, downloaded once")
    parser.add_common(alexnet.VARIANTS, bundled=False)
    return parser.parse_args(argv)


@command_line.script
def main(argv: list[str]) -> None:
    args = parse(argv)
    variant = args.variant or "caffe"
    words = args.pictures or [fetch(name, offline=args.offline) for name in PHOTOGRAPHS]
    photographs = PictureFiles(words)
    images = np.stack(photographs.read(alexnet.photograph))
    weights = weights_files.load(args.weights, args.offline)
    command_line.start_tensorflow()
    from lab.features import extractor

    network = alexnet.build(weights.arrays, variant=variant)
    start = time.perf_counter()
    # (n, 227, 227, 3) -> (n, 1000)
    probabilities = extractor.predict(
        network, images, lambda batch: alexnet.centred(batch, variant)
    )
    seconds = round(time.perf_counter() - start, 3)
    answers = printed.top(probabilities, class_names, args.top, photographs.paths)
    printed.show_answers(answers, seconds, weights.path, args.json)
    photographs.refuse_broken()


if __name__ == "__main__":
    sys.exit(main())

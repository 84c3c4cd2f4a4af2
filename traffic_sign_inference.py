"""Shows what ImageNet's 1000 classes make of traffic signs, and how a sign becomes AlexNet's input.

python traffic_sign_inference.py                 # the signs in examples/
python traffic_sign_inference.py stop.jpg --variant lab
"""

from lab import beginning  # first, before any import that takes longer

if __name__ == "__main__":
    beginning.begin()

# isort: split
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np

import alexnet
from caffe_classes import class_names
from lab import command_line, pictures, printed, progress, runs
from lab.sources import weights_files
from lab.sources.picture_files import PictureFiles, examples


def parse(argv: list[str]) -> Namespace:
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the signs in examples/")
    parser.add_common(alexnet.VARIANTS, bundled=False)
    return parser.parse_args(argv)


def show_resize(shape: tuple[int, ...], small: np.ndarray, target: Path, variant: str) -> str:
    """Says how a sign of a shape is resized, and writes both sizes side by side as a picture."""
    large = pictures.to_uint8(alexnet.enlarge(small[None], variant)[0])  # (227, 227, 3)
    beside = np.full_like(large, 255)
    beside[: small.shape[0], : small.shape[1]] = small
    pictures.write_png(target, np.concatenate([beside, large], axis=1))
    steps = dict.fromkeys((shape, small.shape, large.shape))
    return f"{' -> '.join('x'.join(map(str, step)) for step in steps)}  {target}"


@command_line.script
def main(argv: list[str]) -> None:
    args = parse(argv)
    variant = args.variant or "caffe"
    words = args.pictures or examples()
    signs = PictureFiles(words)
    prepared = signs.read(lambda picture: (picture.shape, pictures.to_sign(picture)))
    weights = weights_files.load(args.weights, args.offline)
    command_line.start_tensorflow()
    from lab.features import extractor

    network = alexnet.build(weights.arrays, variant=variant)
    say = command_line.say if args.json else progress.show
    for number, (path, (shape, small)) in enumerate(zip(signs.paths, prepared, strict=True)):
        target = runs.RUNS / "resized" / f"{number}-{path.stem}.png"
        say(show_resize(shape, small, target, variant))
    images = np.stack([small for _, small in prepared])  # (n, 32, 32, 3)
    start = time.perf_counter()
    # The old lab took a sign's mean before it enlarged it: (n, 32, 32, 3) -> (n, 1000).
    probabilities = extractor.predict(
        network, images, lambda batch: alexnet.enlarge(alexnet.centred(batch, variant), variant)
    )
    seconds = round(time.perf_counter() - start, 3)
    answers = printed.top(probabilities, class_names, args.top, signs.paths)
    printed.show_answers(answers, seconds, weights.path, args.json)
    signs.refuse_broken()


if __name__ == "__main__":
    sys.exit(main())

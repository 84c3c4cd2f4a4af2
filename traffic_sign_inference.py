"""Shows what ImageNet's 1000 classes make of traffic signs, and how a sign becomes AlexNet's input.

python traffic_sign_inference.py                 # the signs in examples/
python traffic_sign_inference.py stop.jpg --variant lab
"""

import sys
import time
from pathlib import Path

import numpy as np

from lab import cli, pictures, runs


def parse(argv):
    parser = cli.Parser(__doc__)
    parser.add_pictures("the signs in examples/")
    parser.add_common()
    return parser.parse_args(argv)


def show_resize(number, file, original, small, large, say):
    """Says how a sign is resized, and keeps both sizes side by side as a picture."""
    height, width = original.shape[:2]
    steps = [f"{height}x{width}x3"] if original.shape != small.shape else []
    steps += ["x".join(map(str, small.shape)), "x".join(map(str, large.shape))]
    beside = np.full_like(large, 255)
    beside[: small.shape[0], : small.shape[1]] = small
    target = runs.RUNS / "resized" / f"{number}-{Path(file).stem}.png"
    pictures.write_png(target, np.concatenate([beside, large], axis=1))
    say(f"{' -> '.join(steps)}  {target}")


@cli.script
def main(argv=None):
    args = parse(argv)
    files = args.pictures or cli.examples()
    originals = [pictures.read(file) for file in files]
    small = np.stack([pictures.to_sign(picture) for picture in originals])  # (n, 32, 32, 3)
    variant = args.variant or "caffe"
    rule = pictures.old_resize if variant == "lab" else pictures.enlarge
    large = pictures.to_uint8(rule(small, pictures.NETWORK))  # (n, 227, 227, 3)
    weights = cli.read_weights(args.weights, args.offline)
    say = cli.say if args.json else print
    for number, (file, original) in enumerate(zip(files, originals, strict=True)):
        show_resize(number, file, original, small[number], large[number], say)
    cli.start_tensorflow()
    import alexnet
    from caffe_classes import class_names
    from lab import features

    network = alexnet.build(weights.arrays, variant=variant)
    start = time.perf_counter()
    # The old lab took a sign's mean before it enlarged it: (n, 32, 32, 3) -> (n, 227, 227, 3).
    inputs = rule(pictures.centred(small, variant), pictures.NETWORK)
    probabilities = features.predict(network, inputs)  # (n, 1000)
    seconds = round(time.perf_counter() - start, 3)
    cli.print_top(probabilities, class_names, args.top, args.json, files, weights.path, seconds)


if __name__ == "__main__":
    sys.exit(main())

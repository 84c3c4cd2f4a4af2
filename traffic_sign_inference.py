"""Shows what ImageNet's 1000 classes make of traffic signs, and how a sign becomes AlexNet's input.

python traffic_sign_inference.py                 # the signs in examples/
python traffic_sign_inference.py stop.jpg --variant lab
"""

import sys
import time
from pathlib import Path

import numpy as np

from lab import command_line, pictures, runs, sources


def parse(argv):
    parser = command_line.Parser(__doc__)
    parser.add_pictures("the signs in examples/")
    parser.add_common()
    return parser.parse_args(argv)


def show_resize(number, file, shape, small, large, say):
    """Says how a sign is resized, and keeps both sizes side by side as a picture."""
    steps = [shape] if shape != small.shape else []
    steps = " -> ".join("x".join(map(str, step)) for step in (*steps, small.shape, large.shape))
    beside = np.full_like(large, 255)
    beside[: small.shape[0], : small.shape[1]] = small
    target = runs.RUNS / "resized" / f"{number}-{Path(file).stem}.png"
    pictures.write_png(target, np.concatenate([beside, large], axis=1))
    say(f"{steps}  {target}")


@command_line.script
def main(argv=None):
    args = parse(argv)
    files, variant = args.pictures or sources.examples(), args.variant or "caffe"
    rule = pictures.old_resize if variant == "lab" else pictures.enlarge

    def enlarge(some):
        # The old lab took a sign's mean before it enlarged it: (n, 32, 32, 3) -> (n, 227, 227, 3).
        return rule(pictures.centred(some, variant), pictures.NETWORK)

    originals = (pictures.read(file) for file in files)  # one at a time: they may be large
    shapes, small = zip(*((p.shape, pictures.to_sign(p)) for p in originals), strict=True)
    weights = sources.read_weights(args.weights, args.offline)
    for number, (file, shape, sign) in enumerate(zip(files, shapes, small, strict=True)):
        large = pictures.to_uint8(rule(sign[None], pictures.NETWORK)[0])
        show_resize(number, file, shape, sign, large, command_line.say if args.json else print)
    command_line.start_tensorflow()
    import alexnet
    from caffe_classes import class_names
    from lab.features import extractor

    network = alexnet.build(weights.arrays, variant=variant)
    start = time.perf_counter()
    probabilities = extractor.predict(network, np.stack(small), enlarge)  # (n, 1000)
    seconds = round(time.perf_counter() - start, 3)
    command_line.print_top(
        probabilities, class_names, args.top, args.json, files, weights.path, seconds
    )


if __name__ == "__main__":
    sys.exit(main())

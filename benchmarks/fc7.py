"""Images per second through fc7 at batch 128 in float32, against onnxruntime on the same weights.

python benchmarks/fc7.py                  # writes benchmarks/results/fc7.json

Both get float32 pictures in memory and give float32 fc7 as a NumPy array, on the CPU with their own
choice of threads. Ours takes RGB and subtracts the mean; the ONNX graph is given BGR less the mean
ready made. The weights are random. Rounds take turns, so that whatever else the machine does
befalls all alike.
"""

import argparse
import os
import statistics
import sys
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnxruntime
import tensorflow as tf

import alexnet
from benchmarks import light_onnx
from lab import command_line, files, machine
from lab.training import whole_network

SEED = 0
SECONDS = 5  # a round's least length: in less, one hiccup of the machine is all there is to see
MOST_ERROR = 1e-4  # of fc7's largest value
OURS, THEIRS = "float32", "onnxruntime float32"


def ours(arrays, precision, pictures):
    """A function of no arguments: fc7 of the pictures by this project."""
    network = alexnet.build(arrays, "fc7", dtype=alexnet.PRECISIONS[precision])
    compiled = tf.function(lambda x: tf.cast(network(x, training=False), tf.float32))
    return lambda: compiled(tf.constant(pictures)).numpy()


def theirs(arrays, pictures):
    """The same by onnxruntime."""
    model = light_onnx.network(arrays, ["fc7"]).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = light_onnx.data(pictures, alexnet.MEAN_BGR)
    return lambda: light_onnx.run(session, x)["fc7"]


def errors_of(runners):
    """Largest difference from onnxruntime over its largest value, by runner; warms all up."""
    expected = runners[THEIRS]()
    largest = np.abs(expected).max()
    errors = {
        name: float(np.abs(run() - expected).max() / largest) for name, run in runners.items()
    }
    if not errors[OURS] <= MOST_ERROR:
        sys.exit(f"expected the same fc7 within {MOST_ERROR}; received {errors[OURS]:.1e}")
    return errors


def rate(run, batch):
    """Images per second over one round."""
    start, count = time.perf_counter(), 0
    while (seconds := time.perf_counter() - start) < SECONDS:
        run()
        count += batch
    return round(count / seconds, 1)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, others = parser.add_argument, [p for p in alexnet.PRECISIONS if p != OURS]
    add("--batch", type=command_line.positive, default=128, metavar="N", help="default: 128")
    add("--rounds", type=command_line.positive, default=5, metavar="N", help="default: 5")
    add("--precision", choices=others, default="bfloat16", help="extra row (default: bfloat16)")
    add("--output", type=Path, default=ROOT / "benchmarks/results/fc7.json", metavar="FILE")
    args = parser.parse_args(argv)

    tf.config.set_visible_devices([], "GPU")
    arrays = whole_network.random_arrays(SEED, "fc7")
    shape = (args.batch, alexnet.SIZE, alexnet.SIZE, 3)
    pictures = np.random.default_rng(SEED).uniform(0, 255, shape).astype(np.float32)
    runners = {OURS: ours(arrays, OURS, pictures), THEIRS: theirs(arrays, pictures)}
    runners[args.precision] = ours(arrays, args.precision, pictures)
    result = machine.describe() | {
        "onnxruntime": metadata.version("onnxruntime"),
        "seed": SEED,
        "batch": args.batch,
        "error_of_largest": errors_of(runners),
    }
    rates = {name: [] for name in runners}
    for _ in range(args.rounds):
        for name, run in runners.items():
            rates[name].append(rate(run, args.batch))
    medians = {name: round(statistics.median(some), 1) for name, some in rates.items()}
    ratios = {name: round(median / medians[THEIRS], 3) for name, median in medians.items()}
    for name, median in medians.items():
        print(f"{name:20} {median:7.1f} images/s, {ratios[name]:.2f} of onnxruntime's", rates[name])
    result |= {"images_per_second": rates, "median": medians, "ratio_to_onnxruntime": ratios}
    files.write_json(args.output, result)


if __name__ == "__main__":
    main()

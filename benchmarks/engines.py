"""Images per second through fc7 on a CPU: this project's paths against other engines, in turns.

    pip install -r benchmarks/requirements.txt
    python benchmarks/engines.py                 # writes benchmarks/results/engines.json

All compute the same random weights' fc7 and give it as a float32 NumPy array. `as built` is
`alexnet.build`'s network, `photographs` the fast CPU path on the same pictures of 227x227; `signs`
the fast path on pictures of 32x32; of one picture, both without Winograd's products, and the sign
is enlarged first. Others get pictures less the mean, ready made and enlarged. An engine that is not
installed, or fails, is named with its reason, and the rest go on.

A machine may change its speed by two within minutes: only figures of one round compare. Each round
has the rate of a float32 matrix product; a ratio is to the fastest other engine of its own round.
"""

import argparse
import functools
import gc
import itertools
import json
import os
import statistics
import sys
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as lab/ does, which is imported later here

import numpy as np
import tensorflow as tf

import alexnet
from benchmarks import light_onnx, peers
from lab import command_line, files, machine
from lab.features import extractor
from lab.features.fast_cpu import FastNetwork
from lab.training import whole_network

SEED, SIDE = 0, 2048  # of the random numbers; of the square matrices
PRECISIONS = ("float32", "bfloat16")
# Of fc7's largest value, from the network as built in float32. bfloat16 rounds by 2^-9 in each of
# seven layers; what is farther off is wrong.
MOST_ERROR = {"float32": 1e-3, "bfloat16": 2e-2}
GIGA = 1e9


def ours(arrays, precision, signs, photographs):
    """Name -> a function of no arguments: fc7 by this project's paths."""
    network = alexnet.build(arrays, "fc7", dtype=alexnet.PRECISIONS[precision])

    def runner(layer, pictures):
        compiled = tf.function(lambda x: tf.cast(layer(x), tf.float32))
        x = tf.constant(pictures)
        return lambda: compiled(x).numpy()

    def fast(pictures, small):
        single = len(pictures) == 1
        enlarged = small and single
        zoom = 1.0 if small and not enlarged else None
        path = FastNetwork(network, ["fc7"], zoom, single)
        first = functools.partial(extractor.enlarge, size=alexnet.SIZE) if enlarged else tf.identity
        return runner(lambda x: path(first(x))["fc7"], pictures)

    return {
        "as built": runner(lambda x: network(x, training=False), photographs),
        "photographs": fast(photographs, False),
        "signs": fast(signs, True),
    }


def product():
    """GFLOP/s of a float32 matrix product: what the machine can do at the moment."""
    square = tf.random.stateless_normal((SIDE, SIDE), (SEED, SEED))
    compiled = tf.function(lambda x: tf.matmul(x, x))
    compiled(square)
    return lambda: rate(lambda: compiled(square), 2 * SIDE**3 / GIGA, 0.5)


def rate(run, amount, seconds):
    """Amount per second, over at least so many seconds."""
    start, count = time.perf_counter(), 0
    while (took := time.perf_counter() - start) < seconds:
        run()
        count += 1
    return round(amount * count / took, 2)


def checked(makers, expected, most):
    """The runners that give what is expected; of the others, why they do not; and all errors."""
    runners, failed, errors = {}, {}, {}
    for name, make in makers.items():
        try:
            run = make()
            errors[name] = float(np.abs(run() - expected).max() / expected.max())
        except Exception as error:  # whatever an engine raises
            failed[name] = f"{type(error).__name__}: {str(error).strip()[:200]}"
            continue
        if errors[name] <= most:
            runners[name] = run
        else:
            failed[name] = f"its fc7 differs by {errors[name]:.1e} of the largest value"
    return runners, failed, errors


def cell(arrays, precision, batch, options, gemm):
    """One precision and batch: each round's rates, and our ratios to its fastest other engine."""
    generator = np.random.default_rng(SEED)
    signs = generator.integers(0, 256, (batch, 32, 32, 3), np.uint8)
    enlarged = alexnet.enlarge(signs)
    x = light_onnx.data(enlarged, alexnet.MEAN_BGR)
    own = ours(arrays, precision, signs, enlarged)
    others = {
        name: (lambda engine=engine: engine(arrays, x, precision))
        for name, engine in peers.ENGINES.items()
    }
    wanted = alexnet.build(arrays, "fc7").predict_on_batch(enlarged)
    makers = {name: (lambda run=run: run) for name, run in own.items()} | others
    runners, failed, errors = checked(makers, wanted, MOST_ERROR[precision])
    rounds = []
    for _ in range(options.rounds):
        rates = {name: rate(run, batch, options.seconds) for name, run in runners.items()}
        rounds.append({"gemm": gemm(), **rates})
    result = {"by": machine.describe(), "batch": batch, "precision": precision}
    result |= {"error_of_largest": errors}
    result |= {"failed": failed, "rounds": rounds}
    there = [name for name in others if name in runners]
    if there:
        best = [max(row[name] for name in there) for row in rounds]
        result["fastest_other"] = max(there, key=lambda n: statistics.median(r[n] for r in rounds))
        result["ratios"] = {
            name: [round(row[name] / other, 3) for row, other in zip(rounds, best, strict=True)]
            for name in own
            if name in runners
        }
    return result


def key(cell):
    """What a cell was measured with: batch, precision and the processor's instructions."""
    return cell["batch"], cell["precision"], cell["by"]["machine"]["instructions"]


def order(cell):
    """Cells by instructions and batch, float32 first."""
    batch, precision, instructions = key(cell)
    return instructions, batch, PRECISIONS.index(precision)


def installed():
    """The engines' versions."""
    found = {}
    for package in peers.PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=command_line.positive, default=5, metavar="N", help="default: 5")
    add("--batches", type=int, nargs="+", default=(1, 32, 128), metavar="N",
        help="what the file has of others, or of other instructions, stays")  # fmt: skip
    add("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    add("--seconds", type=float, default=2, metavar="S", help="of each engine in a round")
    add("--output", type=Path, default=ROOT / "benchmarks/results/engines.json", metavar="FILE")
    options = parser.parse_args()
    tf.config.set_visible_devices([], "GPU")
    arrays, gemm = whole_network.random_arrays(SEED, "fc7"), product()
    kept = json.loads(options.output.read_text())["cells"] if options.output.exists() else []
    asked = set(itertools.product(options.batches, options.precisions, [machine.instructions()]))
    kept = [part for part in kept if key(part) not in asked]
    result = machine.describe() | {"seed": SEED, "engines": installed(), "cells": kept}
    result["peers"] = list(peers.ENGINES)
    for batch in options.batches:
        for precision in options.precisions:
            part = cell(arrays, precision, batch, options, gemm)
            result["cells"] = sorted([*result["cells"], part], key=order)
            medians = {
                name: round(statistics.median(row[name] for row in part["rounds"]), 1)
                for name in part["rounds"][0]
            }
            print(precision, batch, medians, part.get("ratios"), part["failed"], flush=True)
            files.write_json(options.output, result)
            gc.collect()


if __name__ == "__main__":
    main()

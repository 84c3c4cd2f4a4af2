"""The four cases of transfer learning, measured: little or much data, near to or far from the old.

    python benchmarks/cases.py --imagenet bvlc-alexnet.npy --data train.p

Near is the sign trunk in trained/, far the ImageNet trunk. Both get the pictures of the sign
trunk's test tracks, which neither has seen; half of each class's tracks are learned from and half
are judged on. Little is ten pictures a class, much is all. Writes benchmarks/results/cases.json.
"""

import argparse
import functools
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import files, machine, runs, weights
from lab.data import CLASSES, fingerprints, folds, load
from lab.features import extractor
from lab.features.batches import batches
from lab.features.recipes import RECIPES
from lab.judging import metrics
from lab.training import learner, linear_head, plans, whole_network

LATE, EARLY = "pool5", "conv3"
FEW = 10  # pictures a class
BATCH = 32
# The fewer the pictures, the more epochs.
EPOCHS = {"small": {"head": 60, "network": 40}, "large": {"head": 20, "network": 10}}
SIZES = (131,) * 8 + (227,) * 2
# What Karpathy's CS231n notes advise ("Transfer Learning", when and how to fine-tune).
ADVICE = {
    ("similar", "small"): ("late",),
    ("similar", "large"): ("fine-tuned",),
    ("different", "small"): ("early",),
    ("different", "large"): ("fine-tuned", "scratch"),
}


def task(data, trunk):
    """The test tracks' pictures of classes with two tracks or more, and which are judged on."""
    some = data.subset(~fingerprints.seen_by(trunk, data))
    counts = [len(np.unique(some.tracks[some.labels == c])) for c in range(CLASSES)]
    some = some.subset(np.isin(some.labels, np.flatnonzero(np.array(counts) > 1)))
    return some, folds.of_tracks(some.labels, some.tracks, k=2) == 0


def few(labels, rows, seed=0):
    """Ten of the rows of each class."""
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(rows[labels[rows] == c])[:FEW] for c in np.unique(labels[rows])]
    return np.sort(np.concatenate(chosen))


@functools.cache
def frozen(trunk, layer, data):
    """Features of all pictures by one of the trunks, and the seconds that one picture took."""
    extract = extractor.Extractor(trunk.arrays, RECIPES[layer], count=len(data.images))
    start = time.perf_counter()
    x = np.concatenate([extract(some).numpy() for some in batches(data.images)])
    return x, (time.perf_counter() - start) / len(x)


def linear(data, rows, judged, trunk, layer, epochs):
    """Answers of a linear head on frozen features, and the seconds of all that it needs."""
    x, seconds = frozen(trunk, layer, data)
    start = time.perf_counter()
    head = linear_head.LinearHead(x.shape[1], CLASSES)
    for _ in range(epochs):
        head.train_epoch(x, data.labels, rows, BATCH)
    answers = head.logits(x, judged).argmax(axis=1)
    return answers, time.perf_counter() - start + seconds * (len(rows) + len(judged))


def network(data, rows, judged, trunk, kind, epochs):
    """Answers of a network that was trained as a whole, and the seconds it took."""
    start = time.perf_counter()
    plan = plans.of_kind(kind, epochs, BATCH, 0, "bfloat16", trunk, names=data.names)
    plan = replace(plan, sizes=SIZES)
    if kind == "all":  # of both trunks alike, though one of them knows dirt
        plan = replace(plan, late=None, rate=plans.KINDS["all"]["rate"])
    arrays = whole_network.start_arrays(trunk, 0)
    run = learner.Learner(arrays, data.images[rows], data.labels[rows], plan, CLASSES)
    for _ in range(epochs):
        run.train_epoch()
        run.end_epoch()
    answers = run.predict(data.images[judged], plan.recipe.size).argmax(axis=1)
    return answers, time.perf_counter() - start


def measured(data, judged, answers, seconds):
    """Accuracy by track with its interval, beside the seconds it took."""
    correct = answers == data.labels[judged]
    low, high = metrics.track_interval(correct, data.tracks[judged])
    result = {"accuracy": float(correct.mean()), "low": low, "high": high}
    return result | {"seconds": round(seconds, 1)}


def cell(data, rows, judged, trunk, size, scratch):
    """The four ways of one case; from scratch no trunk matters, so that is measured once."""
    epochs = EPOCHS[size]
    ways = {
        "late": lambda: linear(data, rows, judged, trunk, LATE, epochs["head"]),
        "early": lambda: linear(data, rows, judged, trunk, EARLY, epochs["head"]),
        "fine-tuned": lambda: network(data, rows, judged, trunk, "all", epochs["network"]),
    }
    result = {name: measured(data, judged, *way()) for name, way in ways.items()}
    if scratch is None:
        way = network(data, rows, judged, None, "scratch", epochs["network"])
        scratch = measured(data, judged, *way)
    return result | {"scratch": scratch}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--imagenet", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    options = parser.parse_args()
    trunks = {"similar": runs.BUNDLED / runs.TRUNK, "different": Path(options.imagenet)}
    trunks = {near: weights.read(path) for near, path in trunks.items()}
    data, held_out = task(load(options.data), trunks["similar"])
    judged, rest = np.flatnonzero(held_out), np.flatnonzero(~held_out)
    sizes = {"small": few(data.labels, rest), "large": rest}
    cells, scratch = [], {}
    for near, trunk in trunks.items():
        for size, rows in sizes.items():
            ways = cell(data, rows, judged, trunk, size, scratch.get(size))
            scratch[size] = ways["scratch"]
            best = max(ways, key=lambda name: ways[name]["accuracy"])
            held = best in ADVICE[near, size]
            cells.append({"near": near, "size": size, "pictures": len(rows), "ways": ways})
            cells[-1] |= {"best": best, "advice": ADVICE[near, size], "held": held}
            print(json.dumps(cells[-1]), flush=True)
    result = machine.describe() | {"seed": 0}
    result |= {"classes": len(np.unique(data.labels)), "judged_pictures": len(judged)}
    result |= {"judged_tracks": len(np.unique(data.tracks[judged])), "cells": cells}
    result["imagenet_weights"] = trunks["different"].path.name
    files.write_json(Path(__file__).parent / "results" / "cases.json", result)


if __name__ == "__main__":
    main()

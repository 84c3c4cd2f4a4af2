"""Fits the measure of novelty of the classifier in trained/ again, after its formula has changed.

    python benchmarks/remeasure.py --data train.p

As its training did: fitted to its training tracks, its threshold from the held-out ones. Head,
temperature and all else in trained/classifier.npz stay.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lab import classifier, judging, runs, weights
from lab.classifier.head import MEASURE
from lab.data import load, splits
from lab.progress import Progress
from lab.training import whole_network


def without_measure(path):
    """The classifier of a file whose measure of novelty may be one that nothing here reads."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file if not name.startswith(MEASURE)}
    described = json.loads(str(parts.pop("recipe")))
    described.pop("threshold", None)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / runs.CLASSIFIER, recipe=np.array(json.dumps(described)), **parts)
        return classifier.load(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="train.p", metavar="FILE")
    options = parser.parse_args()
    path = runs.BUNDLED / runs.CLASSIFIER
    kept, trunk = without_measure(path), weights.read(runs.BUNDLED / runs.TRUNK)
    data = load(options.data)
    split = splits.three_way(data)
    kept.novelty = whole_network.measure(kept, trunk, data.subset(split.train))
    held_out = judging.judge(kept, trunk, data, split.held_out, Progress())
    kept.novelty = kept.novelty.calibrated(held_out.distances)
    kept.save(path, np.float16)
    print(f"{path}: threshold {kept.novelty.threshold:.4f}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

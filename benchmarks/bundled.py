"""The classifier in trained/, judged: its test tracks, rendered signs, a head on rendered signs.

    python benchmarks/bundled.py --data train.p

Writes benchmarks/results/bundled.json.
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

import train_feature_extraction
from lab import classifier, files, machine, runs, sources, weights
from lab.data import dataset
from lab.drawn_signs import photographs
from lab.judging import judgement, metrics

OF_EACH = 50  # rendered pictures of each class, of which the majority decides


def on_rendered(kept, trunk):
    """How many of the 43 classes the majority of their rendered signs is named as."""
    images, labels = photographs.signs(43 * OF_EACH, seed=1)
    predicted = kept.answers(images, trunk)[0].argmax(axis=1)
    votes = metrics.confusion(labels, predicted, 43)
    wrong = np.flatnonzero(votes.argmax(axis=1) != np.arange(43))
    return 43 - len(wrong), wrong.tolist(), float(np.mean(predicted == labels))


def head_on_rendered(options):
    """Accuracy on the test tracks of a head that learned from rendered signs alone."""
    with tempfile.TemporaryDirectory() as folder:
        files.CACHE = Path(folder) / "cache"
        argv = ["--weights", "bundled", "--data", "rendered", "--test", options.data]
        argv += ["--output", str(Path(folder) / "run")]
        if train_feature_extraction.main(argv):
            sys.exit("the training failed")
        return json.loads((Path(folder) / "run/metrics.json").read_text())["test_accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="train.p", metavar="FILE")
    options = parser.parse_args()
    kept, trunk = classifier.load(sources.BUNDLED), weights.read(sources.BUNDLED / runs.TRUNK)
    judged = judgement.judge(kept, trunk, dataset.load(options.data))
    matrix = judged.evaluation().matrix
    low, high = judged.interval
    count, wrong, share = on_rendered(kept, trunk)
    pairs = [
        (kept.classes[t], kept.classes[g], n, int(matrix[t].sum()))
        for t, g, n in metrics.confused_pairs(matrix)
    ]
    result = machine.describe() | {
        "seed": 0,
        "bytes": files.folder_size(sources.BUNDLED),
        "accuracy": judgement.accuracy,
        "low": low,
        "high": high,
        "images": len(judgement.data),
        "tracks": len(np.unique(judgement.data.tracks)),
        "calibration_error": judgement.calibration_error,
        "worst_pairs": pairs,
        "rendered": count,
        "rendered_wrong": wrong,
        "rendered_accuracy": share,
        "head_on_rendered": head_on_rendered(options),
    }
    print(json.dumps(result, indent=2))
    files.write_json(ROOT / "benchmarks/results/bundled.json", result)


if __name__ == "__main__":
    main()

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
from sklearn.metrics import confusion_matrix

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import train_feature_extraction
from benchmarks import robustness
from lab import classifier, files, machine, runs, weights
from lab.data import CLASSES, load
from lab.drawn_signs import photographs
from lab.judging import judgement, metrics

OF_EACH = 50  # rendered pictures of each class, of which the majority decides
GROUNDS = {  # of signs that are white in Germany: a factor of red, green and blue
    "yellow": robustness.YELLOW,
    "orange": np.float32([1.0, 0.6, 0.1]),
    "green": np.float32([0.75, 1.0, 0.2]),  # as fluorescent signs are
    "blue": np.float32([0.6, 0.8, 1.0]),
}


def on_rendered(kept, trunk, images, labels):
    """How many of the classes the majority of their rendered signs is named as."""
    predicted = kept.logits(images, trunk).argmax(axis=1)
    votes = confusion_matrix(labels, predicted, labels=range(CLASSES))
    wrong = np.flatnonzero(votes.argmax(axis=1) != np.arange(CLASSES))
    return CLASSES - len(wrong), wrong.tolist(), float(np.mean(predicted == labels))


def on_other_grounds(kept, trunk, images, labels):
    """Of rendered signs, by the colour of their ground: accuracy, and share of sure mistakes."""
    found = {}
    for name, colour in GROUNDS.items():
        painted = np.uint8(robustness.yellow_ground(images, 5, colour) + 0.5)
        shares = kept.probabilities(kept.logits(painted, trunk))
        wrong = shares.argmax(axis=1) != labels
        sure = wrong & (shares.max(axis=1) > robustness.SURE)
        found[name] = {"accuracy": float(np.mean(~wrong)), "sure": float(np.mean(sure))}
    return found


def head_on_rendered(options):
    """Accuracy on the test tracks of a head that learned from rendered signs alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LAB_CACHE"] = str(Path(folder) / "cache")
        argv = ["--weights", "bundled", "--data", "rendered", "--test", options.data]
        argv += ["--output", str(Path(folder) / "run")]
        if train_feature_extraction.main(argv):
            sys.exit("the training failed")
        return json.loads((Path(folder) / "run/metrics.json").read_text())["test_accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="train.p", metavar="FILE")
    options = parser.parse_args()
    kept, trunk = classifier.load(runs.BUNDLED), weights.read(runs.BUNDLED / runs.TRUNK)
    judged = judgement.judge(kept, trunk, load(options.data))
    matrix = judged.matrix
    low, high = judged.interval
    rendered = photographs.signs(CLASSES * OF_EACH, seed=1)
    count, wrong, share = on_rendered(kept, trunk, *rendered)
    pairs = [
        (kept.classes[t], kept.classes[g], n, int(matrix[t].sum()))
        for t, g, n in metrics.confused_pairs(matrix)
    ]
    result = machine.describe() | {
        "seed": 0,
        "bytes": sum(file.stat().st_size for file in runs.BUNDLED.iterdir()),
        "accuracy": judged.accuracy,
        "low": low,
        "high": high,
        "images": len(judged.data),
        "tracks": len(np.unique(judged.data.tracks)),
        "calibration_error": judged.calibration_error,
        "worst_pairs": pairs,
        "rendered": count,
        "rendered_wrong": wrong,
        "rendered_accuracy": share,
        "grounds": on_other_grounds(kept, trunk, *rendered),
        "head_on_rendered": head_on_rendered(options),
    }
    print(json.dumps(result, indent=2))
    files.write_json(ROOT / "benchmarks/results/bundled.json", result)


if __name__ == "__main__":
    main()

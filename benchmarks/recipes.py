"""What a linear head on frozen AlexNet can do, recipe by recipe: five folds by track, and random.

    python benchmarks/recipes.py --weights bvlc-alexnet.npy --data train.p

Each fold holds out a fifth of each class's tracks. The interval is by bootstrap over all tracks,
each judged by the head that had not seen it. Then the best recipe, one ingredient changed a row.
Writes benchmarks/results/recipes.json, anew after each row.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import special

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lab import files, machine, weights
from lab.data import CLASSES, folds, load, splits
from lab.features.recipes import RECIPES
from lab.judging import metrics
from lab.progress import Progress
from lab.training import frozen_heads

FOLDS = 5
ROWS = ("pool5", "conv4", "conv3+conv4", "best")
BEST = RECIPES["best"]
ABLATION = {
    "without even contrast": replace(BEST, contrast=False),
    "without whitening": replace(BEST, whiten=None),
    "whitened by the total covariance": replace(BEST, whiten="total"),
    "ten epochs of Adam for whitening and L-BFGS": replace(BEST, components=None),
    "conv4 alone": replace(BEST, layers=("conv4",)),
}


def by_track(x, data, settings):
    """Accuracy in each fold, and each picture's logits by the head that had not seen its track."""
    fold = folds.of_tracks(data.labels, data.tracks, FOLDS)
    logits, accuracies = np.zeros((len(data), CLASSES), np.float32), []
    for k in range(FOLDS):
        rows, held_out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        head, _ = frozen_heads.fit(x, data, rows, settings)
        logits[held_out] = head.logits(x, held_out)
        right = logits[held_out].argmax(axis=1) == data.labels[held_out]
        accuracies.append(float(np.mean(right)))
        print(f"  fold {k}: {accuracies[-1]:.4f}", flush=True)
    return accuracies, logits


def random(x, data, settings):
    """Accuracy on the lab's random split."""
    split = splits.random(data)
    rows, held_out = split.train, split.held_out
    head, _ = frozen_heads.fit(x, data, rows, settings)
    return float(np.mean(head.logits(x, held_out).argmax(axis=1) == data.labels[held_out]))


def calibration(logits, data):
    """Expected calibration error by track, before and after the temperature of the other folds."""
    fold, cooled = folds.of_tracks(data.labels, data.tracks, FOLDS), logits.copy()
    for k in range(FOLDS):
        others = fold != k
        cooled[fold == k] /= metrics.fit_temperature(logits[others], data.labels[others])
    before, after = (
        metrics.expected_calibration_error(special.softmax(z, axis=1), data.labels)
        for z in (logits, cooled)
    )
    return {"before": before, "after": after}


def row(recipe, data, trunk, whole=True):
    """All that is measured of one recipe; not whole: without the random split."""
    settings = frozen_heads.Settings(recipe)
    start = time.perf_counter()
    x, took = frozen_heads.features_of(data, trunk, settings, Progress())
    accuracies, logits = by_track(x, data, settings)
    right = logits.argmax(axis=1) == data.labels
    low, high = metrics.track_interval(right, data.tracks)
    result = {"accuracy": float(right.mean()), "folds": accuracies, "low": low, "high": high}
    result |= {"random_split": random(x, data, settings)} if whole else {}
    result |= {"feature_seconds": took["feature_seconds"], "width": x.shape[1]}
    result |= {"calibration_error": calibration(logits, data)}
    return result | {"seconds": round(time.perf_counter() - start, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    options = parser.parse_args()
    data, trunk = load(options.data), weights.read(options.weights)
    result = machine.describe() | {"seed": 0, "weights": trunk.path.name, "rows": {}}
    result["tracks"] = len(np.unique(data.tracks))
    for name, recipe in ({name: RECIPES[name] for name in ROWS} | ABLATION).items():
        print(name, flush=True)
        result["rows"][name] = row(recipe, data, trunk, whole=name in ROWS)
        print(json.dumps(result["rows"][name]), flush=True)
        files.write_json(ROOT / "benchmarks/results/recipes.json", result)


if __name__ == "__main__":
    main()

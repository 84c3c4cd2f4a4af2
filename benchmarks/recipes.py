"""What a linear head on frozen AlexNet can do, recipe by recipe: five folds by track, and random.

    python benchmarks/recipes.py --weights bvlc-alexnet.npy --data train.p

Each fold holds out a fifth of each class's tracks. The interval is by bootstrap over all tracks,
each judged by the head that had not seen it. Then the best recipe without its parts.
Writes benchmarks/results/recipes.json, anew after each row; rows that are not named stay.
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

TARGET = ROOT / "benchmarks/results/recipes.json"
FOLDS = 5
ROWS = ("pool5", "conv4", "conv3+conv4", "best")
BEST = RECIPES["best"]
WHOLE = replace(BEST, zoom=1.0)
ABLATION = {
    "without zoom": WHOLE,
    "without zoom and even contrast": replace(WHOLE, contrast=False),
    "without zoom and whitening": replace(WHOLE, whiten=None),
    "without zoom, whitened by the total covariance": replace(WHOLE, whiten="total"),
    "without zoom, ten epochs of Adam for whitening and L-BFGS": replace(WHOLE, components=None),
    "without zoom, conv4 alone": replace(WHOLE, layers=("conv4",)),
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
    names = {name: RECIPES[name] for name in ROWS} | ABLATION
    parser.add_argument("--rows", nargs="+", choices=names, default=names, help="to measure")
    options = parser.parse_args()
    data, trunk = load(options.data), weights.read(options.weights)
    known = json.loads(TARGET.read_text())["rows"] if TARGET.exists() else {}
    result = machine.describe() | {"seed": 0, "weights": trunk.path.name, "rows": known}
    result["tracks"] = len(np.unique(data.tracks))
    for name in options.rows:
        print(name, flush=True)
        measured = row(names[name], data, trunk, whole=name in ROWS)
        known[name] = measured | {"date": result["date"]}
        result["rows"] = {name: known[name] for name in names if name in known}
        print(json.dumps(known[name]), flush=True)
        files.write_json(TARGET, result)


if __name__ == "__main__":
    main()

"""What each ingredient of `--train scratch` brings: one short training a row, all judged alike.

    python benchmarks/ablation.py --data train.p                      # every row of ROWS
    python benchmarks/ablation.py "even contrast" "zoom" --seed 1     # these

A row learns from every third frame of training tracks for eight epochs at 99 pixels, and is judged
on other training tracks, clean and changed in eight ways. The test tracks of trained/ are never
touched. Writes benchmarks/results/ablation.json, anew after each row. Between one seed and another
lie 0.02: a difference below 0.03 says nothing about the clean pictures.
"""

import argparse
import io
import json
import os
import shlex
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage, special

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import alexnet
from lab import files, machine
from lab.data import CLASSES, classes, folds, load, splits
from lab.judging import metrics
from lab.training import learner, plans, whole_network

TARGET = ROOT / "benchmarks/results/ablation.json"
HELD_OUT = (0, 3, 6)  # folds of ten: fold 0, which a training holds out, is too few to tell rows by
BEFORE = plans.Plan(
    8, 128, 0, "bfloat16", 1e-3, (99,), alexnet.PICTURE_SCALE, contrast=False, ranges=plans.MOVED
)


def moved(**ranges):
    """A change to what random copies differ in, besides move, light and blur."""
    return {"ranges": replace(plans.MOVED, **ranges)}


MIRRORS = classes.mirror_images(classes.class_names())
EVERYTHING = {"contrast": True, "batch_size": 64, "ranges": plans.SIGNS}
ROWS = {
    "as before": {},
    "even contrast": {"contrast": True},
    "64 pictures a step": {"batch_size": 64},
    "even contrast, 64 pictures a step": {"contrast": True, "batch_size": 64},
    "colour": moved(gains=0.2, saturation=0.5, hue=0.25, grey=0.05),
    "ground 0.3": moved(ground=0.3),
    "dirt 0.3": moved(motion=0.3, noise=0.3, jpeg=0.3),
    "half the rate": {"rate": 5e-4},
    "no dropout": {"dropout": 0.0},
    "zoom 0.7": {"zoom": 0.7},
    "everything but the zoom": EVERYTHING,
    "everything, zoom 0.7": EVERYTHING | {"zoom": 0.7},
    "everything, zoom 0.8": EVERYTHING | {"zoom": 0.8},
    "everything, zoom 0.6": EVERYTHING | {"zoom": 0.6},
    "everything, zoom 0.7, mirror images": EVERYTHING | {"zoom": 0.7, "mirrors": MIRRORS},
    "everything, zoom 0.7, more dirt": EVERYTHING | {"zoom": 0.7, "ranges": plans.HARD},
    "everything, zoom 0.7, more dirt in half of the later steps": EVERYTHING
    | {"zoom": 0.7, "late": plans.HARD},
}


def parts(data):
    """Rows to learn from, every third frame of 732 tracks, and rows of the other 318 to judge."""
    split = splits.three_way(data, 0)
    rest = np.sort(np.concatenate([split.train, split.held_out]))
    fold = folds.of_tracks(data.labels[rest], data.tracks[rest], k=10, seed=1)
    judged = np.isin(fold, HELD_OUT)
    first = np.flatnonzero(np.diff(data.tracks, prepend=-1))  # of each track
    frame = np.arange(len(data)) - np.repeat(first, np.diff([*first, len(data)]))
    return (part[frame[part] % 3 == 0] for part in (rest[~judged], rest[judged]))


def changed(images, seed=0):
    """What light, cameras and other countries do to signs: name -> uint8 (n, 32, 32, 3).

    In NumPy and Pillow, apart from the training's own copies, which no row may be judged by.
    """
    x, rng = images.astype(np.float32), np.random.default_rng(seed)
    hsv = np.stack([np.asarray(Image.fromarray(image).convert("HSV")) for image in images])
    lightest = np.percentile(hsv[:, 6:26, 6:26, 2], 95, axis=(1, 2))[:, None, None] + 1
    at = np.arange(32) - 15.5
    ground = (
        (hsv[..., 2] > 0.6 * lightest) & (hsv[..., 1] < 90) & (np.hypot(at[:, None], at) < 14.5)
    )
    mean = x.mean(axis=(1, 2), keepdims=True)
    results = {
        "blur": ndimage.gaussian_filter(x, (0, 1.6, 1.6, 0)),
        "noise": x + rng.normal(0, 25, x.shape),
        "dark": 0.3 * x,
        "bright": 2.2 * x + 20,
        "low contrast": 0.3 * (x - mean) + 110,
        "yellow ground": np.where(ground[..., None], x * np.float32([1.0, 0.82, 0.15]), x),
    }
    results = {name: np.clip(y + 0.5, 0, 255).astype(np.uint8) for name, y in results.items()}
    hsv[..., 0] += 28  # of 256: 40 degrees, red becomes orange
    results["hue"] = np.stack([np.asarray(Image.fromarray(i, "HSV").convert("RGB")) for i in hsv])
    return results | {"JPEG": np.stack([compressed(image) for image in images])}


def compressed(image):
    """A picture after JPEG of quality 12."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=12)
    return np.asarray(Image.open(buffer).convert("RGB"))


def trained(plan, data, rows):
    """A network after all its epochs."""
    arrays = whole_network.random_arrays(plan.seed, "conv5")
    run = learner.Learner(arrays, data.images[rows], data.labels[rows], plan, CLASSES)
    for _ in range(plan.epochs):
        loss = run.train_epoch()
        run.end_epoch()
        print(f"  epoch {run.epoch}: loss {loss:.3f}", flush=True)
    return run


def judged(run, data, rows):
    """The figures of a row."""
    labels, size = data.labels[rows], run.plan.sizes[-1]
    logits = run.predict(data.images[rows], size)
    right = logits.argmax(axis=1) == labels
    low, high = metrics.track_interval(right, data.tracks[rows])
    logits = logits / metrics.fit_temperature(logits, labels)
    loss = -special.log_softmax(logits, axis=1)[np.arange(len(rows)), labels].mean()
    half = rows[::2]
    accuracies = {
        name: float(np.mean(run.predict(images, size).argmax(axis=1) == data.labels[half]))
        for name, images in changed(data.images[half]).items()
    }
    figures = {"accuracy": float(right.mean()), "low": low, "high": high, "loss": float(loss)}
    figures |= {"changed": accuracies, "changed_mean": float(np.mean([*accuracies.values()]))}
    return figures | {"tracks": len(np.unique(data.tracks[rows]))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"expected rows among {', '.join(ROWS)}; received {', '.join(unknown)}")
    data = load(options.data)
    learned, held_out = parts(data)
    known = json.loads(TARGET.read_text())["rows"] if TARGET.exists() else []
    for name in options.rows or ROWS:
        print(name, flush=True)
        start, plan = time.perf_counter(), replace(BEFORE, seed=options.seed, **ROWS[name])
        run = trained(plan, data, learned)
        row = {"name": name, "seed": options.seed, "pictures": len(learned)}
        row |= {"plan": asdict(plan)} | judged(run, data, held_out)
        row |= {"seconds": round(time.perf_counter() - start, 1)}
        words = ["python", "benchmarks/ablation.py", name, f"--seed={options.seed}"]
        row["by"] = machine.describe() | {"command": shlex.join(words)}
        print(json.dumps({key: row[key] for key in ("accuracy", "loss", "changed_mean")}))
        others = [old for old in known if (old["name"], old["seed"]) != (name, options.seed)]
        known = [*others, row]
        files.write_json(TARGET, {"rows": known})


if __name__ == "__main__":
    main()

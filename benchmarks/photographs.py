"""Photographs in folders, one for each class: accuracy in five folds, speed and memory.

    python benchmarks/photographs.py --weights bvlc-alexnet.npy --data trashnet

Accuracy of heads on frozen features, cross-validated as train_feature_extraction.py does it, and of
the whole network, fine-tuned once for each fold; intervals by bootstrap over pictures. The rates of
the network alone, of decoding alone (one core) and of both together, in turns. The peak memory of a
training on 1,000 and on 20,000 photographs: the set's own, moved by some pixels, so that none is
another's copy. The time from three folders of 30 pictures to classifier and report.
Writes benchmarks/results/photographs.json, anew after each part; of the accuracies, what is not in
it yet.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from PIL import Image

from lab import files, machine, weights
from lab.data import load, splits
from lab.features import RECIPES, extractor, recipes
from lab.features.batches import BATCH, batches
from lab.judging import metrics
from lab.progress import Progress
from lab.training import plans
from lab.training.frozen_heads import Settings
from lab.training.on_features import HeadTraining
from lab.training.whole_network import NetworkTraining

TARGET = ROOT / "benchmarks/results/photographs.json"
ROWS = ("pool5", "conv4", "best", "photographs")
NETWORK = {"epochs": 8, "batch_size": 32, "seed": 0, "precision": "bfloat16"}
SIZES = (1_000, 20_000)  # photographs, of the memory's rows
FEW, CLASSES = 30, 3  # pictures a class, of the small set


def cross_validated(data, trunk, name):
    """Accuracy of a recipe's head in five folds."""
    start = time.perf_counter()
    training = HeadTraining(
        Settings(recipes.named(name, data.crop)), "folds", data, trunk, Progress()
    )
    trained = training.run(Path())
    judgement = trained.judgement
    return of(judgement.correct, data) | {
        "features_per_second": trained.measured["images_per_second"],
        "seconds": round(time.perf_counter() - start, 1),
    }


def of(correct, data):
    """Accuracy and its interval."""
    low, high = metrics.track_interval(correct, data.tracks)
    return {"accuracy": float(np.mean(correct)), "low": low, "high": high}


def fine_tuned(data, trunk, folder):
    """Accuracy of the whole network, trained without each fold in turn."""
    start = time.perf_counter()
    correct, fold = np.zeros(len(data), bool), splits.by_name(data, "folds", 0).fold
    for k in np.unique(fold):
        training = NetworkTraining(
            "all",
            plans.of_kind("all", **NETWORK, start=trunk, crop=data.crop, names=data.names),
            "random",
            data,
            trunk,
            Progress(),
        )
        # What the split holds out is a tenth of the other folds: the test part is this fold.
        rest = np.flatnonzero(fold != k)
        held = splits.by_name(data.subset(rest), "folds", 1).fold == 0
        training.split = splits.Split(
            rest[~held], rest[held], np.flatnonzero(fold == k), training.split.name
        )
        judgement = training.run(folder / str(k)).judgement
        correct[fold == k] = judgement.correct
        print(f"  fold {k}: {judgement.accuracy:.4f}", flush=True)
    return of(correct, data) | {"seconds": round(time.perf_counter() - start, 1)} | NETWORK


def rates(data, trunk, layer="conv4", rounds=3):
    """Pictures a second: network alone, decoding alone, and both, in turns."""
    found = {"network": [], "decoding, one core": [], "both": []}
    part = data.subset(np.arange(min(len(data), 2_000)))
    how = {"count": len(part), "side": part.images.shape[1]}
    extract = extractor.Extractor(trunk.arrays, RECIPES[layer], **how)
    some, last = part.images[:BATCH], part.images[: len(part) % BATCH or BATCH]
    extract(some), extract(last)  # each size is compiled
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(4):
            extract(some).numpy()
        found["network"].append(4 * BATCH / (time.perf_counter() - start))
        start = time.perf_counter()
        for row in range(0, len(part), 4):
            part.images[row]
        found["decoding, one core"].append(len(part) / 4 / (time.perf_counter() - start))
        start = time.perf_counter()
        for batch in batches(part.images):
            extract(batch).numpy()
        found["both"].append(len(part) / (time.perf_counter() - start))
    return {name: float(np.median(values)) for name, values in found.items()}


def moved(data, count, folder):
    """A folder of `count` different photographs: the set's, moved and cut by some pixels."""
    names = [data.files[i] for i in np.random.default_rng(0).permutation(len(data))]
    labels = {name: data.names[label] for name, label in zip(data.files, data.labels, strict=True)}
    for number in range(count):
        name, turn = names[number % len(names)], number // len(names)
        target = folder / labels[name] / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(name) as image:
            width, height = image.size
            image.crop((turn, turn, width - turn, height)).save(target, quality=90)


def trained(data, options, folder, *more):
    """Seconds of a training by the script, from command to prompt, and its metrics."""
    command = [sys.executable, str(ROOT / "train_feature_extraction.py"), "--data", str(data)]
    command += ["--weights", options.weights, "--output", str(folder / "run"), *more]
    own = os.environ | {"LAB_CACHE": str(folder / "cache")}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=own)
    seconds = time.perf_counter() - start
    return round(seconds, 1), json.loads((folder / "run/metrics.json").read_text())


def memory(data, options):
    """Peak memory in MiB at each number of photographs."""
    found = {}
    for count in SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            moved(data, count, folder / "data")
            more = ("--layer", "pool5", "--split", "random", "--epochs", "2")
            seconds, measured = trained(folder / "data", options, folder, *more)
            found[str(count)] = {"mib": measured["peak_rss_mib"], "seconds": seconds}
    return found


def small(data, options):
    """Three folders of 30 pictures: accuracy, and seconds from command to prompt."""
    rows = [np.flatnonzero(data.labels == label)[:FEW] for label in range(CLASSES)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        moved(data.subset(np.concatenate(rows)), FEW * CLASSES, folder / "data")
        seconds, measured = trained(folder / "data", options, folder)
    keys = ("layer", "images", "accuracy_interval")
    accuracy = measured["epochs"][-1]["validation_accuracy"]
    return {key: measured[key] for key in keys} | {"accuracy": accuracy, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="trashnet", metavar="FOLDER")
    parts = ("rates", "accuracy", "small", "memory", "network")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="what to measure")
    options = parser.parse_args()
    data, trunk = load(options.data), weights.read(options.weights)
    result = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    # Parts of an earlier run that did not name it keep its command, which this one's replaces.
    earlier = {key: result[key] for key in machine.describe() if key in result}
    by = {part: earlier for part in parts if part in result} | result.get("by", {})
    result |= machine.describe() | {"seed": 0, "weights": trunk.path.name}
    result |= {"images": len(data), "classes": data.names, "by": by}
    for part in options.parts:
        print(part, flush=True)
        if part == "rates":
            result[part] = rates(data, trunk)
        elif part == "accuracy":
            known = result.get(part, {})
            rows = {name: cross_validated(data, trunk, name) for name in ROWS if name not in known}
            result[part] = known | rows
        elif part == "network":
            with tempfile.TemporaryDirectory() as temporary:
                result[part] = fine_tuned(data, trunk, Path(temporary))
        else:
            result[part] = {"small": small, "memory": memory}[part](data, options)
        print(json.dumps(result[part]), flush=True)
        result["by"][part] = machine.describe()
        files.write_json(TARGET, result)


if __name__ == "__main__":
    main()

"""`--train all` on the traffic signs, by several seeds: accuracy on the same test tracks.

    python benchmarks/fine_tuning.py --weights bvlc-alexnet.npy --data train.p --keep FOLDER

What `train_feature_extraction.py --train all --split track` does with these epochs, batch and
precision; but the seed chooses copies, order and dropout alone, the split is that of seed 0, as for
trained/. Writes benchmarks/results/fine_tuning.json, anew after each seed; seeds in it stay. With
--keep, a seed's classifier and trunk go to FOLDER/seed-N, and an interrupted seed goes on there.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lab import files, machine, runs, weights
from lab.data import load, splits
from lab.progress import Progress
from lab.training import plans
from lab.training.whole_network import NetworkTraining

TARGET = ROOT / "benchmarks/results/fine_tuning.json"
PLAN = {"epochs": 10, "batch_size": 32, "precision": "bfloat16"}


def trained(seed, data, start, folder):
    """One training: its accuracy on the test tracks, and what it took."""
    began = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    plan = plans.of_kind("all", **PLAN, seed=seed, start=start, names=data.names)
    training = NetworkTraining("all", plan, "track", data, start, Progress())
    training.split = splits.three_way(data)
    result = training.run(folder, lambda epoch: print(json.dumps(epoch), flush=True))
    result.saved.save(folder / runs.CLASSIFIER)
    judged = result.judgement
    return {
        "accuracy": judged.accuracy,
        "interval": judged.interval,
        "calibration_error": judged.calibration_error,
        "validation_accuracy": result.measured["validation_accuracy"],
        "images": len(judged.data),
        "tracks": len(np.unique(judged.data.tracks)),
        "peak_mib": machine.peak_rss_mib(),
        "seconds": round(time.perf_counter() - began, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2), metavar="N")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the classifiers go")
    options = parser.parse_args()
    data, start = load(options.data), weights.read(options.weights)
    known = json.loads(TARGET.read_text())["seeds"] if TARGET.exists() else {}
    result = machine.describe() | {"seed": list(options.seeds), "weights": start.path.name}
    result |= {"plan": PLAN, "seeds": known}
    for seed in options.seeds:
        if str(seed) not in known:
            with tempfile.TemporaryDirectory() as temporary:
                folder = (options.keep or Path(temporary)) / f"seed-{seed}"
                known[str(seed)] = trained(seed, data, start, folder)
            print(seed, json.dumps(known[str(seed)]), flush=True)
            result["seed"] = sorted(map(int, known))
            files.write_json(TARGET, result)


if __name__ == "__main__":
    main()

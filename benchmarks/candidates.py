"""Which training is to be in trained/: by validation tracks alone, as they are and changed.

    python benchmarks/candidates.py --data train.p "in trained/=trained" "36 epochs=runs/NAME"

Each is a folder with the trunk and the classifier of a `--train scratch --split track` of seed 0,
or of a `--train all` of that split from such a trunk.
The validation tracks are those that such a training holds out for its learning curve; changed are
they as in benchmarks/ablation.py, in eight ways. The test tracks are not looked at. Chosen is what
has the highest mean of both accuracies. Writes benchmarks/results/candidates.json.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.ablation import changed
from lab import classifier, files, machine, runs, weights
from lab.data import load, splits


def judged(folder, data, rows):
    """Accuracy on the pictures as they are, by change, and the means."""
    kept, trunk = classifier.load(folder), weights.read(Path(folder) / runs.TRUNK)
    images, labels = data.images[rows], data.labels[rows]

    def accuracy(these):
        return float(np.mean(kept.logits(these, trunk).argmax(axis=1) == labels))

    by_change = {name: accuracy(these) for name, these in changed(images).items()}
    clean, mean = accuracy(images), float(np.mean([*by_change.values()]))
    return {"clean": clean, "changed": by_change, "changed_mean": mean, "both": (clean + mean) / 2}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="train.p", metavar="FILE")
    parser.add_argument("candidates", nargs="+", metavar="NAME=FOLDER", help="finished runs")
    options = parser.parse_args()
    data = load(options.data)
    split = splits.three_way(data)
    result = machine.describe() | {"seed": 0, "images": len(split.held_out)}
    result |= {"tracks": len(np.unique(data.tracks[split.held_out])), "rows": {}}
    pairs = [each.split("=", 1) for each in options.candidates]
    names = " ".join(f"'{name}={Path(folder).name}'" for name, folder in pairs)
    result["command"] = f"python benchmarks/candidates.py --data {data.source_name} {names}"
    for name, folder in pairs:
        result["rows"][name] = judged(folder, data, split.held_out)
        print(name, json.dumps(result["rows"][name]), flush=True)
    rows = result["rows"]
    result["chosen"] = max(rows, key=lambda name: rows[name]["both"])
    files.write_json(ROOT / "benchmarks/results/candidates.json", result)


if __name__ == "__main__":
    main()

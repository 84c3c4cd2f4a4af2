"""The whole job, from command to prompt: train.p's 39,209 signs, frozen features, ten epochs.

    python benchmarks/job.py --weights bvlc-alexnet.npy --data train.p

Runs train_feature_extraction.py as a person does, in float32 and in bfloat16: first both with an
empty cache, then both with the features kept. The bare network's rate, in float32 on pictures
already in memory and enlarged, is measured before and after. Writes benchmarks/results/job.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lab import files, machine

PRECISIONS = ("float32", "bfloat16")
KEYS = ("images_per_second", "feature_seconds", "peak_rss_mib", "validation_accuracy", "seed")
# In a process of its own, as the job is: images per second of the network alone.
BARE = """
import sys, time
sys.path.insert(0, {root!r})
import numpy as np, tensorflow as tf, alexnet
from lab import weights
network = alexnet.build(weights.read({weights!r}).arrays, {layer!r})
run = tf.function(lambda x: network(x, training=False))
x = tf.constant(np.random.default_rng(0).uniform(0, 255, (128, 227, 227, 3)).astype(np.float32))
run(x), run(x)
start, count = time.perf_counter(), 0
while time.perf_counter() - start < 20:
    run(x)
    count += 128
print(count / (time.perf_counter() - start))
"""


def bare(options):
    """Images per second of the network alone, as far as the layer."""
    code = BARE.format(root=str(ROOT), weights=options.weights, layer=options.layer)
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def job(options, precision, cache, folder):
    """Seconds from command to prompt, and the run's metrics."""
    command = [sys.executable, str(ROOT / "train_feature_extraction.py")]
    command += ["--weights", options.weights, "--data", options.data]
    command += ["--layer", options.layer, "--precision", precision, "--output", str(folder)]
    own = os.environ | {"LAB_CACHE": str(cache)}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=own)
    seconds = time.perf_counter() - start
    return round(seconds, 1), json.loads((folder / "metrics.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    parser.add_argument("--layer", default="conv4", metavar="NAME")
    options = parser.parse_args()
    rows = {precision: {} for precision in PRECISIONS}
    with tempfile.TemporaryDirectory() as temporary:
        folder, rates = Path(temporary), [bare(options)]
        for turn in ("cold", "again"):
            for precision, row in rows.items():
                target = folder / turn / precision
                row[f"{turn}_seconds"], metrics = job(options, precision, folder / "cache", target)
                if turn == "cold":
                    row |= {key: metrics[key] for key in KEYS}
                    row["ratio_to_bare"] = metrics["images_per_second"]
                row["again_computed_features"] = metrics["feature_seconds"] is not None
        rates.append(bare(options))
    for row in rows.values():
        row["ratio_to_bare"] = round(row["ratio_to_bare"] / (sum(rates) / 2), 3)
    result = machine.describe() | {"layer": options.layer, "weights": Path(options.weights).name}
    result |= {"seed": rows["float32"].pop("seed"), "rows": rows}
    result["bare_images_per_second"] = [round(rate, 1) for rate in rates]
    result["cold_ratio"] = round(
        rows["bfloat16"]["cold_seconds"] / rows["float32"]["cold_seconds"], 3
    )
    print(json.dumps(result, indent=2))
    files.write_json(ROOT / "benchmarks/results/job.json", result)


if __name__ == "__main__":
    main()

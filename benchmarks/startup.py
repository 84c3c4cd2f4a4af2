"""Seconds of imagenet_inference.py on two pictures, against those that it cannot do without.

    python benchmarks/startup.py              # writes benchmarks/results/startup.json

The bare minimum is `import tensorflow` and one read of the weights file. Both run as commands, in
turns, of random weights. Writes benchmarks/results/startup.json.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lab import command_line, files, machine
from lab.training import whole_network

SEED = 0
PICTURES = ("stop.png", "yield.png")
BARE = "import sys, tensorflow; open(sys.argv[1], 'rb').read()"


def seconds(command):
    """From command to prompt."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return round(time.perf_counter() - start, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=command_line.positive, default=5, metavar="N", help="default: 5")
    options = parser.parse_args()
    script = [sys.executable, str(ROOT / "imagenet_inference.py")]
    script += [str(ROOT / "examples" / name) for name in PICTURES]
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.npy"
        arrays = whole_network.random_arrays(SEED, "prob")
        np.save(weights, np.array({name: list(pair) for name, pair in arrays.items()}, object))
        size = weights.stat().st_size
        for _ in range(options.rounds):
            bare = seconds([sys.executable, "-c", BARE, str(weights)])
            rounds.append({"bare": bare, "script": seconds([*script, "--weights", str(weights)])})
            print(rounds[-1], flush=True)
    ratios = [round(row["script"] / row["bare"], 3) for row in rounds]
    result = machine.describe() | {"seed": SEED, "weights_bytes": size, "rounds": rounds}
    result |= {"ratio": statistics.median(ratios), "ratios": ratios}
    print(result["ratio"], ratios)
    files.write_json(ROOT / "benchmarks/results/startup.json", result)


if __name__ == "__main__":
    main()

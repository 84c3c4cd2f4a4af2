"""Peak memory of an extraction, from 10,000 signs to 160,000: train.p's, repeated.

    python benchmarks/memory.py --weights bvlc-alexnet.npy --data train.p

Each number of signs is a process of its own, with an empty cache. A repeated sign is the same one
in memory: what is seen to grow is the extraction's own. Pictures are enlarged to 99 pixels instead
of 227, a fifth of the work. Writes benchmarks/results/memory.json, anew after each number.
"""

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lab import files, machine, weights
from lab.data import load
from lab.features import RECIPES, cache, devices, extractor
from lab.workers import ALONE

COUNTS, SIZE = (10_000, 40_000, 160_000), 99


class Repeated:
    """Pictures over and over, `count` in all."""

    def __init__(self, images, count):
        self._images, self._count = images, count
        self.shape = (count, *images.shape[1:])

    def __len__(self):
        return self._count

    def __getitem__(self, rows):
        return self._images[np.arange(self._count)[rows] % len(self._images)]


def extract(options, count):
    """Extracts so many signs' features: peak memory in MiB, and pictures a second."""
    data, trunk = load(options.data), weights.read(options.weights)
    recipe = replace(RECIPES[options.layer], size=SIZE)
    how = recipe, "caffe", options.precision
    build = functools.partial(extractor.Extractor, trunk.arrays, *how, count)
    _, measured = cache.compute(
        Repeated(data.images, count),
        functools.partial(devices.OnAllDevices, build, ALONE.devices),
        cache.key(f"{count} signs", trunk.sha256, *how),
        recipe.width,
    )
    return {"mib": machine.peak_rss_mib(), "rate": round(measured["images_per_second"], 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    add("--data", default="train.p", metavar="FILE")
    add("--layer", default="conv4", metavar="NAME")
    add("--precision", default="float32", metavar="TYPE")
    add("--counts", type=int, nargs="+", default=COUNTS, metavar="N")
    options = parser.parse_args()
    if len(options.counts) == 1:
        print(json.dumps(extract(options, options.counts[0])))
        return
    result = machine.describe() | {"seed": 0, "layer": options.layer, "size": SIZE, "rows": {}}
    result |= {"precision": options.precision, "weights": Path(options.weights).name}
    for count in options.counts:
        command = [sys.executable, __file__, "--weights", options.weights, "--data", options.data]
        command += ["--layer", options.layer, "--precision", options.precision]
        with tempfile.TemporaryDirectory() as folder:
            own = os.environ | {"LAB_CACHE": folder}
            command += ["--counts", str(count)]
            done = subprocess.run(command, env=own, check=True, stdout=subprocess.PIPE, text=True)
        result["rows"][str(count)] = json.loads(done.stdout.splitlines()[-1])
        print(count, result["rows"][str(count)], flush=True)
        peaks = [row["mib"] for row in result["rows"].values()]
        result["growth"] = round(peaks[-1] / peaks[0] - 1, 3)
        files.write_json(ROOT / "benchmarks/results/memory.json", result)


if __name__ == "__main__":
    main()

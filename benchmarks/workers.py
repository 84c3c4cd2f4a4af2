"""Two workers with a core each against one with one core: features, and training of all layers.

python benchmarks/workers.py --weights bvlc-alexnet.npy    # writes benchmarks/results/workers.json

In each round worker 0 works alone, while the other waits, then both do: whatever else the machine
does befalls both alike. The signs are noise. Needs Linux' taskset.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lab import command_line, files, machine, weights, workers

PICTURES, STEPS, BATCH, WARM, SEED = 1_536, 3, 128, 1, 0


def measured(crew, options):
    """Pictures/s: of features as far as conv4, to the disk; and of training all layers."""
    from lab.data.dataset import Dataset
    from lab.features import RECIPES
    from lab.training import frozen_heads, learner, plans, whole_network

    trunk = weights.read(options.weights)
    images = np.random.default_rng(SEED).integers(0, 256, (PICTURES, 32, 32, 3), np.uint8)
    data = Dataset(images, np.arange(PICTURES) % 43)
    settings = frozen_heads.Settings(RECIPES["conv4"])
    _, took = frozen_heads.features_of(data, trunk, settings, workers=crew)

    plan = plans.of_kind("all", 1, BATCH, SEED, "float32", trunk)
    rows = slice((WARM + STEPS) * BATCH)
    arrays = whole_network.start_arrays(trunk, SEED)
    network = learner.Learner(arrays, images[rows], data.labels[rows], plan, 43, None, crew)
    seconds = []
    network.train_epoch(advance=lambda: seconds.append(network.seconds))
    rate = STEPS * BATCH / (seconds[-1] - seconds[WARM - 1])
    return {"features": round(took["images_per_second"], 1), "all layers": round(rate, 1)}


def run_worker(options):
    """One of two workers; the chief prints each round: itself alone, then both."""
    folder, alone = os.environ["LAB_CACHE"], workers.Workers()
    with workers.joined() as crew:
        vars(alone)["devices"] = crew.devices  # TensorFlow lists the other worker's, too
        for i in range(options.rounds):
            os.environ["LAB_CACHE"] = f"{folder}/{i}"  # no round finds another's features
            one = measured(alone, options) if crew.chief else None
            crew.summed(np.zeros(1, np.float32))
            two = measured(crew, options)
            if crew.chief:
                ratio = {name: round(two[name] / one[name], 3) for name in one}
                print(json.dumps({"one": one, "two": two, "ratio": ratio}), flush=True)


def rounds(options):
    """What two workers with a core each measured, a dict a round."""
    named = []
    for _ in range(2):
        with socket.create_server(("localhost", 0)) as server:
            named.append(f"localhost:{server.getsockname()[1]}")
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for index in range(2):
            task = {"cluster": {"worker": named}, "task": {"type": "worker", "index": index}}
            own = os.environ | {"LAB_CACHE": f"{folder}/{index}", "TF_CONFIG": json.dumps(task)}
            command = ["taskset", "-c", str(index), sys.executable, __file__, "--worker"]
            command += ["--weights", options.weights, "--rounds", str(options.rounds)]
            running.append(subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True))
        rows = []
        for line in running[0].stdout:
            print(line, end="", flush=True)
            rows.append(json.loads(line))
        statuses = [process.wait() for process in running]
    if any(statuses):
        sys.exit(f"a worker failed, statuses {statuses}")
    return rows


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    add("--rounds", type=command_line.positive, default=3, metavar="N", help="default: 3")
    add("--worker", action="store_true", help="what this program starts itself with")
    add("--output", type=Path, default=ROOT / "benchmarks/results/workers.json", metavar="FILE")
    options = parser.parse_args(argv)
    if options.worker:
        return run_worker(options)
    result = machine.describe() | {"seed": SEED, "batch": BATCH, "pictures": PICTURES}
    result |= {"weights": Path(options.weights).name, "rounds": rounds(options)}
    names = result["rounds"][0]["ratio"]
    result["ratio"] = {
        n: statistics.median(row["ratio"][n] for row in result["rounds"]) for n in names
    }
    files.write_json(options.output, result)


if __name__ == "__main__":
    main()

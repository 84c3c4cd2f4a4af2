"""Two workers with a core each against one with one core: features, and training of all layers.

python benchmarks/workers.py --weights bvlc-alexnet.npy    # writes benchmarks/results/workers.json

In each round worker 0 works alone, while the other waits, then both do. Rates by the wall mean
something on a machine that does nothing else; those by the seconds that a worker's core computed
leave out what else it did, but also any waiting for the other worker. The signs are noise. Needs
Linux' taskset.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lab import command_line, files, machine, weights, workers

PICTURES, STEPS, BATCH, WARM, SEED = 1_536, 3, 128, 1, 0


def clocks():
    """Seconds by the wall, and by this process's use of its core."""
    return np.array([time.perf_counter(), time.process_time()])


def features(crew, trunk, images):
    """Seconds, of both kinds, that this worker's share of the features to conv4 takes."""
    from lab.features import RECIPES, extractor
    from lab.features.batches import batches

    run = extractor.Extractor(trunk.arrays, RECIPES["conv4"], count=len(images))
    run(images[:BATCH])  # compiles
    start = clocks()
    for batch in batches(images[crew.share(len(images))]):
        np.asarray(run(batch))
    return clocks() - start


def all_layers(crew, trunk, images):
    """The same of `STEPS` steps of training all layers."""
    from lab.data import class_names
    from lab.training import learner, plans, whole_network

    plan = plans.of_kind("all", 1, BATCH, SEED, "float32", trunk, names=class_names())
    rows, arrays = slice((WARM + STEPS) * BATCH), whole_network.start_arrays(trunk, SEED)
    labels = np.arange(rows.stop) % 43
    network, times = learner.Learner(arrays, images[rows], labels, plan, 43, None, crew), []
    network.train_epoch(advance=lambda: times.append(clocks()))
    return times[-1] - times[WARM - 1]


def measured(crew, trunk, images):
    """Pictures a second by the slowest worker's wall, and by the busiest one's core."""
    rates = {}
    jobs = ((features, len(images)), (all_layers, STEPS * BATCH))
    for job, count in jobs:
        table = np.zeros((crew.count, 2), np.float32)
        table[crew.index] = job(crew, trunk, images)
        wall, core = crew.summed(table).max(axis=0)
        name = job.__name__.replace("_", " ")
        rates |= {name: count / float(wall), f"{name}, core": count / float(core)}
    return {name: round(rate, 1) for name, rate in rates.items()}


def run_worker(options):
    """One of two workers; the chief prints each round: itself alone, then both."""
    alone, trunk = workers.Workers(), weights.read(options.weights)
    images = np.random.default_rng(SEED).integers(0, 256, (PICTURES, 32, 32, 3), np.uint8)
    with workers.joined() as crew:
        vars(alone)["devices"] = crew.devices  # TensorFlow lists the other worker's, too
        for _ in range(options.rounds):
            one = measured(alone, trunk, images) if crew.chief else None
            crew.summed(np.zeros(1, np.float32))
            two = measured(crew, trunk, images)
            if crew.chief:
                ratio = {name: round(two[name] / one[name], 3) for name in one}
                print(json.dumps({"one": one, "two": two, "ratio": ratio}), flush=True)


def rounds(options):
    """What two workers with a core each measured, a dict a round."""
    named = []
    for _ in range(2):
        with socket.create_server(("localhost", 0)) as server:
            named.append(f"localhost:{server.getsockname()[1]}")
    running = []
    for index in range(2):
        task = {"cluster": {"worker": named}, "task": {"type": "worker", "index": index}}
        own = os.environ | {"TF_CONFIG": json.dumps(task)}
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

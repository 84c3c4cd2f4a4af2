"""The figures of finished runs, out of their metrics.json, for the README.

    python benchmarks/runs.py runs/ONE runs/ANOTHER

Adds them to benchmarks/results/runs.json, or puts them there anew; a run is known by its command.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lab import files, machine, runs

TARGET = ROOT / "benchmarks/results/runs.json"
KEYS = ("layer", "train", "split", "validation_accuracy", "test_tracks_accuracy", "seed")
KEYS += ("accuracy_interval", "calibration_error", "images_per_second", "total_seconds")
KEYS += ("peak_rss_mib", "epochs", "versions")


def command(folder):
    """The run's command line: all its options, files by their names alone."""
    words = runs.words(json.loads((folder / runs.OPTIONS).read_text()))
    names = [word if word.startswith("-") else Path(word).name for word in words]
    return " ".join(["python train_feature_extraction.py", *names])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="finished runs")
    options = parser.parse_args()
    known = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    origin = {name: machine.describe()[name] for name in ("date", "machine")}
    for folder in options.folders:
        metrics = json.loads((folder / runs.METRICS).read_text())
        known[command(folder)] = {key: metrics.get(key) for key in KEYS} | origin
    files.write_json(TARGET, known)


if __name__ == "__main__":
    main()

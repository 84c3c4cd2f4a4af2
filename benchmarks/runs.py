"""The figures of finished runs, out of their metrics.json, for the README.

    python benchmarks/runs.py runs/ONE runs/ANOTHER

Adds them to benchmarks/results/runs.json, or puts them there anew; a run is known by its command.
"""

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
    """The run's command line, files by their names alone, without where its output went."""
    words = json.loads((folder / runs.OPTIONS).read_text())["arguments"]
    if "--output" in words:
        place = words.index("--output")
        words = words[:place] + words[place + 2 :]
    names = [word if word.startswith("-") else Path(word).name for word in words]
    return " ".join(["python train_feature_extraction.py", *(n for n in names if n != "--offline")])


def main():
    if len(sys.argv) < 2:
        sys.exit("expected the folders of finished runs")
    known = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    origin = {name: machine.describe()[name] for name in ("date", "machine")}
    for folder in map(Path, sys.argv[1:]):
        metrics = json.loads((folder / runs.METRICS).read_text())
        known[command(folder)] = {key: metrics.get(key) for key in KEYS} | origin
    files.write_json(TARGET, known)


if __name__ == "__main__":
    main()

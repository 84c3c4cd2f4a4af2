"""The results files, and how their figures are written: origins, intervals, Markdown tables."""

import json
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks/results"


class NotMeasured(Exception):
    """What the benchmark of this name has not written yet."""


def load(name):
    """A results file."""
    file = FOLDER / f"{name}.json"
    if not file.exists():
        raise NotMeasured(name)
    return json.loads(file.read_text(encoding="utf-8"))


def machine(run):
    """What a run was measured on."""
    found = run["machine"]
    if isinstance(found, str):  # fuzz.json, which needs no TensorFlow
        return found
    parts = [found["processor"], found.get("instructions"), f"{found['cores']} cores"]
    parts.append(f"TensorFlow {run['versions']['tensorflow']}")
    return ", ".join(part for part in parts if part)


def command(run):
    """A run's command, and its seed."""
    seeds = run.get("seed", [])
    seeds = seeds if isinstance(seeds, list) else [seeds]
    several = "s" * (len(seeds) > 1)
    words = f", seed{several} {', '.join(map(str, seeds))}" if seeds else ""
    return f"`{run['command']}`{words}"


def origin(run):
    """Where figures come from: command, seed, machine, date."""
    return f"{command(run)}; {machine(run)}, {run['date']}."


def runs_of(result, parts):
    """The run of each part; a part without a `by` of its own is the last's."""
    return [result | part.get("by", {}) for part in parts]


def origins(result, parts):
    """Where figures of several runs come from."""
    return " ".join(sorted({origin(run) for run in runs_of(result, parts)}))


def interval(row, digits=3):
    """An accuracy, and its interval in brackets."""
    low, high = row["interval"] if "interval" in row else (row["low"], row["high"])
    return f"{row['accuracy']:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def middle(values):
    """The median, and in brackets the least and the most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""Accuracy under each change of benchmarks/robustness.py, by strength: docs/robustness.png."""

import hashlib
import json
from pathlib import Path

from matplotlib import pyplot
from PIL import Image

from lab import files

PICTURE = Path(__file__).resolve().parent.parent / "docs/robustness.png"


def draw(rows):
    """One small plot a change: accuracy by strength, a line a classifier."""
    names = list(next(iter(rows.values()))["changes"])
    figure, all_axes = pyplot.subplots(4, 5, figsize=(11, 7.5), sharex=True, sharey=True)
    for axes, name in zip(all_axes.flat, names, strict=False):
        for title, row in rows.items():
            values = [row["clean"], *row["changes"][name]]
            axes.plot([each["accuracy"] for each in values], marker=".", label=title)
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_ylim(0, 1.02)
        axes.grid(alpha=0.3)
    for axes in all_axes.flat[len(names) :]:
        axes.axis("off")
    handles, titles = all_axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="lower right", bbox_to_anchor=(0.98, 0.06))
    figure.supxlabel("strength (0: as photographed)")
    figure.supylabel("accuracy")
    figure.tight_layout()
    with files.atomic(PICTURE) as part:
        figure.savefig(part, dpi=100, metadata={"Description": _fingerprint(rows)})


def stale(rows):
    """Whether the picture is missing, or of other figures."""
    if not PICTURE.exists():
        return True
    with Image.open(PICTURE) as picture:
        return picture.text.get("Description") != _fingerprint(rows)


def _fingerprint(rows):
    """A hash of the figures and of whose they are."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()

"""Writes the figures of benchmarks/results into README.md, docs/ and trained/README.md.

    python benchmarks/readme.py            # rewrites what stands between the markers
    python benchmarks/readme.py --check    # status 1 where a file says something else

docs/robustness.png is drawn again where it shows other figures.

Markers are comments, `<!-- results: NAME -->` and `<!-- end -->`; NAME is a function in TABLES. Of
what was not measured yet, it says so.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import corruption_plots, scale
from benchmarks.tables import accuracy, damage, overview, results, speed, strangers
from benchmarks.tables.results import NotMeasured

FILES = tuple(
    ROOT / name for name in ("README.md", "docs/results.md", "docs/scale.md", "trained/README.md")
)
BLOCK = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.S)
TABLES = (
    overview.overview,
    accuracy.recipes,
    accuracy.fine_tuning,
    accuracy.cases,
    accuracy.bundled,
    accuracy.candidates,
    accuracy.resize_rule,
    accuracy.ablation,
    strangers.photographs,
    strangers.unknown,
    strangers.unknown_best,
    strangers.robustness,
    strangers.corruptions,
    speed.job,
    speed.memory,
    speed.engines,
    speed.startup,
    speed.workers,
    damage.fuzz,
    damage.kills,
    scale.gpus,
    scale.billion,
    scale.training,
)
BLOCKS = {function.__name__: function for function in TABLES}


def block(name):
    """What stands between the markers of this name."""
    try:
        return BLOCKS[name]()
    except NotMeasured as missing:
        return f"Not measured yet: `python benchmarks/{missing}.py`."


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="rewrite nothing; status 1 if stale")
    options, stale = parser.parse_args(argv), False
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda found: f"{found[1]}{block(found[2])}\n{found[3]}", text)
        if new != text and options.check:
            stale = True
            print(f"{file.relative_to(ROOT)}: its figures are not those of benchmarks/results")
        elif new != text:
            file.write_text(new, encoding="utf-8")
    rows = results.load("robustness")["rows"]
    if corruption_plots.stale(rows) and options.check:
        stale = True
        print("docs/robustness.png: its figures are not those of benchmarks/results")
    elif corruption_plots.stale(rows):
        corruption_plots.draw(rows)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())

"""Writes the figures of the results files into README.md and trained/README.md.

    python benchmarks/readme.py            # rewrites what stands between the markers
    python benchmarks/readme.py --check    # status 1 where a file says something else

Markers are comments, `<!-- results: NAME -->` and `<!-- end -->`; NAME is a function below.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/results"
FILES = (ROOT / "README.md", ROOT / "trained/README.md")
BLOCK = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- end -->)", re.S)


def load(name):
    """A results file."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def origin(result):
    """Where figures come from: command, seed, weights, machine, date."""
    cores = result["machine"]["cores"]
    weights = f", weights {result['weights']}" if "weights" in result else ""
    return (
        f"`{result['command']}`, seed {result['seed']}{weights}; {result['machine']['processor']}, "
        f"{cores} cores, TensorFlow {result['versions']['tensorflow']}, {result['date']}."
    )


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def recipes():
    """Frozen features: random split, five folds by track, calibration."""
    result = load("recipes")
    rows = [
        (
            name,
            f"{row['random_split']:.3f}",
            f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            " ".join(f"{fold:.3f}" for fold in row["folds"]),
            f"{row['calibration_error']['before']:.3f}, {row['calibration_error']['after']:.3f}",
        )
        for name, row in result["rows"].items()
    ]
    head = ("features", "random split", "by track (95%)", "each fold", "calibration error")
    return f"{table(head, rows)}\n\n{origin(result)}"


def speed():
    """The whole job, and the network against onnxruntime."""
    job, fc7 = load("job"), load("fc7")
    medians, ratios = fc7["median"], fc7["ratio_to_onnxruntime"]
    rows = [
        (f"the whole job, {job['layer']}, command to prompt", f"{job['cold_seconds']:.0f} s"),
        ("the same with the features kept", f"{job['again_seconds']:.0f} s"),
        (
            "features, against the bare network",
            f"{job['images_per_second']:.0f} images/s, {100 * job['ratio_to_bare']:.0f}%",
        ),
        ("peak memory", f"{job['peak_rss_mib'] / 1024:.2f} GiB"),
    ]
    for name, median in medians.items():
        against = f", {ratios[name]:.2f} times onnxruntime" if "onnx" not in name else ""
        rows.append(
            (f"through fc7, batch {fc7['batch']}, {name}", f"{median:.0f} images/s{against}")
        )
    return f"{table(('what', 'measured'), rows)}\n\n{origin(job)}\n{origin(fc7)}"


def cases():
    """The four cases."""
    result, ways = load("cases"), ("late", "early", "fine-tuned", "scratch")
    names = ("linear, late (pool5)", "linear, early (conv3)", "fine-tuned", "from scratch")
    rows = []
    for cell in result["cells"]:
        measured = []
        for way in ways:
            w = cell["ways"][way]
            text = f"{w['accuracy']:.3f} ({w['low']:.3f} to {w['high']:.3f}), {w['seconds']:.0f} s"
            measured.append(f"**{text}**" if way == cell["best"] else text)
        advised = " or ".join(names[ways.index(way)] for way in cell["advice"])
        verdict = f"{advised}: {'held' if cell['held'] else 'did not hold'}"
        data = f"{cell['size']} ({cell['pictures']:,}), {cell['near']}"
        rows.append((data, *measured, verdict))
    words = f"Judged on {result['judged_pictures']:,} pictures of {result['judged_tracks']} signs "
    words += f"of {result['classes']} classes. ImageNet trunk: {result['imagenet_weights']}. "
    return f"{table(('new data', *names, 'textbook'), rows)}\n\n{words}{origin(result)}"


def bundled():
    """The classifier in trained/."""
    result = load("bundled")
    pairs = "; ".join(f"{t} named {g}, {n} of {of}" for t, g, n, of in result["worst_pairs"][:5])
    rows = [
        ("size in the repository", f"{result['bytes'] / 2**20:.2f} MiB"),
        (
            f"accuracy on its {result['tracks']} test tracks ({result['images']:,} pictures)",
            f"{result['accuracy']:.4f} (95%: {result['low']:.4f} to {result['high']:.4f})",
        ),
        (
            "expected calibration error, before and after the temperature",
            f"{result['calibration_error']['before']:.4f}, "
            f"{result['calibration_error']['after']:.4f}",
        ),
        ("rendered signs, which it never saw: classes named right", f"{result['rendered']} of 43"),
        ("a new head trained on rendered signs alone, on the same test tracks",
         f"{result['head_on_rendered']:.4f}"),
        ("most confused", pairs),
    ]  # fmt: skip
    return f"{table(('what', 'measured'), rows)}\n\n{origin(result)}"


def finetuned():
    """Fine-tuning everything from the ImageNet weights."""
    r = load("finetuned")
    steps = ", ".join(f"{e['validation_accuracy']:.4f}" for e in r["epochs"])
    return (
        f"**{r['accuracy']:.4f}** (95%: {r['low']:.4f} to {r['high']:.4f}) on the "
        f"test tracks after {len(r['epochs'])} epochs (validation: {steps}), {r['minutes']:.0f} "
        f"minutes.\n\n{origin(r)}"
    )


BLOCKS = {f.__name__: f for f in (recipes, speed, cases, bundled, finetuned)}


def main():
    stale = False
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)
        if new != text and "--check" in sys.argv[1:]:
            stale = True
            print(f"{file.name}: its figures are not those of benchmarks/results")
        elif new != text:
            file.write_text(new, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())

"""Writes the figures of the results files into README.md and trained/README.md.

    python benchmarks/readme.py            # rewrites what stands between the markers
    python benchmarks/readme.py --check    # status 1 where a file says something else

Markers are comments, `<!-- results: NAME -->` and `<!-- end -->`; NAME is a function below.
"""

import argparse
import json
import re
import statistics
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


def origins(result, parts):
    """Where figures of several runs come from; a part without a `by` of its own is the last's."""
    return " ".join(sorted({origin(result | part.get("by", {})) for part in parts}))


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def recipes():
    """Frozen features: random split, five folds by track, calibration."""
    result = load("recipes")
    rows = [
        (
            f"best, {name}" if name.startswith("without") else name,
            f"{row['random_split']:.4f}" if "random_split" in row else "",
            f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            " ".join(f"{fold:.3f}" for fold in row["folds"]),
            f"{row['calibration_error']['before']:.3f}, {row['calibration_error']['after']:.3f}",
        )
        for name, row in result["rows"].items()
    ]
    head = ("features", "random split", "by track (95%)", "each fold", "calibration error")
    new = [name for name, row in result["rows"].items() if row["date"] == result["date"]]
    older = sorted({row["date"] for row in result["rows"].values()} - {result["date"]})
    words = (
        f" {', '.join(new)}; the other rows {', '.join(older)}, by earlier code." if older else ""
    )
    return f"{table(head, rows)}\n\n{origin(result)}{words}"


def fine_tuning():
    """--train all on the traffic signs, a row a seed."""
    result = load("fine_tuning")
    rows = [
        (
            seed,
            f"{row['accuracy']:.4f} ({row['interval'][0]:.4f} to {row['interval'][1]:.4f})",
            f"{row['calibration_error']['before']:.4f}, {row['calibration_error']['after']:.4f}",
            f"{row['seconds']:.0f}",
            f"{row['peak_mib'] / 1024:.2f}",
        )
        for seed, row in result["seeds"].items()
    ]
    head = ("seed", "accuracy (95%)", "calibration error before, after", "s", "GiB")
    first, plan = next(iter(result["seeds"].values())), result["plan"]
    words = f"{first['images']:,} pictures of {first['tracks']} tracks. As `--train all --epochs "
    words += f"{plan['epochs']} --batch-size {plan['batch_size']} --precision {plan['precision']} "
    return f"{table(head, rows)}\n\n{words}--split track`, by {origin(result)}"


def robustness():
    """Under corruptions and other light: accuracy, calibration, sure mistakes."""
    result = load("robustness")
    rows = [
        (
            name,
            *(
                f"{part['accuracy']:.3f}, {part['calibration_error']:.3f}, "
                f"{part['wrong_and_sure']:.1%}"
                for part in (row["clean"], row["mean"], row["own_mean"])
            ),
        )
        for name, row in result["rows"].items()
    ]
    head = ("classifier", "as photographed", "15 corruptions", "ground, hue, light")
    words = f"{result['images']} pictures of {result['tracks']} tracks."
    return f"{table(head, rows)}\n\n{words} {origins(result, result['rows'].values())}"


def engines():
    """Through fc7, against other engines; ratios are to the fastest of them in the same round."""
    result, rows, missing = load("engines"), [], {}
    for cell in result["cells"]:
        others = [name for name in cell["rounds"][0] if name in result["peers"]]
        cells = (_against(cell, name) for name in ("as built", "photographs", "signs"))
        best = " ".join(f"{name} {_median(cell, name):.0f};" for name in others).rstrip(";")
        rows.append((f"{cell['precision']}, {cell['batch']}", *cells, best))
        missing |= {f"{name} in {cell['precision']}": why for name, why in cell["failed"].items()}
    missing = {name: why.removeprefix("NotImplementedError: ") for name, why in missing.items()}
    head = ("type, batch", "as built", "photographs", "signs", "others")
    rates = [row["gemm"] for cell in result["cells"] for row in cell["rounds"]]
    words = f"float32 matrix product {min(rates):.0f} to {max(rates):.0f} GFLOP/s meanwhile. "
    words += f"Not measured: {'; '.join(f'{name} ({why})' for name, why in missing.items())}. "
    versions = ", ".join(f"{name} {version}" for name, version in result["engines"].items())
    return f"{table(head, rows)}\n\n{words}{versions}. {origins(result, result['cells'])}"


def _median(cell, name):
    return statistics.median(row[name] for row in cell["rounds"])


def _against(cell, name):
    if name not in cell["rounds"][0]:
        return "–"
    ratios = cell.get("ratios", {}).get(name)
    each = f" ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
    middle = f", {statistics.median(ratios):.2f}" if ratios else ""
    return f"{_median(cell, name):.0f}{middle}{each}"


def startup():
    """imagenet_inference.py against what no such script can do without."""
    result = load("startup")
    bare, script = (
        statistics.median(row[name] for row in result["rounds"]) for name in ("bare", "script")
    )
    words = f"`imagenet_inference.py` on two pictures: {script:.1f} s from command to prompt; "
    words += f"`import tensorflow` and one read of the weights {bare:.1f} s. The ratio of each "
    ratios = " ".join(f"{ratio:.2f}" for ratio in result["ratios"])
    return f"{words}round: {ratios}. {origin(result)}"


def job():
    """The whole job, from command to prompt, in each precision."""
    result = load("job")
    bare, rows = sum(result["bare_images_per_second"]) / 2, result["rows"].values()
    measured = (
        ("accuracy, random split", lambda row: f"{row['validation_accuracy']:.4f}"),
        ("from command to prompt, no features stored", lambda row: f"{row['cold_seconds']:.0f} s"),
        ("of which features", lambda row: f"{row['feature_seconds']:.0f} s"),
        ("once more, features stored", lambda row: f"{row['again_seconds']:.0f} s"),
        ("features, pictures/s", lambda row: f"{row['images_per_second']:.0f}"),
        ("of the bare network's in float32", lambda row: f"{row['ratio_to_bare']:.1%}"),
        ("peak memory", lambda row: f"{row['peak_rss_mib'] / 1024:.2f} GiB"),
    )
    head = (f"`--layer {result['layer']}`, ten epochs", *result["rows"])
    words = f"The bare network: {bare:.0f} pictures/s. Features count from the first picture read "
    words += "to the last one on disk. bfloat16 takes "
    words += f"{result['cold_ratio']:.2f} of float32's time without stored features."
    cells = [(name, *(text(row) for row in rows)) for name, text in measured]
    return f"{table(head, cells)}\n\n{words} {origin(result)}"


def memory():
    """Peak memory of an extraction by the number of signs."""
    result = load("memory")
    peaks = ", ".join(
        f"{row['mib'] / 1024:.2f} GiB for {int(count):,}" for count, row in result["rows"].items()
    )
    words = f"Peak memory of an extraction to {result['layer']}, of signs enlarged to "
    return f"{words}{result['size']} pixels: {peaks} signs. {origin(result)}"


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
        ("rendered signs, which it never saw: classes, by majority of 50",
         f"{result['rendered']} of 43"),
        ("a new head trained on rendered signs alone, on the same test tracks",
         f"{result['head_on_rendered']:.4f}"),
        ("most confused", pairs),
    ]  # fmt: skip
    return f"{table(('what', 'measured'), rows)}\n\n{origin(result)}"


def unknown():
    """Measures of novelty: classes left out, pictures without a sign; and what passes."""
    result = load("unknown")
    order = [name for name in ("best", "conv4", "pool5", "trained/") if name in result["rows"]]
    found = [result["rows"][name] for name in order]
    rows = [
        (measure, *(_of_unknown(row["measures"].get(measure)) for row in found))
        for measure in found[0]["measures"]
    ]
    away = [row["turned_away"].values() for row in found]
    cells = ("; ".join(f"{share['mean']:.0%}" for share in row) for row in away)
    rows.append(("turned away at the threshold that is saved", *cells))
    passed = "; ".join(
        f"{name} {row['passed']['mean']:.2%} "
        f"({' '.join(f'{share:.2%}' for share in row['passed']['each'])})"
        for name, row in zip(order, found, strict=True)
    )
    passed += f"; the classifier in trained/ as it is {result['bundled']['passed']:.2%}"
    words = f"Known pictures on further tracks that pass the threshold, in each draw: {passed}. "
    scenery, others = result["bundled"]["turned_away"]
    words += f"That classifier turns away {scenery:.0%} of the scenery, {others:.0%} of the "
    words += "photographs."
    return f"{table(('measure', *order), rows)}\n\n{words}\n\n{origins(result, found)}"


def _of_unknown(row):
    """Classes left out, scenery, photographs: AUROC and, in brackets, accepted unknown ones."""
    if row is None:  # measured before there was this measure
        return "–"
    cells = []
    for kind in ("classes left out", "rendered scenery", "photographs"):
        auroc, accepted = row[kind]["auroc"], row[kind]["false_acceptances"]["mean"]
        spread = f" ± {auroc['deviation']:.3f}" if kind == "classes left out" else ""
        cells.append(f"{auroc['mean']:.3f}{spread} ({accepted:.0%})")
    return "; ".join(cells)


def photographs():
    """Your own classes: accuracy, speed and memory; parts that were not measured are left out."""
    result = load("photographs")
    rows = [
        (_own(name, row), _with_interval(row), _rate(row), f"{row['seconds']:.0f}")
        for name, row in (result.get("accuracy", {}) | {"network": result.get("network")}).items()
        if row
    ]
    head = ("features", "accuracy (95%)", "pictures/s", "s")
    parts = (_small, _memory, _rates)
    words = [part(result[name]) for part in parts if (name := part.__name__[1:]) in result]
    note = f"{result['images']:,} photographs. {' '.join(words)}".strip()
    runs = ({"by": by} for by in result.get("by", {}).values())
    return f"{table(head, rows)}\n\n{note} {origins(result, [{}, *runs])}"


def _own(name, row):
    if name != "network":
        return name
    return f"the whole network, {row['epochs']} epochs, batch {row['batch_size']}"


def _with_interval(row):
    return f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def _rate(row):
    return f"{row['features_per_second']:.0f}" if "features_per_second" in row else "–"


def _small(part):
    low, high = part["accuracy_interval"]
    return (
        f"Three folders, {part['images']} pictures in all: from command to prompt "
        f"{part['seconds']:.0f} s, accuracy {part['accuracy']:.2f} ({low:.2f} to {high:.2f})."
    )


def _memory(part):
    return (
        "Peak memory of a training on pool5: "
        + ", ".join(
            f"{row['mib'] / 1024:.2f} GiB with {int(count):,} photographs"
            for count, row in part.items()
        )
        + "."
    )


def _rates(part):
    slower = min(("network", "decoding, one core"), key=part.get)
    return (
        f"Pictures a second to conv4: the network alone {part['network']:.0f}, decoding alone on "
        f"one core {part['decoding, one core']:.0f}, both at once {part['both']:.0f}, "
        f"{part['both'] / part[slower]:.0%} of the slower."
    )


def resize_rule():
    """The rules that bring a sign to 32x32, on rendered signs of all sizes."""
    result = load("resize_rule")
    judges = {"trained/": "`trained/` (95%)", "conv4": "conv4 head (95%)"}
    rows = [
        (
            rule,
            *(
                f"{row['accuracy']:.4f} ({row['low']:.3f} to {row['high']:.3f})"
                for row in (result[judge]["all"][rule] for judge in judges)
            ),
        )
        for rule in result["trained/"]["all"]
    ]
    note = f"Rendered signs of 15 to 250 pixels, {result['pictures']:,} pictures."
    return f"{table(('rule', *judges.values()), rows)}\n\n{note} {origin(result)}"


def ablation():
    """What each ingredient of --train scratch brings."""
    found = load("ablation")["rows"]
    rows = [
        (
            row["name"],
            str(row["seed"]),
            f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
            f"{row['loss']:.2f}",
            f"{row['changed_mean']:.3f}",
            f"{row['changed']['yellow ground']:.3f}",
        )
        for row in sorted(found, key=lambda row: row["accuracy"])
    ]
    head = (
        "training",
        "seed",
        "other tracks (95%)",
        "loss",
        "changed in eight ways",
        "yellow ground",
    )
    origins = (
        f"{''.join(row['by']['command'].partition('.py')[:2])}, {row['by']['date']}, "
        f"cores: {row['by']['machine']['cores']}"
        for row in found
    )
    first = found[0]
    note = f"{first['pictures']:,} pictures, judged on {first['tracks']} tracks. "
    return f"{table(head, rows)}\n\n{note}By {'; by '.join(dict.fromkeys(origins))}."


TABLES = (
    recipes,
    photographs,
    unknown,
    fine_tuning,
    robustness,
    job,
    memory,
    engines,
    startup,
    cases,
    bundled,
    resize_rule,
    ablation,
)
BLOCKS = {function.__name__: function for function in TABLES}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="rewrite nothing; status 1 if stale")
    options, stale = parser.parse_args(), False
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)
        if new != text and options.check:
            stale = True
            print(f"{file.name}: its figures are not those of benchmarks/results")
        elif new != text:
            file.write_text(new, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())

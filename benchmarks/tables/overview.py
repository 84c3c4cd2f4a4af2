"""The README's one table of all main figures, each with the command that measured it."""

import statistics

from benchmarks.tables import damage, speed, strangers
from benchmarks.tables.accuracy import run_of_recipe
from benchmarks.tables.results import (
    NotMeasured,
    command,
    interval,
    load,
    machine,
    middle,
    runs_of,
    table,
)

BATCHES = (1, 128)


def overview():
    """Rows of every part that was measured; under them, numbered, the runs they are from."""
    rows, runs = [], {}
    for title, parts in PARTS.items():
        found = [row for part in parts for row in _measured(part)]
        rows += [(f"**{title}**", "", "")] if found else []
        rows += [(what, figure, _numbers(run, runs)) for what, figure, run in found]
    if not runs:
        return "Nothing was measured yet."
    usual = statistics.mode(machine(run) for _, run in runs.values())
    lines = []
    for text, (number, run) in runs.items():
        where = f", on {machine(run)}" if machine(run) != usual else ""
        lines.append(f"{number}. {text}{where}")
    words = f"<summary>The commands, each with seed and date, on {usual}</summary>"
    notes = "\n".join(("<details>", words, "", *lines, "", "</details>"))
    head = ("what", "figure (95% interval; of a ratio: least to most)", "command")
    return f"{table(head, rows)}\n\n{notes}"


def _numbers(measured_by, runs):
    """The numbers of a run, or of each of several, the next one where it is new.

    A dash for what was not measured.
    """
    if measured_by is None:
        return "–"
    several = measured_by if isinstance(measured_by, list) else [measured_by]
    numbers = [
        runs.setdefault(f"{command(run)}, {run['date']}", (len(runs) + 1, run))[0]
        for run in several
    ]
    return ", ".join(map(str, sorted(set(numbers))))


def _measured(part):
    """A part's rows: what, figure, run. None where nothing was measured."""
    try:
        return list(part())
    except NotMeasured:
        return []


def frozen():
    """Linear heads on signs."""
    result = load("recipes")
    for name in ("conv4", "best"):
        if row := result["rows"].get(name):
            words = f"head on `{name}`, frozen trunk, five folds by track"
            yield words, interval(row), run_of_recipe(result, row)


def fine_tuned():
    """All layers, from ImageNet's weights."""
    result = load("fine_tuning")
    seeds = "; ".join(interval(row, 4) for row in result["seeds"].values())
    yield "all layers fine-tuned (`--train all`), by seed", seeds, result


def bundled():
    """The classifier in trained/."""
    result = load("bundled")
    yield (
        f"`trained/`, {result['bytes'] / 2**20:.1f} MiB, from scratch",
        interval(result, 4),
        result,
    )


def own_classes():
    """Accuracy on TrashNet."""
    result = load("photographs")
    run = strangers.run_of_photographs(result, "accuracy")
    for name, row in result.get("accuracy", {}).items():
        rate = row.get("features_per_second")  # none: they were kept from before
        figure = f"{interval(row)}{f', {rate:.0f} pictures/s' if rate else ''}"
        yield f"head on `{name}`", figure, run
    if network := result.get("network"):
        run = strangers.run_of_photographs(result, "network")
        yield strangers.shape_of(network), interval(network), run
    else:
        yield "all layers (`--train all`)", "not measured yet", None


def photographs():
    """What photographs cost."""
    result = load("photographs")
    for name, what in (
        ("small", "three folders of 30, from command to report"),
        ("rates", "decoding beside the network"),
        ("memory", "peak memory of a training"),
    ):
        if name in result:
            figure = strangers.IN_SHORT[name](result[name])
            yield what, figure, strangers.run_of_photographs(result, name)


def robustness():
    """Means under corruptions and other light."""
    result = load("robustness")
    for key, what in (
        ("mean", "mean under 15 corruptions at five strengths"),
        ("own_mean", "mean on other grounds, in other hues and light"),
    ):
        means = (f"{name} {row[key]['accuracy']:.3f}" for name, row in result["rows"].items())
        yield what, "; ".join(means), runs_of(result, result["rows"].values())


def job():
    """Features a second and the whole job."""
    result = load("job")

    def each(text):
        return "; ".join(f"{name} {text(row)}" for name, row in result["rows"].items())

    features = each(lambda row: f"{row['images_per_second']:.0f}")
    yield f"features to {result['layer']}, pictures/s", features, result
    seconds = each(lambda row: f"{row['cold_seconds']:.0f} s")
    yield "train.p to classifier and report", seconds, result


def memory():
    """Peak memory of an extraction."""
    result = load("memory")
    yield "peak memory of an extraction", speed.peaks(result), result


def engines():
    """Speed against the fastest other engine."""
    result = load("engines")
    for cell in result["cells"]:
        if cell["batch"] in BATCHES and "ratios" in cell:
            on = cell["by"]["machine"]["instructions"]
            parts = (cell["precision"], f"batch {cell['batch']}", on)
            what = f"{', '.join(filter(None, parts))}, against {cell['fastest_other']}"
            ratios = (f"{name} {middle(values)}" for name, values in cell["ratios"].items())
            yield what, "; ".join(ratios), result | cell["by"]


def startup():
    """From command to prompt."""
    result = load("startup")
    what = "seconds of `imagenet_inference.py`, divided by those of `import tensorflow` and one "
    what += "read of the weights"
    yield what, middle(result["ratios"]), result


def workers():
    """Two against one."""
    result = load("workers")
    ratios = (
        f"{name} {middle([row['ratio'][name] for row in result['rounds']])}"
        for name in ("features", "all layers")
    )
    yield "speed of two workers with a core each, divided by one's", "; ".join(ratios), result


def fuzz():
    """Damaged files."""
    yield "damaged files", damage.fuzz_in_short(), damage.runs_of_fuzz()


def kills():
    """Killed and interrupted runs."""
    result = load("kills")
    rows = [row for job in result["jobs"].values() for row in job.values()]
    yield "runs killed, and started again", damage.kills_in_short(), runs_of(result, rows)


PARTS = {
    "Accuracy on signs never seen": (frozen, fine_tuned, bundled, robustness),
    "Accuracy on TrashNet: rubbish, five classes, five folds": (own_classes,),
    "Photographs: time, speed and memory": (photographs,),
    "Signs: time, speed and memory": (job, memory),
    "Speed through fc7, divided by the fastest other engine's (as built: no fast path)": (engines,),
    "Other ratios": (startup, workers),
    "Accidents": (fuzz, kills),
}

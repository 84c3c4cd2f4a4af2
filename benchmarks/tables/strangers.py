"""Tables of what a classifier was not made for: your photographs, unknown and damaged pictures."""

import statistics

from benchmarks.tables.results import NotMeasured, interval, load, origin, origins, table

KINDS = ("classes left out", "rendered scenery", "photographs")
CHOSEN = "distance to a class or to all"  # what the lab uses
AWAY = "turned away at the threshold that is saved"


def photographs():
    """Your own classes: accuracy, speed and memory; parts that were not measured are left out."""
    result = load("photographs")
    found = result.get("accuracy", {})
    if network := result.get("network"):
        found = found | {shape_of(network): network}
    rows = [
        (name, interval(row), rate(row), f"{row['seconds']:.0f}") for name, row in found.items()
    ]
    head = ("features", "accuracy (95%)", "features of pictures/s", "whole run, s")
    note = f"{result['images']:,} photographs. {' '.join(_parts(result))}"
    return f"{table(head, rows)}\n\n{note}\n\n{' '.join(sorted(set(_runs(result))))}"


def shape_of(network):
    """The training of the whole network, in words."""
    return f"all layers (`--train all`), {network['epochs']} epochs, batch {network['batch_size']}"


def run_of_photographs(result, part):
    """What measured a part: its own run, else the last one."""
    return result | result.get("by", {}).get(part, {})


def _runs(result):
    parts = ("accuracy", "network", *IN_SHORT)
    return (origin(run_of_photographs(result, part)) for part in parts if part in result)


def rate(row):
    """Pictures a second, where features were computed and not kept from before."""
    found = row.get("features_per_second")
    return f"{found:.0f}" if found else "–"


def small(part):
    """From three folders to a classifier."""
    low, high = part["accuracy_interval"]
    return f"{part['seconds']:.0f} s, accuracy {part['accuracy']:.2f} ({low:.2f} to {high:.2f})"


def memory(part):
    """Peak memory by the number of photographs."""
    sizes = (f"{row['mib'] / 1024:.2f} GiB with {int(count):,}" for count, row in part.items())
    return ", ".join(sizes)


def rates(part):
    """Both at once, of the slower alone."""
    slower = min(("network", "decoding, one core"), key=part.get)
    share = part["both"] / part[slower]
    return f"{part['both']:.0f} pictures/s, {share:.0%} of the {slower} alone"


IN_SHORT = {"small": small, "memory": memory, "rates": rates}


def _parts(result):
    """A sentence for each part that was measured, and one for what was not."""
    if part := result.get("small"):
        yield f"From {part['images']} pictures in three folders to the report: {small(part)}."
    if part := result.get("memory"):
        yield f"Peak memory of a training on pool5: {memory(part)} photographs."
    if part := result.get("rates"):
        yield f"To conv4: the network alone {part['network']:.0f} pictures/s, decoding alone on"
        yield f"one core {part['decoding, one core']:.0f}, both at once {rates(part)}."
        cores = run_of_photographs(result, "rates")["machine"]["cores"]
        busy = part["both"] / part["decoding, one core"]
        yield f"Decoding then takes {busy:.2f} of the {cores} cores, which leaves the network "
        yield f"{1 - busy / cores:.0%} of them."
    if "network" not in result:
        yield "Not measured yet: the whole network, `--train all`."


def unknown():
    """Measures of novelty: classes left out, pictures without a sign; and what passes."""
    result = load("unknown")
    order = [name for name in ("best", "conv4", "pool5", "trained/") if name in result["rows"]]
    found = [result["rows"][name] for name in order]
    measures = dict.fromkeys(measure for row in found for measure in row["measures"])
    tables = [
        table(
            (f"unknown: {kind}", *order),
            [(_title(name), *(_cell(row, name, kind) for row in found)) for name in measures]
            + [(AWAY, *(_away(row, kind) for row in found))],
        )
        for kind in KINDS
    ]
    passed = "; ".join(f"{name} {_passed(row)}" for name, row in zip(order, found, strict=True))
    words = f"Known pictures on further tracks that pass the threshold, in each draw: {passed}."
    if as_it_is := result.get("bundled"):
        scenery, others = as_it_is["turned_away"]
        words += f" The classifier in trained/ as it is: {as_it_is['passed']:.2%}; it turns away "
        words += f"{scenery:.0%} of the scenery, {others:.0%} of the photographs."
    return "\n\n".join([*tables, words, origins(result, found)])


def unknown_best():
    """The same, of `best` alone."""
    result = load("unknown")
    if "best" not in result["rows"]:
        raise NotMeasured("unknown")
    row = result["rows"]["best"]
    measures = row["measures"]
    rows = [(_title(name), *(_cell(row, name, kind) for kind in KINDS)) for name in measures]
    rows.append((AWAY, *(_away(row, kind) for kind in KINDS)))
    passed = row["passed"]
    words = f"{passed['mean']:.1%} of known signs on further tracks pass that threshold "
    words += f"({min(passed['each']):.1%} to {max(passed['each']):.1%})."
    return f"{table(('measure', *KINDS), rows)}\n\n{words} {origins(result, [row])}"


def _title(name):
    return f"**{name}**: the lab's" if name == CHOSEN else name


def _cell(row, name, kind):
    """A measure's AUROC of a kind and, in brackets, the share of unknown pictures accepted."""
    if name not in row["measures"]:  # measured before there was this measure
        return "–"
    found = row["measures"][name][kind]
    spread = f" ± {found['auroc']['deviation']:.3f}" if kind == KINDS[0] else ""
    return f"{found['auroc']['mean']:.3f}{spread} ({found['false_acceptances']['mean']:.0%})"


def _away(row, kind):
    return f"{row['turned_away'][kind]['mean']:.0%}"


def _passed(row):
    each = " ".join(f"{share:.2%}" for share in row["passed"]["each"])
    return f"{row['passed']['mean']:.2%} ({each})"


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


def corruptions():
    """Accuracy under each change, over its strengths."""
    result = load("robustness")
    changes = dict.fromkeys(name for row in result["rows"].values() for name in row["changes"])
    rows = [
        (
            name.replace("_", " "),
            *(
                f"{statistics.mean(each['accuracy'] for each in row['changes'][name]):.3f}"
                if name in row["changes"]
                else "–"
                for row in result["rows"].values()
            ),
        )
        for name in changes
    ]
    words = origins(result, result["rows"].values())
    return f"{table(('change', *result['rows']), rows)}\n\n{words}"

"""Tables of accuracies on signs: frozen features, whole networks, the classifier in trained/."""

from benchmarks.tables.results import interval, load, origin, table


def recipes():
    """Frozen features: random split, five folds by track, calibration."""
    result = load("recipes")
    rows = [
        (
            f"best, {name}" if name.startswith("without") else name,
            f"{row['random_split']:.4f}" if "random_split" in row else "",
            interval(row),
            " ".join(f"{fold:.3f}" for fold in row["folds"]),
            f"{row['calibration_error']['before']:.3f}, {row['calibration_error']['after']:.3f}",
        )
        for name, row in result["rows"].items()
    ]
    head = ("features", "random split", "by track (95%)", "each fold", "calibration error")
    notes = [f"{result['tracks']:,} tracks. {origin(result)}"]
    for date in sorted({row["date"] for row in result["rows"].values()} - {result["date"]}):
        names = [name for name, row in result["rows"].items() if row["date"] == date]
        run = origin(run_of_recipe(result, result["rows"][names[0]]))
        notes.append(f"By earlier code: {'; '.join(names)}. {run}")
    return "\n\n".join([table(head, rows), *notes])


def run_of_recipe(result, row):
    """What measured a row: the last run, or an earlier one, of which only the date is kept."""
    if row["date"] == result["date"]:
        return result
    return result | {"command": result["command"].partition(" --rows ")[0], "date": row["date"]}


def fine_tuning():
    """--train all on the traffic signs, a row a seed."""
    result = load("fine_tuning")
    rows = [
        (
            seed,
            interval(row, 4),
            f"{row['calibration_error']['before']:.4f}, {row['calibration_error']['after']:.4f}",
            f"{row['seconds']:.0f}",
            f"{row['peak_mib'] / 1024:.2f}",
        )
        for seed, row in result["seeds"].items()
    ]
    head = ("seed", "accuracy (95%)", "calibration error before, after", "seconds", "memory, GiB")
    first, plan = next(iter(result["seeds"].values())), result["plan"]
    words = f"{first['images']:,} pictures of {first['tracks']} tracks. As `--train all --epochs "
    words += f"{plan['epochs']} --batch-size {plan['batch_size']} --precision {plan['precision']} "
    return f"{table(head, rows)}\n\n{words}--split track`, by {origin(result)}"


def cases():
    """The four cases."""
    result, ways = load("cases"), ("late", "early", "fine-tuned", "scratch")
    names = ("linear, late (pool5)", "linear, early (conv3)", "fine-tuned", "from scratch")
    rows = []
    for cell in result["cells"]:
        measured = []
        for way in ways:
            text = f"{interval(cell['ways'][way])}, {cell['ways'][way]['seconds']:.0f} s"
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
    grounds = "; ".join(
        f"{name} {found['accuracy']:.3f}, {found['sure']:.2%}"
        for name, found in result["grounds"].items()
    )
    rows = [
        ("size in the repository", f"{result['bytes'] / 2**20:.2f} MiB"),
        (
            f"accuracy (95%) on its {result['tracks']} test tracks ({result['images']:,} pictures)",
            interval(result, 4),
        ),
        (
            "expected calibration error, before and after the temperature",
            f"{result['calibration_error']['before']:.4f}, "
            f"{result['calibration_error']['after']:.4f}",
        ),
        ("rendered signs, which it never saw: classes, by majority of 50",
         f"{result['rendered']} of 43"),
        ("rendered signs on grounds of other colours: accuracy, wrong with a probability above 0.9",
         grounds),
        ("a new head trained on rendered signs alone, on the same test tracks",
         f"{result['head_on_rendered']:.4f}"),
        ("most confused", pairs),
    ]  # fmt: skip
    return f"{table(('what', 'measured'), rows)}\n\n{origin(result)}"


def candidates():
    """What might be in trained/, by validation tracks."""
    result = load("candidates")
    rows = [
        (
            f"**{name}**" if name == result["chosen"] else name,
            *(f"{row[key]:.4f}" for key in ("clean", "changed_mean", "both")),
        )
        for name, row in result["rows"].items()
    ]
    head = ("training", "as photographed", "changed in eight ways", "mean of both")
    words = f"{result['images']:,} pictures of {result['tracks']} validation tracks."
    return f"{table(head, rows)}\n\n{words} {origin(result)}"


def resize_rule():
    """The rules that bring a sign to 32x32, on rendered signs of all sizes."""
    result = load("resize_rule")
    judges = {"trained/": "`trained/` (95%)", "conv4": "conv4 head (95%)"}
    judges = {name: title for name, title in judges.items() if name in result}
    rows = [
        (rule, *(interval(result[judge]["all"][rule]) for judge in judges))
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
            interval(row),
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

"""Tables of seconds, pictures a second and memory."""

import statistics

from benchmarks.tables.results import load, middle, origin, origins, table


def job():
    """The whole job, from command to prompt, in each precision."""
    result = load("job")
    bare, rows = statistics.mean(result["bare_images_per_second"]), result["rows"].values()
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
    words = f"Peak memory of an extraction to {result['layer']}, of signs enlarged to "
    return f"{words}{result['size']} pixels: {peaks(result)}. {origin(result)}"


def peaks(result):
    """Peak memory at each number of signs."""
    sizes = (
        f"{row['mib'] / 1024:.2f} GiB for {int(count):,}" for count, row in result["rows"].items()
    )
    return f"{', '.join(sizes)} signs"


def engines():
    """Through fc7, against other engines; ratios are to the fastest of them in the same round."""
    result, rows, missing, rates = load("engines"), [], {}, {}
    first = result["cells"][0]["rounds"][0]
    own = [name for name in first if name not in (*result["peers"], "gemm")]
    for cell in result["cells"]:
        others = [name for name in cell["rounds"][0] if name in result["peers"]]
        cells = (_against(cell, name) for name in own)
        best = " ".join(f"{name} {_median(cell, name):.0f};" for name in others).rstrip(";")
        on = cell["by"]["machine"]["instructions"]
        rows.append((f"{cell['precision']}, {cell['batch']}, {on}", *cells, best))
        where = f"{cell['precision']}, {on}"
        missing |= {f"{name} in {where}": why for name, why in cell["failed"].items()}
        rates.setdefault(on, []).extend(row["gemm"] for row in cell["rounds"])
    missing = {name: why.removeprefix("NotImplementedError: ") for name, why in missing.items()}
    products = (f"{min(x):.0f} to {max(x):.0f} GFLOP/s ({on})" for on, x in rates.items())
    words = f"float32 matrix product meanwhile: {'; '.join(products)}. "
    if missing:
        words += f"Not measured: {'; '.join(f'{name} ({why})' for name, why in missing.items())}. "
    versions = ", ".join(f"{name} {version}" for name, version in result["engines"].items())
    text = f"{words}{versions}.\n\n{origins(result, result['cells'])}"
    return f"{table(('type, batch, processor', *own, 'others'), rows)}\n\n{text}"


def _median(cell, name):
    return statistics.median(row[name] for row in cell["rounds"])


def _against(cell, name):
    if name not in cell["rounds"][0]:
        return "–"
    ratios = cell.get("ratios", {}).get(name)
    return f"{_median(cell, name):.0f}{f', {middle(ratios)}' if ratios else ''}"


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


def workers():
    """Two workers with a core each against one."""
    result = load("workers")
    rows = [
        (
            name,
            *(
                " ".join(f"{row[side][name]:,.0f}m" for row in result["rounds"])
                for side in ("one", "two")
            ),
            " ".join(f"{row['ratio'][name]:.2f}" for row in result["rounds"]),
        )
        for name in result["rounds"][0]["ratio"]
    ]
    head = ("pictures/s", "one worker, one core", "two workers, a core each", "ratio, each round")
    return f"{table(head, rows)}\n\n{origin(result)}"

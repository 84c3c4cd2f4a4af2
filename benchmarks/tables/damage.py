"""Tables of what must not hurt: damaged files, killed and interrupted runs."""

from collections import Counter, defaultdict

from benchmarks.tables.results import load, origins, table


def runs_of_fuzz():
    """The runs of fuzz.json, each with the seeds that fuzz.py gave its readers."""
    rows = load("fuzz")["readers"]
    seeds = defaultdict(set)
    for name, row in rows.items():
        seeds[row["command"], row["date"]].add(1 + len(name))
    return [row | {"seed": sorted(seeds[row["command"], row["date"]])} for row in rows.values()]


def fuzz():
    """Damaged files, reader by reader."""
    result = load("fuzz")
    rows = [
        (
            name,
            *(f"{row.get(key, 0):,}" for key in ("inputs", "refused", "thrown_away", "accepted")),
            (row["broken_rule"] or "none").partition(":")[0],
            f"{row.get('slowest_seconds', 0):.3f}",
            f"{row['lines_covered']:.0%}" if "lines_covered" in row else "–",
        )
        for name, row in result["readers"].items()
    ]
    head = ("reader of", "inputs", "refused", "thrown away", "accepted", "rule broken",
            "slowest, s", "of its lines reached")  # fmt: skip
    planted = ", ".join(
        f"{name} after {row['inputs']:,} inputs" if row["found"] else f"{name} not found"
        for name, row in result["planted"].items()
    )
    runs = origins({}, [{"by": run} for run in runs_of_fuzz()])
    return f"{table(head, rows)}\n\nPlanted faults: {planted}. {runs}"


def fuzz_in_short():
    """Readers, inputs, rules broken; planted faults."""
    result = load("fuzz")
    readers, planted = result["readers"].values(), result["planted"].values()
    broken, found = (sum(bool(row[key]) for row in rows) for key, rows in
                     (("broken_rule", readers), ("found", planted)))  # fmt: skip
    inputs = Counter(row.get("inputs", 0) for row in readers)  # none: the process ended at once
    each = ", ".join(f"{many:,} inputs in each of {count}" for many, count in inputs.most_common())
    words = f"{each} readers: {broken} broke a rule"
    return f"{words}; {found} of {len(planted)} planted faults found"


def kills():
    """Killed runs that were started again, and interrupted ones."""
    result = load("kills")
    found = [(job, *row) for job, rows in result["jobs"].items() for row in rows.items()]
    text = []
    for key, head, cells in (
        ("kills", ("job", "killed at", "kills", "ended the same", "stray files"),
         ("ended_the_same", "stray_files")),
        ("signals", ("job", "phase", "Ctrl-C or SIGTERM", "right status and words", "slowest, s"),
         ("right_status_and_words", "slowest_seconds")),
    ):  # fmt: skip
        rows = [
            (job, where.removeprefix("interrupted: "), *(f"{row[c]:,}" for c in (key, *cells)))
            for job, where, row in found
            if key in row
        ]
        text += [table(head, rows)] if rows else []
    return "\n\n".join([*text, origins(result, [row for *_, row in found])])


def kills_in_short():
    """Sums of all of them."""
    rows = [row for job in load("kills")["jobs"].values() for row in job.values()]

    def total(key):
        return sum(row.get(key, 0) for row in rows)

    words = f"{total('kills'):,} kills: {total('ended_the_same'):,} ended the same, "
    words += f"{total('stray_files'):,} stray files"
    if total("signals"):
        words += f"; {total('right_status_and_words'):,} of {total('signals'):,} interrupted runs "
        words += "ended right"
    return words

"""README's tables of damaged files and of kills; benchmarks/readme.py puts them there."""

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
JOBS = {"download": "a download", "head": "training of a head", "network": "of the network"}


def fuzz():
    """What damaged files met in each reader."""
    found = json.loads((RESULTS / "fuzz.json").read_text(encoding="utf-8"))
    rows = [
        f"| {name} | {row['inputs']:,} | {row['refused']:,} | {row['thrown_away']:,} | "
        f"{row['accepted']:,} | {row['slowest_seconds']:.3f} | {row['most_bytes'] / 2**20:.1f} | "
        f"{row['lines_covered']:.0%} | {row['broken_rule'] or 'none'} |"
        for name, row in found["readers"].items()
    ]
    head = "| reader | inputs | refused | thrown away | accepted | slowest, s | most memory, MB | "
    head += "lines reached | broken rules |"
    planted = ", ".join(f"{row['inputs']:,}" for row in found["planted"].values())
    return "\n".join([head, "| --- " * 9 + "|", *rows]) + (
        f"\n\nFaults planted in three readers were found after {planted} inputs. {origins(found)}"
    )


def origins(found):
    """Commands, dates and machines of all rows."""
    rows = [*found["readers"].values(), *found["planted"].values()]
    told = {f"`{row['command']}`, {row['machine']}, {row['date']}" for row in rows}
    return "; ".join(sorted(told)) + "."


def kills():
    """What killed jobs ended with when they were started again."""
    found = json.loads((RESULTS / "kills.json").read_text(encoding="utf-8"))
    rows = [
        f"| {JOBS[job]} | {where} | {row['kills']} | {row['ended_the_same']} | "
        f"{row['stray_files']} |"
        for job, places in found["jobs"].items()
        for where, row in places.items()
        if "kills" in row
    ]
    head = "| SIGKILL in | at | kills | ended the same, bit for bit | stray files |"
    cores = found["machine"]["cores"]
    return "\n".join([head, "| --- " * 5 + "|", *rows]) + (
        f"\n\n`{found['command']}`, seed {found['seed']}, {found['machine']['processor']}, "
        f"{cores} cores, {found['date']}."
    )

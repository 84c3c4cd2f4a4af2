"""What is killed and started again ends as if it had not been, and leaves nothing behind.

    python benchmarks/kills.py              # kills; again after an interruption, it goes on
    python benchmarks/kills.py --signals    # Ctrl-C and SIGTERM instead

Small jobs in processes of their own, ended by SIGKILL: a download from a server that misbehaves, a
head on frozen features, the network. Half-way through each write (of many to one file: the 1st,
2nd, 4th, 8th ...), before each fsync and removal, before and after each rename; and at random
moments of each phase. The next run must end with the same files, bit for bit, as one that nobody
disturbed, and with no other files. Writes benchmarks/results/kills.json after each kill; what is
there of the same code, which a hash tells, is kept, and gone on with.
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.killing import jobs
from benchmarks.killing.trial import Trial
from lab import files, interruption, machine

TARGET = ROOT / "benchmarks/results/kills.json"
SOURCES = ("lab/**/*.py", "*.py", "benchmarks/kill*/*.py", "benchmarks/kills.py")
EVERY = "every write, fsync, removal and rename"
AT_MOST = 5  # tries for each kill that must strike: some jobs have ended before


class Results:
    """Rows of results by job; those of the same code are kept.

    Args:
        path: of the JSON file, or None for a trial whose results nobody keeps.
    """

    def __init__(self, path):
        self.path, self.jobs, self.good = path, {}, True
        self.code = code()
        if path and path.exists() and (there := json.loads(path.read_text()))["code"] == self.code:
            self.jobs = there["jobs"]
            for job, rows in self.jobs.items():
                print(f"{job}: kept, of the same code: {', '.join(rows)}", flush=True)

    def row(self, job, where, empty):
        """The row that is there, or an empty one."""
        return self.jobs.setdefault(job, {}).setdefault(where, {"tried": 0} | empty)

    def write(self):
        if self.path:
            facts = machine.describe() | {"seed": 0, "code": self.code}
            files.write_json(self.path, facts | {"jobs": self.jobs})


def code():
    """A hash of all code that these results depend on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def disturb(name, trial, options, results):
    """Kills a job at every step, and at random moments of its phases."""
    every = range(1, trial.steps + 1)
    wanted = (4 if name == "download" else 1) if options.five else len(every)
    if options.five or trial.job.steps:
        every = [random.choice(every) for _ in range(AT_MOST * wanted)]
    kills = [lambda n=n: trial.wait(trial.start(trial.job.run, n)) for n in every]
    killed(name, trial, EVERY, kills, wanted, results)
    for phase in () if options.five else trial.job.phases:
        kills = [lambda p=phase: trial.kill_in(p)[0]] * (AT_MOST * options.moments)
        killed(name, trial, phase, kills, options.moments, results)


def killed(name, trial, where, kills, wanted, results):
    """Kills, starts again and counts, until so many kills struck."""
    row = results.row(name, where, {"kills": 0, "ended_the_same": 0, "stray_files": 0, "after": {}})
    for kill in itertools.islice(kills, row["tried"], None):
        if row["kills"] == wanted:
            break
        random.seed(f"{name}, {where}, {row['tried']}")
        found = trial.disturbed(kill)
        row["tried"] += 1
        if found:
            kind, same, stray = found
            row["kills"] += 1
            row["ended_the_same"] += same
            row["stray_files"] += len(stray)
            row["after"][kind or "nothing"] = row["after"].get(kind or "nothing", 0) + 1
            if not same or stray:
                print(f"{where}: the same: {same}, stray: {stray}\n{trial.log()}", flush=True)
        results.write()
    results.good &= row["ended_the_same"] == row["kills"] and not row["stray_files"]
    print(name, where, row, flush=True)


def interrupt(name, trial, options, results):
    """Ctrl-C and SIGTERM in every phase of a job."""
    empty = {"signals": 0, "right_status_and_words": 0, "slowest_seconds": 0.0}
    for phase in filter(None, trial.seconds):
        row = results.row(name, f"interrupted: {phase}", empty)
        while row["signals"] < options.moments and row["tried"] < AT_MOST * options.moments:
            random.seed(f"{name}, {phase}, {row['tried']}")
            number = list(interruption.STATUS)[row["tried"] % 2]
            row["tried"] += 1
            trial.clear()
            status, seconds = trial.kill_in(phase, number)
            if status == 0:  # it had ended before
                continue
            row["signals"] += 1
            said = "interrupted" in trial.log().splitlines()[-1]
            row["right_status_and_words"] += said and status == interruption.STATUS[number]
            row["slowest_seconds"] = max(row["slowest_seconds"], round(seconds, 2))
            results.write()
        in_time = row["slowest_seconds"] < 2
        results.good &= row["right_status_and_words"] == row["signals"] and in_time
        print(name, phase, row, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20, metavar="N", help="of each phase")
    parser.add_argument("--signals", action="store_true", help="Ctrl-C and SIGTERM, no kills")
    parser.add_argument("--five", action="store_true", help="few kills; writes no results")
    parser.add_argument("--jobs", nargs="+", default=("download", "head", "network"))
    options = parser.parse_args()
    random.seed(0)
    results = Results(None if options.five else TARGET)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, job in jobs.named(options.jobs, folder / "inputs"):
            trial = Trial(job, folder / name)
            seconds = {phase: round(taken, 2) for phase, taken in trial.seconds.items() if phase}
            print(name, f"{trial.steps} steps", seconds, sorted(trial.names), flush=True)
            (interrupt if options.signals else disturb)(name, trial, options, results)
    sys.exit(0 if results.good else 1)


if __name__ == "__main__":
    main()

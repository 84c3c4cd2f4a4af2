"""What is killed and started again ends as if it had not been, and leaves nothing behind.

    python benchmarks/kills.py

Small jobs in processes of their own, ended by SIGKILL: a download from a server that misbehaves, a
head on frozen features, the network. Half-way through each write (of many to one file: the 1st,
2nd, 4th, 8th ...), before each fsync and removal, before and after each rename; and at random
moments of each phase. The next run must end with the same files, bit for bit, as one that nobody
disturbed, and with no other files. Writes benchmarks/results/kills.json.
"""

import argparse
import builtins
import hashlib
import io
import json
import mmap
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import misbehaving
import numpy as np

from lab import command_line, files, interruption, machine, progress, runs, weights
from lab.downloads import catalogue, fetching
from lab.downloads.catalogue import Remote
from lab.drawn_signs import photographs
from lab.errors import LabError

TARGET = ROOT / "benchmarks/results/kills.json"
CONTENTS = [np.random.default_rng(i).bytes(200_000) for i in (0, 1)]  # a file, before and after
TRIES = 30  # of a download: the server lets most of them fail


class Board:
    """What a child tells while it runs: how much it did to files, and in which phase it is."""

    def __init__(self):
        self.memory = mmap.mmap(-1, 256)

    def write(self, steps=0, phase=""):
        self.memory[:256] = f"{steps}\n{phase}\n".encode().ljust(256)

    def read(self):
        steps, phase, _ = self.memory[:256].decode().split("\n", 2)
        return int(steps), phase


class Steps:
    """Counts, and kills at the n-th step, what this process does to files below a folder."""

    def __init__(self, board, folder, nth):
        self.board, self.folder, self.nth = board, folder, nth
        self.count, self.phase = 0, "start"
        self.open = builtins.open
        builtins.open = io.open = self.opening
        for name in ("fsync", "unlink"):
            setattr(os, name, self.after_step(getattr(os, name)))
        replace = os.replace
        os.replace = lambda *ends: (self.step(), replace(*ends), self.step())
        phase = progress.Progress.phase
        progress.Progress.phase = lambda it, name, *rest: self.entering(phase, it, name, *rest)
        board.write(0, "start")

    def step(self, before_the_end=lambda: None):
        self.count += 1
        self.board.write(self.count, self.phase)
        if self.count == self.nth:
            before_the_end()
            os.kill(os.getpid(), signal.SIGKILL)

    def after_step(self, function):
        def call(*arguments, **options):
            self.step()
            return function(*arguments, **options)

        return call

    def entering(self, phase, it, name, *rest):
        self.phase = name
        self.board.write(self.count, name)
        return phase(it, name, *rest)

    def opening(self, file, mode="r", *arguments, **options):
        stream = self.open(file, mode, *arguments, **options)
        writes = set(mode) & set("wax+") and not isinstance(file, int)
        if writes and self.folder in Path(file).absolute().parents:
            write, number = stream.write, 0

            def half(content):
                nonlocal number
                number += 1
                if number & (number - 1) == 0:
                    self.step(lambda: (write(content[: len(content) // 2]), stream.flush()))
                return write(content)

            stream.write = half
        return stream


class Download:
    """A file of which no hash is published, from a server that may do anything."""

    phases = ("downloading sign.png",)

    def __init__(self, folder):
        catalogue.REMOTE["sign.png"] = Remote(
            "a sign", (serve() + "sign.png",), "give up", check=self.check
        )

    def check(self, path):
        """As the lab's own records have one: without a length, an end is like any other."""
        if path.stat().st_size != len(CONTENTS[0]):
            raise LabError("expected another length")

    def run(self, folder):
        for _ in range(TRIES):
            try:
                fetching.fetch("sign.png", folder)
                return 0
            except LabError:
                pass
        return 2

    again = run

    def result(self, folder):
        """Whether it is one of the two that the server had, whole."""
        return (folder / "sign.png").read_bytes() in CONTENTS


class Moody(misbehaving.Handler):
    """Another mood at each request."""

    def do_GET(self):
        server = self.server
        server.files["/sign.png"] = random.choice(CONTENTS)
        server.tag = random.choice(['"{}"', '"{}"', '"{}"', 'W/"{}"', ""])
        server.resumes, server.tells_length = random.random() < 0.8, random.random() < 0.8
        server.honours_if_range = random.random() < 0.8
        server.claims = 10**18 if random.random() < 0.1 else None
        server.breaks_after = random.choice([None, random.randrange(1, 200_000)])
        server.piece, server.drips = 10_000, random.random() / 100
        super().do_GET()


def serve():
    """The address of such a server, in a process that ends with this one."""
    reading, writing = os.pipe()
    if not os.fork():
        with misbehaving.serving({}, Moody) as server:
            os.write(writing, server.address.encode())
            while os.getppid() != 1:
                time.sleep(0.5)
        os._exit(0)
    return os.read(reading, 99).decode()


class Training:
    """train_feature_extraction.py on 60 drawn signs, by a person who resumes it."""

    def __init__(self, folder, kind, phases):
        self.kind, self.phases = kind, phases
        images, labels = photographs.signs(60, seed=5, classes=(9, 10))
        order = np.argsort(labels, kind="stable")
        side = np.tile(np.linspace(20, 80, 10).astype(np.int64), 6)  # six signs come nearer
        near = np.full_like(side, 5)
        content = {"features": images[order], "labels": labels[order].astype(np.uint8)}
        content["sizes"] = np.stack([side, side], axis=1) + 10
        content["coords"] = np.stack([near, near, side + 5, side + 5], axis=1)
        (folder / "d.p").write_bytes(pickle.dumps(content, 3))
        from lab.training import whole_network

        weights.save(folder / "w.npz", whole_network.random_arrays(0))
        self.argv = ["--data", str(folder / "d.p"), "--train", kind, "--split", "random"]
        self.argv += ["--weights", str(folder / "w.npz"), "--epochs", "2", "--batch-size", "8"]

    def run(self, folder):
        return self.main([*self.argv, "--output", str(folder)])

    def again(self, folder):
        if not (folder / runs.OPTIONS).exists():
            return self.run(folder)
        status = self.main(["--resume", str(folder)])
        return 0 if (folder / runs.METRICS).exists() else status

    def main(self, argv):
        import train_feature_extraction
        from lab import report
        from lab.features import batches, cache
        from lab.training import learner, plans

        learner.CHECKPOINT_STEPS = 3  # of five steps an epoch
        plans.KINDS["all"] |= {"sizes": (99,)}
        batches.BATCH = cache.BATCH = 16
        if self.kind == "all":  # a head's run has the same report
            report.write = lambda *_, **__: None
        return train_feature_extraction.main([*argv, "--offline"])

    def result(self, folder):
        """Hashes of what was learned."""
        found = [path for path in folder.iterdir() if path.suffix == ".npz"]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


class Trial:
    """One job in its own folder, which is made anew for each kill.

    Args:
        job: what is run.
        base: the folder: run/ and cache/ are in it.
    """

    def __init__(self, job, base):
        self.job, self.base, self.board = job, base, Board()
        self.seconds = {}  # of each phase, when nobody disturbs it
        status = self.wait(self.start(job.run), self.seconds)
        if status:
            raise SystemExit(f"{type(job).__name__}: the undisturbed run ended with {status}")
        self.steps, _ = self.board.read()
        self.wanted, self.names = job.result(base / "run"), self.there()

    def there(self):
        return {str(p.relative_to(self.base)) for p in self.base.rglob("*") if p.is_file()}

    def start(self, function, nth=0):
        """A child that runs a function of the job in the folder, and dies at the n-th step."""
        (self.base / "run").mkdir(parents=True, exist_ok=True)
        self.board.write()
        child = os.fork()
        if child:
            return child
        status = 3
        try:
            with open(self.base.parent / "log", "ab", buffering=0) as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            os.environ["LAB_CACHE"] = str(self.base / "cache")
            command_line.begin()
            Steps(self.board, self.base, nth)
            status = function(self.base / "run")
            sys.stdout.flush()
        finally:
            os._exit(status)

    def wait(self, child, seconds=None):
        """A child's status; how long it was in each phase is added to `seconds`."""
        while True:
            ended, status = os.waitpid(child, os.WNOHANG if seconds is not None else 0)
            if ended:
                return os.waitstatus_to_exitcode(status)
            _, phase = self.board.read()
            seconds[phase] = seconds.get(phase, 0) + 0.005
            time.sleep(0.005)

    def kill_in(self, phase, number=signal.SIGKILL):
        """Starts the job, and signals to it at a random moment of a phase.

        Returns:
            Its status, and the seconds that it took to end.
        """
        child, late = self.start(self.job.run), random.uniform(0, self.seconds[phase])
        while self.board.read()[1] != phase and not os.waitid(
            os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            time.sleep(0.002)
        time.sleep(late)
        start = time.monotonic()
        os.kill(child, number)
        return self.wait(child), time.monotonic() - start

    def clear(self):
        for name in ("run", "cache"):
            shutil.rmtree(self.base / name, ignore_errors=True)

    def last_line(self):
        return (self.base.parent / "log").read_text(errors="replace").splitlines()[-1]

    def disturbed(self, kill):
        """Whether what a kill interrupted ends the same, and which other files it leaves."""
        self.clear()
        if kill() != -signal.SIGKILL:
            return None
        status = self.wait(self.start(self.job.again))
        same = status == 0 and self.job.result(self.base / "run") == self.wanted
        if not same:
            print((self.base.parent / "log").read_text()[-2000:], flush=True)
        return same, sorted(self.there() ^ self.names)


def measure(trial, where, kills, wanted, minutes):
    """Kills, starts again, and counts, until so many kills struck or the time is over."""
    row, start = {"kills": 0, "ended_the_same": 0, "stray_files": 0}, time.monotonic()
    for kill in kills:
        found = trial.disturbed(kill)
        if found:
            same, stray = found
            row["kills"] += 1
            row["ended_the_same"] += same
            row["stray_files"] += len(stray)
            if not same or stray:
                print(f"{where}: the same: {same}, stray: {stray}", flush=True)
        if row["kills"] == wanted or time.monotonic() - start > 60 * minutes:
            break
    print(where, row, flush=True)
    return row


def jobs(names, folder):
    """The jobs of these names, one after the other."""
    folder.mkdir()
    if "download" in names:
        yield "download", Download(folder)
    import keras  # noqa: F401 (here, once: children inherit it)
    import tensorflow  # noqa: F401

    from lab.training import experiment  # noqa: F401

    if "head" in names:
        yield "head", Training(folder, "head", ("features", "Adam", "report"))
    if "network" in names:
        yield "network", Training(folder, "all", ("epoch 1 of 2", "epoch 2 of 2", "judging"))


def disturb(trial, options):
    """Kills a job at every step, and at random moments of its phases: yields rows of results."""
    every = list(range(1, trial.steps + 1))
    random.shuffle(every)
    if options.five:
        every = every[: 1 if isinstance(trial.job, Training) else 4]
    kills = [lambda n=n: trial.wait(trial.start(trial.job.run, n)) for n in every]
    where, minutes = f"{trial.steps} writes, fsyncs, renames, removals", options.minutes
    yield where, measure(trial, where, kills, len(kills), minutes)
    for phase in () if options.five else trial.job.phases:
        kills = [lambda p=phase: trial.kill_in(p)[0]] * (4 * options.moments)
        yield phase, measure(trial, phase, kills, options.moments, minutes)


def interrupt(trial, options):
    """Ctrl-C and SIGTERM in every phase of a job: yields rows of results."""
    for phase in filter(None, trial.seconds):
        row = {"signals": 0, "right_status_and_words": 0, "slowest_seconds": 0.0}
        for turn in range(4 * options.moments):
            number = list(interruption.STATUS)[turn % 2]
            trial.clear()
            status, seconds = trial.kill_in(phase, number)
            if status == 0:  # it had ended before
                continue
            row["signals"] += 1
            said = "interrupted" in trial.last_line()
            row["right_status_and_words"] += said and status == interruption.STATUS[number]
            row["slowest_seconds"] = max(row["slowest_seconds"], round(seconds, 2))
            if row["signals"] == options.moments:
                break
        print(phase, row, flush=True)
        yield f"interrupted: {phase}", row


def right(row):
    """Whether a row of the results is as it must be."""
    if "kills" in row:
        return row["ended_the_same"] == row["kills"] and not row["stray_files"]
    return row["right_status_and_words"] == row["signals"] and row["slowest_seconds"] < 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20, metavar="N", help="of each phase")
    parser.add_argument("--minutes", type=float, default=1e9, metavar="N", help="a row, at most")
    parser.add_argument("--signals", action="store_true", help="Ctrl-C and SIGTERM, no kills")
    parser.add_argument("--five", action="store_true", help="five kills; writes no results")
    parser.add_argument("--jobs", nargs="+", default=("download", "head", "network"))
    options = parser.parse_args()
    random.seed(0)
    known = json.loads(TARGET.read_text())["jobs"] if TARGET.exists() else {}
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, job in jobs(options.jobs, folder / "inputs"):
            trial = Trial(job, folder / name)
            print(name, trial.steps, trial.seconds, sorted(trial.names), flush=True)
            for where, row in (interrupt if options.signals else disturb)(trial, options):
                good &= right(row)
                known.setdefault(name, {})[where] = row
                if not options.five:
                    files.write_json(TARGET, machine.describe() | {"seed": 0, "jobs": known})
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

"""A job in its own folder: undisturbed, then killed, started again and compared."""

import contextlib
import importlib
import os
import random
import shutil
import signal
import sys
import time
import traceback

from benchmarks.killing.steps import Board, Steps
from lab import beginning

MOMENT = 0.002  # seconds between two looks at the board


class Trial:
    """One job in its own folder, which is made anew for each kill.

    Args:
        job: what is run.
        base: the folder: run/ and cache/ are in it.

    Attributes:
        steps: how many the job has, or may have.
        seconds: of each of its phases.
    """

    def __init__(self, job, base):
        self.job, self.base, self.board = job, base, Board()
        self.seconds = {}
        status = self.wait(self.start(job.run), self.seconds)
        if status:
            raise SystemExit(f"{base.name}: undisturbed, it ended with {status}: {self.log()}")
        for name in (base.parent / "modules").read_text().split():
            with contextlib.suppress(Exception):  # some are no more than names
                importlib.import_module(name)  # once, here: later children inherit it
        self.steps = job.steps or self.board.read()[0]
        self.wanted, self.names = job.result(base / "run"), self.there()

    def there(self):
        return {str(p.relative_to(self.base)) for p in self.base.rglob("*") if p.is_file()}

    def log(self):
        return (self.base.parent / "log").read_text(errors="replace")[-2000:]

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
            beginning.begin()
            Steps(self.board, self.base, nth)
            status = function(self.base / "run")
            sys.stdout.flush()
            (self.base.parent / "modules").write_text("\n".join(sys.modules))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def wait(self, child, seconds=None):
        """A child's status; how long it was in each phase is added to `seconds`."""
        while True:
            ended, status = os.waitpid(child, os.WNOHANG if seconds is not None else 0)
            if ended:
                return os.waitstatus_to_exitcode(status)
            start = time.monotonic()
            *_, phase = self.board.read()
            time.sleep(MOMENT)
            seconds[phase] = seconds.get(phase, 0) + time.monotonic() - start

    def kill_in(self, phase, number=signal.SIGKILL):
        """Starts the job, and signals to it at a random moment of a phase.

        Returns:
            Its status, and the seconds that it took to end.
        """
        child, late = self.start(self.job.run), random.uniform(0, self.seconds.get(phase, 0))
        while self.board.read()[-1] != phase and not os.waitid(
            os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            time.sleep(MOMENT)
        time.sleep(late)
        start = time.monotonic()
        os.kill(child, number)
        return self.wait(child), time.monotonic() - start

    def clear(self):
        for name in ("run", "cache"):
            shutil.rmtree(self.base / name, ignore_errors=True)

    def disturbed(self, kill):
        """What a kill interrupts, and what the next run makes of it.

        Args:
            kill: starts the job, kills it, and returns its status.

        Returns:
            What the killed process did last, or None where it had ended before; whether the job
            ended the same; and the names of the files that are there too many, or missing.
        """
        self.clear()
        if kill() != -signal.SIGKILL:
            return None
        _, kind, _ = self.board.read()
        status = self.wait(self.start(self.job.again))
        same = status == 0 and self.job.result(self.base / "run") == self.wanted
        return kind, same, sorted(self.there() ^ self.names)

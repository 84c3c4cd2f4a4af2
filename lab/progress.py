"""What a run is doing: on a terminal a bar for each phase, elsewhere a line when it has ended."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

Step = TypeVar("Step")
Advance = Callable[[], object]

LONG = 2.0  # seconds: a phase that was not planned gets a line of its own if it took as long


class Progress:
    """The phases of a run, told on stderr.

    Args:
        plan: names of the phases to come, in their order: each bar also says what comes next.
        silent: tell nothing.
    """

    def __init__(self, plan: Sequence[str] = (), silent: bool = False):
        self.plan, self.silent = plan, silent
        self._running: list[str] = []

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """A phase of the run.

        Args:
            name: what is done in it, in a few words.
            total: its steps; None where it has none that could be counted.

        Yields:
            A function to be called after each step.
        """
        if self.silent:
            yield lambda: None
            return
        from tqdm import tqdm

        start = time.monotonic()
        self._running.append(name)
        form = None if total else "{desc}"
        # disable=None: no bar where stderr is no terminal.
        bar = tqdm(
            total=total, desc=self._label(), bar_format=form, leave=False,
            dynamic_ncols=True, disable=None,
        )  # fmt: skip
        shown = not bar.disable  # closing disables it
        try:
            yield bar.update
        finally:
            bar.close()
            path = ": ".join(self._running)
            self._running.pop()
        seconds = time.monotonic() - start
        if not shown and (name in self.plan or seconds >= LONG):
            print(f"{path}: {seconds:.1f} s", file=sys.stderr, flush=True)

    def over(self, name: str, steps: Sequence[Step]) -> Iterator[Step]:
        """A phase that goes through some steps; see `phase`."""
        with self.phase(name, len(steps)) as advance:
            for step in steps:
                yield step
                advance()

    def say(self, text: str) -> None:
        """A notice on stderr, above any bar."""
        if not self.silent:
            from tqdm import tqdm

            tqdm.write(text, file=sys.stderr)

    def _label(self) -> str:
        name = self._running[-1]
        if name not in self.plan or name == self.plan[-1]:
            return name
        return f"{name} (then {self.plan[self.plan.index(name) + 1]})"


SILENT = Progress(silent=True)


def show(text: str) -> None:
    """Prints a line of results on stdout, above any bar.

    Whoever reads stdout may stop reading, as `| head -3` does: what is under way goes on, since a
    training's results are files.
    """
    from tqdm import tqdm

    try:
        tqdm.write(text, file=sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        _stop_printing()


def _stop_printing() -> None:
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    print("nobody reads stdout any more: going on without", file=sys.stderr, flush=True)

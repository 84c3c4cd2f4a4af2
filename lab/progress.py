"""What a run is doing: on a terminal a bar for each phase, elsewhere a line at its end."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, TypeVar

from lab.errors import LabError, escaped

Step = TypeVar("Step")
Advance = Callable[..., object]

LONG = 2.0  # seconds: a phase that was not planned gets a line of its own if it took as long


class Progress:
    """Reports the phases of a run on stderr.

    Args:
        plan: names of the phases to come, in order: each bar also says what comes next.
        silent: print nothing.
    """

    def __init__(self, plan: Sequence[str] = (), silent: bool = False):
        self.plan, self.silent = plan, silent
        self._running: list[str] = []

    @contextmanager
    def phase(self, name: str, total: int | None = None, unit: str = "it") -> Iterator[Advance]:
        """A phase of the run.

        Args:
            name: what is done in it, in a few words.
            total: the number of its steps; None if they cannot be counted.
            unit: of the steps; "B" for bytes, which are counted in thousands.

        Yields:
            A function to be called after each step.
        """
        if self.silent:
            yield lambda *_: None
            return
        from tqdm import tqdm

        start = time.monotonic()
        self._running.append(name)
        form = None if total else "{desc}"
        # disable=None: no bar where stderr is no terminal.
        bar = tqdm(
            total=total, desc=self._label(), bar_format=form, leave=False,
            dynamic_ncols=True, disable=None, unit=unit, unit_scale=unit == "B",
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
            tell(f"{path}: {seconds:.1f} s")

    def over(self, name: str, steps: Sequence[Step]) -> Iterator[Step]:
        """A phase that goes through these steps; see `phase`."""
        with self.phase(name, len(steps)) as advance:
            for step in steps:
                yield step
                advance()

    def say(self, text: str) -> None:
        """A notice on stderr, above any bar."""
        if not self.silent:
            tell(text)

    def _label(self) -> str:
        name = escaped(self._running[-1])  # a file's, maybe: a terminal obeys some characters
        if name not in self.plan or name == self.plan[-1]:
            return name
        return f"{name} (then {self.plan[self.plan.index(name) + 1]})"


SILENT = Progress(silent=True)


def show(text: str) -> None:
    """Prints a line of results on stdout, above any bar."""
    _write(text, sys.stdout)


def tell(text: str) -> None:
    """Prints a notice on stderr, above any bar, so that results can be piped."""
    _write(text, sys.stderr)


def _write(text: str, stream: TextIO) -> None:
    """Prints a line, if there is somebody to read it.

    Whoever reads may stop, as `| head -3` does: what is under way goes on, since a training's
    results are files.
    """
    from tqdm import tqdm

    encoding = stream.encoding or "utf-8"
    try:  # names of files may hold what a terminal cannot show
        text = escaped(text, kept="\n\t")  # of files and classes: a terminal obeys some
        tqdm.write(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if stream is sys.stdout:
            if not isinstance(error, BrokenPipeError):  # a file, on a disk that is full
                raise LabError(
                    f"stdout: cannot be written ({error.strerror}); send it elsewhere"
                ) from None
            tell("nobody reads stdout any more: going on without")

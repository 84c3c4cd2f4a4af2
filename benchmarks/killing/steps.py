"""What a process does to the files below a folder is counted; at one step, it kills itself.

A step is a write (of many to one file the 1st, 2nd, 4th, 8th ...; the kill leaves half of it), an
fsync or a removal that is about to be, or a rename before and after it.
"""

import builtins
import io
import mmap
import os
import signal
from pathlib import Path

from lab import progress

SAVING = (".trunk-", ".classifier-")  # the temporary files that a training's result is written to


class Board:
    """What a child tells while it runs: its steps, what the last one was, and its phase."""

    def __init__(self):
        self.memory = mmap.mmap(-1, 256)

    def write(self, steps=0, kind="", phase=""):
        self.memory[:256] = f"{steps}\n{kind}\n{phase}\n".encode().ljust(256)

    def read(self):
        steps, kind, phase, _ = self.memory[:256].decode().split("\n", 3)
        return int(steps), kind, phase


class Steps:
    """Watches this process.

    Args:
        board: where it is told.
        folder: of the files.
        nth: the step to die at; 0 for none.
    """

    def __init__(self, board, folder, nth):
        self.board, self.folder, self.nth = board, folder, nth
        self.count, self.kind, self.phase = 0, "", ""
        self.open = builtins.open
        builtins.open = io.open = self.opening
        for kind in ("fsync", "unlink"):
            setattr(os, kind, self.after_step(kind, getattr(os, kind)))
        os.replace = self.around_step("rename", os.replace)
        progress.Progress.phase = self.telling(progress.Progress.phase)
        self.entering("start")

    def step(self, kind, before_the_end=lambda: None):
        self.count, self.kind = self.count + 1, kind
        self.board.write(self.count, kind, self.phase)
        if self.count == self.nth:
            before_the_end()
            os.kill(os.getpid(), signal.SIGKILL)

    def after_step(self, kind, function):
        def call(*arguments, **options):
            self.step(kind)
            return function(*arguments, **options)

        return call

    def around_step(self, kind, function):
        def call(*arguments, **options):
            self.step(kind)
            function(*arguments, **options)
            self.step(kind)

        return call

    def telling(self, phase):
        def call(progress, name, *arguments, **options):
            self.entering(name)
            return phase(progress, name, *arguments, **options)

        return call

    def entering(self, name):
        self.phase = name
        self.board.write(self.count, self.kind, name)

    def opening(self, file, mode="r", *arguments, **options):
        stream = self.open(file, mode, *arguments, **options)
        writes = set(mode) & set("wax+") and not isinstance(file, int)
        if writes and self.folder in Path(file).absolute().parents:
            if Path(file).name.startswith(SAVING):
                self.entering("saving")
            write, number = stream.write, 0

            def half(content):
                nonlocal number
                number += 1
                if number & (number - 1) == 0:
                    self.step(
                        "write", lambda: (write(content[: len(content) // 2]), stream.flush())
                    )
                return write(content)

            stream.write = half
        return stream

"""The power that NVIDIA's GPUs draw, as nvidia-smi tells it."""

import subprocess
import threading

import numpy as np

COMMAND = ("nvidia-smi", "--query-gpu=power.draw", "--format=csv,noheader,nounits")


class Power:
    """Watts of all GPUs together, asked for twice a second while a block runs."""

    def __enter__(self):
        self._end, self._seen = threading.Event(), []
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _ask(self):
        while not self._end.wait(0.5):
            try:
                done = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
                self._seen.append(sum(map(float, done.stdout.split())))
            except (OSError, ValueError, subprocess.CalledProcessError):
                return  # no such program, or a GPU that does not tell

    @property
    def mean(self):
        """None if it is not known."""
        return round(float(np.mean(self._seen)), 1) if self._seen else None

"""SIGKILL: the next run ends as if there had been none."""

import subprocess
import sys

from lab import files


def test_five_kills():
    """Four of a download, one of a head's training; benchmarks/kills.py has many more."""
    command = [sys.executable, str(files.ROOT / "benchmarks/kills.py"), "--five"]
    done = subprocess.run([*command, "--jobs", "download", "head"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if "ended_the_same" in line]
    assert len(rows) == 2 and "'kills': 4," in rows[0] and "'kills': 1," in rows[1]

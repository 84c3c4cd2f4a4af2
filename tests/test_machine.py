"""What a run says of the machine."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lab import files, machine


def test_peak_memory():
    """It follows what this process holds, in MiB."""
    held = np.ones(2**27, np.uint8)  # 128 MiB
    after = machine.peak_rss_mib()
    del held
    assert after > 128
    assert machine.peak_rss_mib() > after - 2  # the peak stays; the kernel counts to some pages


def test_peak_memory_is_one_s_own():
    """A large process that starts a small one does not make it large."""
    held = np.ones(2**28, np.uint8)  # 256 MiB
    code = "from lab import machine; print(machine.peak_rss_mib())"
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=files.ROOT, capture_output=True, check=True)
    del held
    assert 5 < float(shown.stdout) < 200


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="only Linux tells")
def test_instructions():
    """They agree with what NumPy finds by asking the processor itself."""
    features = np._core._multiarray_umath.__cpu_features__
    assert (machine.instructions() != "") == features["AVX2"]
    assert (machine.instructions() in ("", "AVX2")) == (not features["AVX512F"])

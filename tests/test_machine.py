"""What a run says of the machine."""

import subprocess
import sys

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


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("sse avx avx2 avx512f avx512_bf16 amx_bf16", "AMX"),
        ("avx2 avx512f avx512_bf16", "AVX-512 with bfloat16"),
        ("avx2 avx512f avx512_vnni", "AVX-512"),
        ("sse avx avx2", "AVX2"),
        ("sse avx", ""),
        ("", ""),
    ],
)
def test_instructions(monkeypatch, flags, name):
    """The widest that the processor has."""
    monkeypatch.setattr(machine, "_of_processor", {"flags": flags}.get)
    assert machine.instructions() == name

"""What a run ran on: versions of packages, processor, and the memory that it took."""

import datetime
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pandas")
# As Linux names them; the first that a processor has.
INSTRUCTIONS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX-512 with bfloat16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}


def versions() -> dict[str, str]:
    """Python's version and that of each package in `PACKAGES`."""
    packages = {package: metadata.version(package) for package in PACKAGES}
    return {"python": platform.python_version()} | packages


def peak_rss_mib() -> float | None:
    """The most memory this process has held so far, in MiB; None if it is unknown."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux' getrusage goes on counting from the process that started this one.
        line = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
        return round(int(line[1]) / 2**10, 1) if line else None
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def processor() -> str:
    """The processor's name, as the system tells it."""
    return _of_processor("model name") or platform.processor()


def instructions() -> str:
    """The widest instructions that the processor has for networks, or "": not on x86 and Linux."""
    flags = _of_processor("flags").split()
    return next((name for flag, name in INSTRUCTIONS.items() if flag in flags), "")


def _of_processor(what: str) -> str:
    """What the system tells of the first processor, or ""."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(what))
    return next(found, "")


def describe() -> dict:
    """Command, date, machine and versions, as a benchmark's results name them."""
    words = [word if word.startswith("-") else Path(word).name for word in sys.argv[1:]]
    return {
        "command": " ".join([f"python benchmarks/{Path(sys.argv[0]).name}", *words]),
        "date": datetime.date.today().isoformat(),
        "machine": {
            "processor": processor(),
            "instructions": instructions(),
            "cores": os.cpu_count(),
        },
        "versions": versions(),
    }

"""Fuzzes every reader of strangers' files with atheris, and writes benchmarks/results/fuzz.json.

    make fuzz                                    a million inputs a reader: some hours
    python benchmarks/fuzz.py --inputs 10000     fewer
    python benchmarks/fuzz.py --plant            only whether planted faults are found

Each reader runs in a process of its own, from small valid files (tests/readers.py). An input breaks
a rule where anything but `LabError` comes out, where the error is longer than a line of 300
characters, where it takes more than two seconds, or more memory than 64 MB and twice its size (of a
picture 8 bytes for each pixel that it claims). atheris comes with requirements-fuzz.txt.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from lab import files

TARGET = ROOT / "benchmarks/results/fuzz.json"
FUZZING = ROOT / "benchmarks/fuzzing"
ENVIRONMENT = os.environ | {"LAB_CACHE": "cache", "TF_CPP_MIN_LOG_LEVEL": "3"}
PLANTED = ("pickle", "npz", "classifier")  # the readers that a fault is planted in
MOST_PLANTED = 200_000  # inputs in which a planted fault is to be found


def run(name: str, inputs: int, corpus: Path, fault: str | None = None) -> dict[str, Any]:
    """Fuzzes one reader in a process of its own; what it saw."""
    import readers

    corpus.mkdir(parents=True)
    for number, seed in enumerate(readers.READERS[name].seeds()):
        (corpus / f"seed{number}").write_bytes(seed)
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        state = corpus.parent / f"{name}.json"
        command = [sys.executable, str(FUZZING / "process.py"), name, str(inputs), str(state)]
        command += [str(corpus), *([fault] if fault else [])]
        output = corpus.parent / f"{name}.log"
        with open(output, "wb") as log:
            status = subprocess.run(
                command, cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log, check=False
            ).returncode
    seen: dict[str, Any] = json.loads(state.read_text()) if state.exists() else {}
    if status and not seen.get("broken_rule"):
        seen["broken_rule"] = f"status {status}: {output.read_text(errors='replace')[-300:]}"
    return seen


def memory_folder() -> str | None:
    """Where files need no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def covered(name: str, corpus: Path) -> float:
    """Share of the reader's lines that those inputs reach which atheris kept."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        command = [sys.executable, str(FUZZING / "lines.py"), name, str(corpus)]
        done = subprocess.run(
            command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
    return float(done.stdout.split()[-1])


class Results:
    """Rows of results; of earlier runs, those stay that are not measured again.

    Args:
        path: of the JSON file.
        inputs: that each reader is given.
    """

    def __init__(self, path: Path, inputs: int):
        self.path, self.inputs = path, inputs
        self.rows: dict[str, dict[str, Any]] = {"planted": {}, "readers": {}}
        if path.exists():
            there = json.loads(path.read_text())
            self.rows = {group: there[group] for group in self.rows}
        self.about = {
            "command": " ".join(
                ["python benchmarks/fuzz.py", *(Path(word).name for word in sys.argv[1:])]
            ),
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        }

    def done(self, group: str, name: str) -> bool:
        """Whether an earlier run of the same code has seen this, with no fewer inputs."""
        row = self.rows[group].get(name, {})
        done = not row.get("broken_rule") and row.get("wanted") == self.inputs
        done = done and row.get("code") == code(row.get("modules", []))
        if done:
            print(group, name, f"kept, of the same code: {row['inputs']:,} inputs", flush=True)
        return done

    def note(self, group: str, name: str, seen: dict[str, Any]) -> None:
        """Adds a row, and writes all of them."""
        print(group, name, json.dumps(seen), flush=True)
        own = {"wanted": self.inputs, "code": code(seen.get("modules", []))}
        self.rows[group][name] = seen | own | self.about
        self.path.parent.mkdir(exist_ok=True)
        files.write_json(self.path, self.rows)

    def good(self) -> bool:
        """Whether no reader broke a rule, and every planted fault was found."""
        broken = [row for row in self.rows["readers"].values() if row.get("broken_rule")]
        missed = [row for row in self.rows["planted"].values() if not row.get("found")]
        return not broken and not missed


def code(modules: list[str]) -> str:
    """A hash of the modules that a reader imports, and of what fuzzes it."""
    digest = hashlib.sha256()
    tests = ("readers", "seeds", "mutations", "python2_npy")
    paths = [FUZZING / "process.py", *(ROOT / f"tests/{name}.py" for name in tests)]
    for module in modules:
        path = ROOT / module.replace(".", "/")
        paths.append(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
    for path in paths:
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


def measure(options: argparse.Namespace, results: Results) -> None:
    """Fuzzes the readers that are named, and the planted faults."""
    import readers

    with tempfile.TemporaryDirectory() as folder:
        for fault in PLANTED:
            if not results.done("planted", fault):
                seen = run(fault, MOST_PLANTED, Path(folder) / "planted" / fault, fault)
                found = {"found": seen.pop("broken_rule", None)}
                found |= {key: seen.get(key) for key in ("inputs", "modules")}
                results.note("planted", fault, found)
        for name in [] if options.plant else options.readers or readers.READERS:
            if not results.done("readers", name):
                seen = run(name, options.inputs, Path(folder) / name)
                if not seen.get("broken_rule"):
                    seen["lines_covered"] = covered(name, Path(folder) / name)
                results.note("readers", name, seen)


def main() -> int:
    """Reads the options, fuzzes, writes the results as they come."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--readers", nargs="*")
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args()
    results = Results(options.output, options.inputs)
    try:
        measure(options, results)
    except KeyboardInterrupt:
        print(f"interrupted; what is done is in {options.output}, and is kept")
        return 130
    return 0 if results.good() else 1


if __name__ == "__main__":
    raise SystemExit(main())

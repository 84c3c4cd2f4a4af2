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
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
TARGET = ROOT / "benchmarks/results/fuzz.json"
MOST_LENGTH = 40_000  # bytes of an input; a classifier on fc7 has 19,000
MOST_PLANTED = 200_000  # inputs in which a planted fault is to be found


def plant(fault: str) -> None:
    """Breaks a reader on purpose."""
    if fault == "pickle":  # what NumPy and codecs raise comes out
        from lab.pickles import arrays

        arrays.parse = lambda parser, *given: parser(*given)
    if fault == "npz":  # every shape fits: the header has 128 bytes
        from lab import npz

        npz.array_size = lambda shape, dtype, room: room - 128
    if fault == "classifier":  # its parts are not checked
        from lab.classifier import loading

        loading._check = lambda classifier: None


def fuzz(name: str, inputs: int, state: Path, corpus: Path, fault: str | None) -> None:
    """Fuzzes one reader in this process, and writes what was seen; it does not return."""
    import atheris

    with atheris.instrument_imports(include=["lab", "alexnet"]):
        import mutations
        import readers

        if name == "classifier":
            pass
        if name in ("features", "key"):
            pass
    from lab import cached

    if fault:
        plant(fault)

    cached.tell = lambda text: None
    reader = readers.READERS[name]
    seeds = reader.seeds()
    for seed in seeds:  # whatever is imported for it takes time and memory, once
        Path(reader.name).write_bytes(seed)
        reader.read(Path(reader.name))
    rules, start = readers.Rules(reader, Path()), time.monotonic()

    def one(content: bytes) -> None:
        done = rules.refused + rules.accepted + 1
        try:
            rules.read(content)
        except BaseException as error:
            report(error)
            raise
        if done == inputs or done % 1000 == 0:
            report(None)
        if done == inputs:
            os._exit(0)

    def report(error: BaseException | None) -> None:
        seen: dict[str, Any] = {
            "inputs": rules.refused + rules.accepted + (error is not None),
            "refused": rules.refused,
            "accepted": rules.accepted,
            "slowest_seconds": round(rules.slowest, 3),
            "most_bytes": rules.most,
            "seconds": round(time.monotonic() - start),
            "broken_rule": error and f"{type(error).__name__}: {error}"[:300],
        }
        state.write_text(json.dumps(seen))

    def mutate(content: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:  # from a whole file: most of those that are kept are damaged
            return mutations.mutated(chance.choice(seeds), chance)[:most]
        if chance.random() < 0.5:
            return mutations.mutated(content, chance)[:most]
        if content.startswith(b"PK"):
            return mutations.within_zip(content, lambda m: atheris.Mutate(m, most), chance)[:most]
        return atheris.Mutate(content, most)

    words = [f"-max_len={MOST_LENGTH}", f"-seed={1 + len(name)}", "-rss_limit_mb=6000"]
    words += ["-timeout=60", "-mutate_depth=1", "-print_final_stats=0", "-verbosity=0", str(corpus)]
    atheris.Setup([sys.argv[0], *words], one, custom_mutator=mutate)
    atheris.Fuzz()


def run(name: str, inputs: int, corpus: Path, fault: str | None = None) -> dict[str, Any]:
    """Fuzzes one reader in a process of its own; what it saw."""
    import readers

    corpus.mkdir(parents=True)
    for number, seed in enumerate(readers.READERS[name].seeds()):
        (corpus / f"seed{number}").write_bytes(seed)
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        state = corpus.parent / f"{name}.json"
        command = [sys.executable, str(Path(__file__).resolve()), "--one", name]
        command += ["--inputs", str(inputs), "--state", str(state), "--corpus", str(corpus)]
        command += ["--fault", fault] if fault else []
        environment = os.environ | {"LAB_CACHE": "cache", "TF_CPP_MIN_LOG_LEVEL": "3"}
        output = corpus.parent / f"{name}.log"
        with open(output, "wb") as log:
            status = subprocess.run(
                command, cwd=folder, env=environment, stdout=log, stderr=log, check=False
            ).returncode
    seen: dict[str, Any] = json.loads(state.read_text()) if state.exists() else {}
    if status and not seen.get("broken_rule"):
        seen["broken_rule"] = f"status {status}: {output.read_text(errors='replace')[-300:]}"
    return seen


def memory_folder() -> str | None:
    """Where files need no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def covered(name: str, corpus: Path) -> float:
    """Share of the reader's lines that the inputs reach which atheris kept, by coverage.py."""
    code = f"import fuzz; fuzz.replay({name!r}, {str(corpus)!r})"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "benchmarks"), "LAB_CACHE": "cache"}
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    return float(done.stdout.split()[-1])


def replay(name: str, corpus: str) -> None:
    """Reads the inputs of a folder again and prints the share of lines that ran."""
    import coverage

    measured = coverage.Coverage(data_file=None, source=[str(ROOT / "lab")])
    measured.start()
    import readers

    from lab import cached
    from lab.errors import LabError

    cached.tell = lambda text: None
    reader = readers.READERS[name]
    for path in sorted(Path(corpus).iterdir()):
        (Path() / reader.name).write_bytes(path.read_bytes())
        with contextlib.suppress(LabError):
            reader.read(Path() / reader.name)
    measured.stop()
    lines = missing = 0
    for path in modules(reader.modules):
        _, statements, _, left, _ = measured.analysis2(str(path))
        lines, missing = lines + len(statements), missing + len(left)
    print(round(1 - missing / lines, 4))


def modules(names: tuple[str, ...]) -> list[Path]:
    """The files of modules and folders in lab/."""
    places = [ROOT / "lab" / name for name in names]
    inside = [sorted(place.glob("*.py")) or [place.with_suffix(".py")] for place in places]
    return [file for files in inside for file in files]


def measure(options: argparse.Namespace, note: Callable[[dict[str, Any]], None]) -> None:
    """Fuzzes the readers that are named, and the planted faults."""
    import readers

    with tempfile.TemporaryDirectory() as folder:
        for fault in ("pickle", "npz", "classifier"):
            seen = run(fault, MOST_PLANTED, Path(folder) / "planted" / fault, fault)
            found = seen.get("broken_rule")
            note({"planted": {fault: {"inputs": seen.get("inputs"), "found": found}}})
        for name in [] if options.plant else options.readers or readers.READERS:
            seen = run(name, options.inputs, Path(folder) / name)
            if not seen.get("broken_rule"):
                seen["lines_covered"] = covered(name, Path(folder) / name)
            note({"readers": {name: seen}})


def main() -> int:
    """Reads the options, fuzzes, writes the results as they come."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--readers", nargs="*")
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--output", type=Path, default=TARGET)
    for name in ("one", "state", "corpus", "fault"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        state, corpus = Path(options.state), Path(options.corpus)
        fuzz(options.one, options.inputs, state, corpus, options.fault)
    import platform

    result: dict[str, Any] = {
        "command": f"benchmarks/fuzz.py --inputs {options.inputs}",
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "readers": {},
        "planted": {},
    }

    def note(part: dict[str, Any]) -> None:
        for group, rows in part.items():
            result[group] |= rows
            print(group, json.dumps(rows), flush=True)
        options.output.parent.mkdir(exist_ok=True)
        options.output.write_text(json.dumps(result, indent=2) + "\n")

    measure(options, note)
    broken = [name for name, seen in result["readers"].items() if seen.get("broken_rule")]
    missed = [name for name, seen in result["planted"].items() if not seen["found"]]
    return 1 if broken or missed else 0


if __name__ == "__main__":
    raise SystemExit(main())

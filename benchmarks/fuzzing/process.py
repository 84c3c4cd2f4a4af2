"""Fuzzes one reader with atheris: python benchmarks/fuzzing/process.py READER INPUTS STATE CORPUS.

Nothing of lab/ is imported before atheris can watch it.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
MOST_LENGTH = 40_000  # bytes of an input; a classifier on fc7 has 19,000


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


def fuzz(name: str, inputs: int, state: Path, corpus: Path, fault: str = "") -> None:
    """Fuzzes one reader in this process; it does not return.

    Args:
        name: of the reader.
        inputs: how many it is given.
        state: where what was seen is written to, now and then.
        corpus: the folder of the seeds, in which inputs that reach new lines are kept.
        fault: one to plant.
    """
    import atheris

    with atheris.instrument_imports(include=["lab", "alexnet"]):
        import mutations
        import readers
    from lab import cached

    if fault:
        plant(fault)

    cached.tell = lambda text: None
    reader = readers.READERS[name]
    seeds = reader.seeds()
    for seed in seeds:  # whatever is imported for it takes time and memory, once
        Path(reader.name).write_bytes(seed)
        reader.read(Path(reader.name))
    modules = sorted(name for name in sys.modules if name.split(".")[0] in ("lab", "alexnet"))
    rules, start = readers.Rules(reader, Path()), time.monotonic()

    def one(content: bytes) -> None:
        try:
            rules.read(content)
        except BaseException as error:
            report(error)
            raise
        if rules.inputs % 1000 == 0 or rules.inputs == inputs:
            report(None)
        if rules.inputs == inputs:
            os._exit(0)

    def report(error: BaseException | None) -> None:
        seen: dict[str, Any] = {
            "inputs": rules.inputs + (error is not None),
            "refused": rules.refused,
            "thrown_away": rules.thrown_away,
            "accepted": rules.accepted,
            "slowest_seconds": round(rules.slowest, 3),
            "most_bytes": rules.most,
            "seconds": round(time.monotonic() - start),
            "broken_rule": error and f"{type(error).__name__}: {error}"[:300],
            "modules": modules,
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


if __name__ == "__main__":
    reader, count, *paths = sys.argv[1:5]
    fuzz(reader, int(count), *map(Path, paths), *sys.argv[5:])

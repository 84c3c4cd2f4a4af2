"""The share of a reader's lines that inputs reach, by coverage.py.

python benchmarks/fuzzing/lines.py READER CORPUS prints it; it writes where it is started.
"""

import ast
import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def replay(name: str, corpus: Path) -> float:
    """Reads the inputs of a folder again: the share of the reader's lines that ran."""
    import coverage

    measured = coverage.Coverage(data_file=None, source=[str(ROOT / "lab")])
    measured.start()
    import readers

    from lab import cached
    from lab.errors import LabError

    cached.tell = lambda text: None
    reader = readers.READERS[name]
    for path in sorted(corpus.iterdir()):
        (Path() / reader.name).write_bytes(path.read_bytes())
        with contextlib.suppress(LabError, readers.ThrownAway):
            reader.read(Path() / reader.name)
    measured.stop()
    lines = missing = 0
    for path, numbers in statements(reader.modules).items():
        _, own, _, left, _ = measured.analysis2(str(path))
        lines, missing = lines + len(numbers & {*own}), missing + len(numbers & {*left})
    return round(1 - missing / lines, 4)


def statements(names: tuple[str, ...]) -> dict[Path, set[int]]:
    """The lines of modules and folders in lab/, or "module:f,C" of functions and classes in one."""
    lines: dict[Path, set[int]] = {}
    for module, _, parts in (name.partition(":") for name in names):
        place = ROOT / "lab" / module
        for path in sorted(place.glob("*.py")) or [place.with_suffix(".py")]:
            tree = ast.parse(path.read_text())
            inside = [node for name in parts.split(",") for node in body(tree, name)]
            numbers = {n for node in inside for n in range(node.lineno, node.end_lineno + 1)}
            lines[path] = lines.get(path, set()) | numbers
    return lines


def body(tree: ast.Module, name: str) -> list[ast.stmt]:
    """What is in a function or class of a module; in the module itself, without a name."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    named = [n for n in ast.walk(tree) if isinstance(n, kinds) and n.name == name]
    return named[0].body if name else tree.body


if __name__ == "__main__":
    print(replay(sys.argv[1], Path(sys.argv[2])))

"""What holds for every script: packages that are missing, statuses, help, the Makefile."""

import gc
import hashlib
import re
import runpy
import subprocess
import sys

import pytest

from lab import command_line, files, progress
from lab.errors import LabError

SCRIPTS = sorted(path.name for path in files.ROOT.glob("*_*.py") if "classes" not in path.name)
BENCHMARKS = sorted(
    path.name for path in (files.ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text()
)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("argv", [["--help"], []])
def test_without_the_packages(script, argv):
    """The virtual environment is not active: one line says how to get there, status 2."""
    # -S: without the folder that packages are installed in.
    command = [sys.executable, "-S", str(files.ROOT / script), *argv]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "package numpy, tensorflow, PIL, tqdm;" in done.stderr
    assert (
        ". .venv/bin/activate" in done.stderr and "pip install -r requirements.txt" in done.stderr
    )


@pytest.mark.parametrize("script", BENCHMARKS)
def test_the_help_of_a_benchmark_measures_nothing(script, monkeypatch, capsys):
    """--help is help: no file of the repository is written, no traceback."""

    def hashes():
        results = (files.ROOT / "benchmarks/results").glob("*")
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (*results, files.ROOT / "README.md")
        }

    before = hashes()
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(files.ROOT / "benchmarks" / script), run_name="__main__")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ") and hashes() == before


def test_the_start_of_tensorflow_is_told_where_it_takes_long(monkeypatch, capfd):
    """A line after two seconds, none before: here it is imported already."""
    command_line.start_tensorflow()
    assert "starting" not in capfd.readouterr().err
    monkeypatch.setattr(progress, "LONG", 0.0)
    command_line.start_tensorflow()
    assert re.match(r"starting TensorFlow: \d\.\d s\ndevice: .+\n$", capfd.readouterr().err)


def test_the_garbage_collector_skips_tensorflow_alone(monkeypatch):
    """What the import made is out of its reach; it works on, also where the import fails."""
    code = """
import gc
from lab import command_line
command_line.start_tensorflow()
frozen = gc.get_freeze_count()
garbage = [[] for _ in range(1000)]
command_line.start_tensorflow()
print(frozen > 100_000, gc.get_freeze_count() == frozen, gc.isenabled())
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=files.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True True True\n"
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(LabError, match="TensorFlow cannot be imported"):
        command_line.start_tensorflow()
    assert gc.isenabled()


def test_make_clean_leaves_the_environment():
    """It removes the stored features; the environment takes minutes to install again."""
    command = ["make", "-n", "clean"]
    done = subprocess.run(command, cwd=files.ROOT, capture_output=True, text=True, check=True)
    assert "cache" in done.stdout and ".venv" not in done.stdout


def test_make_clean_names_another_cache(tmp_path):
    """It may hold more than features: it is named, and left alone."""
    (tmp_path / "notes").touch()
    command = ["make", "-f", files.ROOT / "Makefile", "clean", f"LAB_CACHE={tmp_path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"LAB_CACHE={tmp_path} is left" in done.stdout and (tmp_path / "notes").exists()

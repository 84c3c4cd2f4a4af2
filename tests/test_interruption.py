"""Ctrl-C and SIGTERM: the end within two seconds, its status, and how to go on."""

import signal
import subprocess
import sys
import time

import pytest

from lab import files, runs

SCRIPTS = (
    "imagenet_inference.py",
    "traffic_sign_inference.py",
    "feature_extraction.py",
    "train_feature_extraction.py",
)
# What is interrupted, in a process of its own: it does not return to Python for a minute.
BUSY = """
import signal, sys
sys.path.insert(0, {root!r})
from lab import beginning, files
signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored, in a job in the background
beginning.begin()
import ctypes
with files.atomic({target!r}) as part:
    print("busy", flush=True)
    {call}
"""
# sleep lets other threads run, as TensorFlow does in a step.
CALLS = {"C++": "ctypes.CDLL(None).sleep(60)", "Python": "while True: pass"}


def interrupted(process, number):
    """Status and last line of a process that is told to end, within two seconds."""
    start = time.monotonic()
    process.send_signal(number)
    err = process.communicate(timeout=20)[1]
    assert time.monotonic() - start < 2
    assert "Traceback" not in err
    return process.returncode, err.splitlines()[-1]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_in_the_middle_of_a_long_call(tmp_path, call, number, status):
    """Python's own handler would wait for its end. What was being written is removed."""
    code = BUSY.format(root=str(files.ROOT), target=str(tmp_path / "a"), call=CALLS[call])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert process.stdout.readline() == "busy\n"
        assert len(list(tmp_path.iterdir())) == 1
        line = "interrupted; give the same command again"
        assert interrupted(process, number) == (status, line)
    assert not list(tmp_path.iterdir())


BEGINS = """
import runpy, sys
slow = {{"argparse", "pathlib", "subprocess", "numpy", "lab.files", "lab.command_line"}}
slow -= set(sys.modules)  # what runpy and site need is no fault of ours
from lab import beginning
beginning.begin = lambda: sys.exit(", ".join(slow & set(sys.modules)) or 0)
runpy.run_{kind}({name!r}, run_name="__main__")
sys.exit("not called")
"""


@pytest.mark.parametrize("name", [*SCRIPTS, "lab"])
def test_it_begins_before_slow_imports(name):
    """Until then, Ctrl-C ends in a traceback."""
    code = BEGINS.format(kind="path" if name in SCRIPTS else "module", name=name)
    assert subprocess.run([sys.executable, "-c", code], cwd=files.ROOT).returncode == 0


def test_what_the_shell_ignores_is_ignored():
    """A job in the background, where Ctrl-C is for the one in front."""
    code = f"""
import os, signal, sys, time
sys.path.insert(0, {str(files.ROOT)!r})
from lab import beginning
signal.signal(signal.SIGINT, signal.SIG_IGN)
beginning.begin()
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.3)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_while_tensorflow_starts(tiny_p, conv_npz, tmp_path):
    """Nothing has begun: that is said, with the folder, though nobody reads stderr just then."""
    command = [sys.executable, str(files.ROOT / "train_feature_extraction.py"), "--offline"]
    command += ["--data", str(tiny_p), "--weights", str(conv_npz)]
    command += ["--output", str(tmp_path / "run")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:  # the last before TensorFlow is imported
            if line.startswith("weights: "):
                break
        time.sleep(0.5)
        status, last = interrupted(process, signal.SIGTERM)
    assert status == 143 and not (tmp_path / "run").exists()
    assert last == (
        f"interrupted before the run in {tmp_path / 'run'} began: there is nothing to go on with; "
        "give the same command again"
    )


def test_what_is_said_of_a_run(tmp_path):
    """Begun: how to resume it, from any folder. Complete: that it is."""
    (tmp_path / runs.OPTIONS).touch()
    again = f"interrupted; to go on: python train_feature_extraction.py --resume {tmp_path}"
    assert runs.way_on(tmp_path) == again
    (tmp_path / runs.METRICS).touch()
    assert runs.way_on(tmp_path) == f"interrupted; the run in {tmp_path} is complete"

"""A run's folder: its options, how it is stopped and goes on."""

import functools
import io
import json
import os
import pickle
import re
import shlex
import signal
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
import pytest

import train_feature_extraction
from lab import files, locks, progress, runs
from lab.data import Dataset
from lab.errors import LabError
from lab.sources import labelled_sets
from lab.training import frozen_heads


def argv_of(tiny_p, conv_npz, *more):
    argv = ["--data", tiny_p, "--weights", conv_npz, "--epochs", 2, *more]
    return [str(word) for word in argv]


def stopped(monkeypatch, argv):
    """The status of a run that Ctrl-C stops when its head is trained."""
    with monkeypatch.context() as patch:
        patch.setattr(
            frozen_heads, "fit", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        return train_feature_extraction.main(argv)


def test_files_that_are_called_like_options(tiny_p, conv_npz, tmp_path, monkeypatch, capfd):
    """A file "track", a folder "2": what is resumed is the same run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "track").touch()
    (tmp_path / "2").mkdir()
    argv = argv_of(os.path.relpath(tiny_p), os.path.relpath(conv_npz), "--split", "track")
    assert stopped(monkeypatch, [*argv, "--output", "run"]) == 130
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    capfd.readouterr()
    assert train_feature_extraction.main(["--resume", "../run"]) == 0
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["split"] == "track" and len(metrics["epochs"]) == 2


def test_ctrl_c_says_how_to_go_on(tiny_p, conv_npz, tmp_path, monkeypatch, capfd):
    """The folder, and the command that goes on with it."""
    folder = tmp_path / "run"
    argv = argv_of(tiny_p, conv_npz, "--output", folder)
    assert stopped(monkeypatch, argv) == 130
    err = capfd.readouterr().err
    assert f"to go on: python train_feature_extraction.py --resume {folder}\n" in err
    assert "to go on" in err.splitlines()[-1] and (folder / runs.OPTIONS).exists()
    assert train_feature_extraction.main(["--resume", str(folder)]) == 0


def test_nobody_reads_stdout(tiny_p, conv_npz, tmp_path):
    """`| head -1`: the training goes on to its classifier, and says so."""
    folder = tmp_path / "run"
    command = [sys.executable, str(files.ROOT / "train_feature_extraction.py")]
    command += argv_of(tiny_p, conv_npz, "--output", folder, "--offline")
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipe) as process:
        assert process.stdout.readline() == "EPOCH 1 ...\n"
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 0, err
    assert "nobody reads stdout any more" in err and "Traceback" not in err
    assert (folder / runs.CLASSIFIER).exists() and (folder / runs.METRICS).exists()


def test_phases_without_a_terminal(tiny_p, conv_npz, tmp_path, capfd, monkeypatch):
    """A line for each, with its seconds, and nothing else that moves."""
    monkeypatch.setattr(progress, "LONG", 1000.0)  # of others: on a busy machine any takes long
    argv = argv_of(tiny_p, conv_npz, "--output", tmp_path / "run")
    assert train_feature_extraction.main(argv) == 0
    err = capfd.readouterr().err
    timed = [line.split(":")[0] for line in err.splitlines() if line.endswith(" s")]
    assert [name for name in timed if ": " not in name] == [
        *("features", "head", "temperature", "refit", "report")
    ]
    assert "\r" not in err


def test_a_bar_on_a_terminal(monkeypatch, capfd):
    """Its name and what comes after it."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    told = progress.Progress(("features", "head"))
    for _ in told.over("features", range(3)):
        time.sleep(0.15)
    err = capfd.readouterr().err
    assert "features (then head)" in err and "3/3" in err and " s\n" not in err


def test_sigint_in_the_middle(tiny_p, tmp_path):
    """A real Ctrl-C, while features are computed: 130, and the next run goes on there."""
    images = np.random.default_rng(0).integers(0, 256, (640, 32, 32, 3), np.uint8)
    content = {"features": images, "labels": np.arange(640) % 43}
    (tmp_path / "d.p").write_bytes(pickle.dumps(content))
    folder = tmp_path / "run"
    command = [sys.executable, str(files.ROOT / "train_feature_extraction.py"), "--offline"]
    command += ["--data", str(tmp_path / "d.p"), "--weights", "bundled", "--epochs", "1"]
    command_of_run = [*command, "--output", str(folder)]
    # What a shell starts in the background, as these tests may be, is told to ignore Ctrl-C.
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command_of_run, stderr=subprocess.PIPE, preexec_fn=heard) as process:
        part = None
        for _ in range(1800):
            time.sleep(0.1)
            part = next((tmp_path / "cache").glob("*/features.part"), None)
            if part and part.stat().st_size > 128 * 9216 * 2:
                break
        process.send_signal(signal.SIGINT)
        err = process.stderr.read().decode()
    assert process.returncode == 130, err
    assert "--resume" in err and "Traceback" not in err
    again = [*command[:2], "--resume", str(folder), "--offline"]
    done = subprocess.run(again, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "of 640 pictures are on disk: going on" in done.stderr


def test_a_resized_copy_for_testing_is_found_before_the_training(
    tiny, tiny_p, conv_npz, tmp_path, capfd
):
    """Other pixels of the same frames, known by class, size and box: nothing is written."""
    copy = tiny | {"features": np.clip(tiny["features"].astype(int) + 1, 0, 255).astype(np.uint8)}
    (tmp_path / "copy.p").write_bytes(pickle.dumps(copy))
    argv = argv_of(tiny_p, conv_npz, "--test", tmp_path / "copy.p", "--output", tmp_path / "run")
    assert train_feature_extraction.main(argv) == 2
    assert "expected pictures for --test that the training does not learn" in capfd.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_seed_reaches_the_split(tiny, conv_npz, tmp_path):
    """Other pictures are held out with another seed."""
    (tmp_path / "d.p").write_bytes(pickle.dumps(tiny))
    rows = []
    for seed in ("0", "1"):
        argv = argv_of(tmp_path / "d.p", conv_npz, "--seed", seed, "--output", tmp_path / seed)
        assert train_feature_extraction.main(argv) == 0
        table = (tmp_path / seed / "predictions.csv").read_text().splitlines()[1:]
        rows.append([line.split(",")[0] for line in table])
    assert rows[0] != rows[1]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layer": "conv9"}', '{"nonsense": 1}', "null"])
def test_options_that_cannot_be_read(tmp_path, capfd, text):
    """Status 2 and one line; an empty dict is a run with the defaults, whose data are missing."""
    (tmp_path / runs.OPTIONS).write_text(text)
    argv = ["--resume", str(tmp_path), "--offline"]
    assert train_feature_extraction.main(argv) == 2
    err = capfd.readouterr().err
    assert "Traceback" not in err and err.splitlines()[-1]


def test_words_are_not_files(tiny_p, conv_npz, tmp_path, monkeypatch):
    """A file that is called rendered, a folder bundled: the words stay words."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rendered").touch()
    (tmp_path / "bundled").mkdir()
    argv = ["--data", "rendered", "--weights", "bundled", "--epochs", "1", "--output", "run"]
    monkeypatch.setattr(labelled_sets, "RENDERED_COUNT", 43 * 20)
    assert stopped(monkeypatch, argv) == 130
    written = json.loads((tmp_path / "run" / runs.OPTIONS).read_text())
    assert (written["data"], written["weights"]) == ("rendered", "bundled")


def test_two_runs_with_one_folder(tmp_path):
    """The first one has it."""
    options = Namespace(epochs=3, resume=None)
    runs.empty(tmp_path / "run")
    runs.begin(tmp_path / "run", options)
    with pytest.raises(LabError, match="another run has begun there"):
        runs.begin(tmp_path / "run", options)


def test_a_run_is_gone_on_with_once(tmp_path):
    """Of two that resume it the second is refused; when the first has ended, it may."""
    options = Namespace(epochs=3, resume=str(tmp_path))
    line = f"^{re.escape(str(tmp_path))}: .* or wait for it"
    with locks.held(tmp_path), pytest.raises(LabError, match=line):
        runs.begin(tmp_path, options)
    runs.begin(tmp_path, options)


def test_a_checkpoint_that_a_kill_left_is_removed(tmp_path):
    """By whoever asks to resume the run, which is complete."""
    for name in (runs.METRICS, runs.CHECKPOINT):
        (tmp_path / name).touch()
    with pytest.raises(LabError, match="this one is complete"):
        runs.options(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [runs.METRICS]


def test_wrong_values_among_stored_options(tmp_path, capfd):
    """The file that holds them is named: nobody typed them."""
    (tmp_path / runs.OPTIONS).write_text('{"epochs": "many", "output": "x"}')
    assert train_feature_extraction.main(["--resume", str(tmp_path)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert f"{tmp_path / runs.OPTIONS}: argument --epochs: expected a whole number" in line


def test_options_as_words(tmp_path):
    """Values with spaces and dashes, flags; an older version's file is refused."""
    (tmp_path / runs.OPTIONS).write_text('{"data": "-a b.p", "skip_broken": true, "epochs": 2}')
    assert runs.options(tmp_path) == ["--data=-a b.p", "--skip-broken", "--epochs=2"]
    (tmp_path / runs.OPTIONS).write_text('{"arguments": ["--epochs", "2"]}')
    with pytest.raises(LabError, match="start anew without --resume"):
        runs.options(tmp_path)


@pytest.mark.parametrize("closed", [">&- 2>&-", "2>&1 | head -1"])
def test_streams_that_nobody_reads(tiny_p, conv_npz, tmp_path, closed):
    """Closed from the start, or after a line, results and notices: the training ends well."""
    words = argv_of(tiny_p, conv_npz, "--output", tmp_path / "run", "--offline")
    script = files.ROOT / "train_feature_extraction.py"
    command = shlex.join([sys.executable, str(script), *words])
    subprocess.run(f"{command} {closed}", shell=True, capture_output=True, check=True)
    assert (tmp_path / "run" / runs.METRICS).exists()


def test_answers_without_stderr():
    """Closed by the shell: stdout has the answers, all of them and nothing else."""
    words = ["feature_extraction.py", "examples/stop.png", "--model", "bundled", "--json"]
    command = shlex.join([sys.executable, *words, "--offline"]) + " 2>&-"
    done = subprocess.run(command, shell=True, cwd=files.ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout)["pictures"][0]["top"][0]["class"] == "Stop"


def test_a_name_that_the_terminal_cannot_show(monkeypatch):
    """It is shown escaped."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    progress.show("caf\xe9 \udce9")
    assert stream.buffer.getvalue() == b"caf\\xe9 \\udce9\n"


def test_answers_that_a_full_disk_does_not_take(monkeypatch):
    """They are not lost in silence; notices are."""
    with open("/dev/full", "w") as stdout, open("/dev/full", "w") as stderr:
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "stderr", stderr)
        progress.tell("a notice")
        with pytest.raises(LabError, match=r"^stdout: cannot be written \(No space left on device"):
            progress.show("an answer")


def test_dataset_is_plain():
    """The one labelled set: rows of all columns go together."""
    data = Dataset(np.zeros((3, 32, 32, 3), np.uint8), np.array([4, 5, 6]), np.array([7, 8, 9]))
    part = data.subset(np.array([2, 0]))
    assert part.labels.tolist() == [6, 4] and part.tracks.tolist() == [9, 7]

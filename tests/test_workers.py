"""Several workers and devices train as one does; what is wrong with them is one line.

Those marked `workers` take minutes: `make test-workers`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import worker

import train_feature_extraction
from lab import files, runs, workers
from lab.errors import LabError
from lab.workers import joining, tf_config

FORM = "expected TF_CONFIG as "


def addresses(count):
    """Free ports of this machine."""
    servers = [socket.create_server(("localhost", 0)) for _ in range(count)]
    named = [f"localhost:{server.getsockname()[1]}" for server in servers]
    for server in servers:
        server.close()
    return named


def config(named, index):
    return json.dumps({"cluster": {"worker": named}, "task": {"type": "worker", "index": index}})


def start(commands, folder, named=(None,)):
    """A process for each worker, with a cache of its own: one command for all, or one for each."""
    if isinstance(commands[0], str):
        commands = [commands] * len(named)
    running = []
    for index, command in enumerate(commands):
        own = os.environ | {"LAB_CACHE": str(folder / f"cache{index}")}
        if named[0]:
            own["TF_CONFIG"] = config(named, index)
        output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen([sys.executable, *command], env=own, **output))
    return running


def end(running, seconds=300):
    """Status and standard error of each."""
    said = [process.communicate(timeout=seconds)[1] for process in running]
    return [process.returncode for process in running], said


def results(folders):
    """What test workers wrote to each folder, an arrays' dict for each worker."""
    return [[dict(np.load(path)) for path in sorted(path.glob("*.npz"))] for path in folders]


def together(tmp_path, count, cpus):
    """Results of so many workers, of one with so many devices, and of this process, all at once."""
    folders = [tmp_path / name for name in ("workers", "devices")]
    for folder in folders:
        folder.mkdir()
    program = str(files.ROOT / "tests/worker.py")
    running = start([program, str(folders[0])], folders[0], addresses(count))
    running += start([program, str(folders[1]), str(cpus)], folders[1])
    alone = worker.train(workers.ALONE)
    statuses, said = end(running)
    assert set(statuses) == {0}, said
    return *results(folders), alone


@pytest.mark.parametrize(("count", "cpus"), [(2, 2), pytest.param(3, 4, marks=pytest.mark.workers)])
def test_workers_and_devices_train_as_one(tmp_path, count, cpus):
    """The same head and network as of one worker but for rounding, the same on all, to the bit."""
    of_workers, of_devices, alone = together(tmp_path, count, cpus)
    assert len(of_workers) == count and of_devices[0]["devices"] == cpus
    shares = np.concatenate([found["share"] for found in of_workers])
    np.testing.assert_array_equal(shares, np.arange(worker.PICTURES))  # disjoint and complete
    for name, wanted in alone.items():
        if name == "share":
            continue
        for found in of_workers:
            np.testing.assert_array_equal(found[name], of_workers[0][name], err_msg=name)
        # L-BFGS' steps depend on each other; two of float16's features may be a step apart.
        most = {"other head": 5e-3, "features": 2**-10}.get(name, 1e-5)
        for found in (of_workers[0], of_devices[0]):
            error = np.abs(np.float64(found[name]) - wanted).max()
            assert error <= most * np.abs(wanted).max(), name
    assert abs(of_workers[0]["accuracy"] - alone["accuracy"]) <= 0.002


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_shares_are_disjoint_and_complete(count):
    """For sizes that do not divide, and for fewer rows than workers."""
    for total in (0, 1, 5, 64, 271, 39_209):
        rows = [
            np.arange(total)[workers.Workers(("",) * count, i).share(total)] for i in range(count)
        ]
        np.testing.assert_array_equal(np.concatenate(rows), np.arange(total))
        assert max(map(len, rows)) - min(map(len, rows)) <= 1


TWO = ["localhost:4001", "localhost:4002"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{", FORM + r".*; received \{$"),
        ("[]", FORM),
        ('{"cluster": {"worker": "a"}}', FORM),
        (config([1, 2], 0), FORM),
        (config(["here", "there"], 0), FORM),
        (config(["my..host:4001", TWO[1]], 0), FORM),
        (config([f"{'a' * 64}:4001", TWO[1]], 0), FORM),
        ("[" * 100_000, FORM),
        (config(TWO, "0"), FORM),
        (config(TWO, True), FORM),
        (json.dumps({"cluster": {"worker": TWO}, "task": {"type": "ps", "index": 0}}), FORM),
        (config([], 0), "the address of a worker in TF_CONFIG; received none"),
        (config(TWO, 2), "among its 2 workers, from 0; received worker 2"),
        (config(TWO, -1), "among its 2 workers, from 0; received worker -1"),
        (config([TWO[0]] * 2, 0), "all different"),
        (config(["localhost:0", TWO[1]], 0), "ports 1 to 65535"),
        (config(["localhost:99999", TWO[1]], 0), "ports 1 to 65535"),
        (config([":4001", TWO[1]], 0), "addresses host:port"),
    ],
)
def test_a_bad_tf_config_is_one_line(monkeypatch, capfd, tmp_path, text, wanted):
    """By the script: status 2, before anything is read."""
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(LabError, match=wanted) as error, workers.joined():
        pass
    assert len(str(error.value)) <= 300
    assert train_feature_extraction.main(["--output", str(tmp_path / "r")]) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1


def test_chief_and_workers_are_numbered_as_tensorflow_does():
    """The chief is worker 0; a list with one address is no cluster."""
    cluster = {"chief": [TWO[0]], "worker": TWO[1:]}
    for index, kind in enumerate(("chief", "worker")):
        text = json.dumps({"cluster": cluster, "task": {"type": kind, "index": 0}})
        found = tf_config.from_config(text)
        assert (found.addresses, found.index) == (tuple(TWO), index)
        assert found.chief == (kind == "chief")


def test_one_address_is_one_worker(monkeypatch):
    """It trains alone: no port is opened, nobody is waited for."""
    monkeypatch.setenv("TF_CONFIG", config(TWO[:1], 0))
    with workers.joined() as crew:
        assert crew is workers.ALONE


def test_a_port_in_use(monkeypatch):
    """Address and way out are named."""
    with socket.create_server(("", 0)) as taken:
        named = [f"localhost:{taken.getsockname()[1]}", TWO[1]]
        monkeypatch.setenv("TF_CONFIG", config(named, 0))
        wanted = rf"worker 0 \({named[0]}\): expected a port that is free here; received"
        with pytest.raises(LabError, match=wanted), workers.joined():
            pass


def test_a_worker_that_never_comes(monkeypatch):
    """It is named; one that has come is not."""
    named = addresses(3)
    monkeypatch.setenv("TF_CONFIG", config(named, 1))
    monkeypatch.setattr(joining, "PATIENCE", 1.0)
    there = socket.create_server(("localhost", tf_config.host_and_port(named[0])[1]))
    wanted = rf"within 1 s; worker 2 \({named[2]}\) has not come"
    with there, pytest.raises(LabError, match=wanted), workers.joined():
        pass


def test_a_worker_that_is_gone_ends_this_one(monkeypatch, capfd):
    """As soon as its port no longer answers, with a line that names it, and status 2."""

    class Ended(Exception):
        pass

    def leave(status):
        raise Ended(status)

    monkeypatch.setattr(joining, "BEAT", 0.02)
    monkeypatch.setattr(joining.os, "_exit", leave)
    named = addresses(2)
    server = socket.create_server(("localhost", tf_config.host_and_port(named[1])[1]))
    answered, look = [], joining._answers

    def looks(address):
        answered.append(look(address))
        if len(answered) == 5:
            server.close()
        return answered[-1]

    monkeypatch.setattr(joining, "_answers", looks)
    with pytest.raises(Ended, match="2"):
        joining._watch(workers.Workers(tuple(named), 0), threading.Event())
    assert answered == [True] * 5 + [False] * joining.MISSED
    said = capfd.readouterr().err
    assert f"error: worker 1 ({named[1]}) is gone: start all workers again" in said


def test_workers_that_began_differently(monkeypatch):
    """The part and the worker are named; the same parts pass."""
    tables = []

    def summed(self, array):
        """As if worker 1 had sent what it sent last."""
        tables.append(array)
        return tables[-2] + array if self.index == 0 else array

    monkeypatch.setattr(workers.Workers, "summed", summed)
    pair = [workers.Workers(tuple(TWO), index) for index in (0, 1)]
    parts = {"options": {"epochs": 3}, "data": "a" * 64, "weights": None, "versions": {"k": "1"}}
    for name in (None, *parts):
        with pytest.raises(LabError):  # it sees nothing from worker 0
            pair[1].agree(**parts | ({name: "other"} if name else {}))
        if name is None:
            pair[0].agree(**parts)
            continue
        wanted = rf"worker 1 \({TWO[1]}\): expected the same {name} as worker 0; received other"
        with pytest.raises(LabError, match=wanted):
            pair[0].agree(**parts)


def script(folder, data, weights, *more):
    """A training of the whole network by the script."""
    argv = ["--data", data, "--weights", weights, "--train", "all", "--split", "track"]
    argv += ["--epochs", "2", "--batch-size", "20", "--output", folder, *more]
    return [str(files.ROOT / "train_feature_extraction.py"), *map(str, argv)]


@pytest.mark.workers
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_worker_and_a_restart(tmp_path, tiny_p, conv_npz, killed):
    """The other ends within a minute and names it; started again, they come to the same end."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert end(start(script(whole, tiny_p, conv_npz), tmp_path, addresses(2)))[0] == [0, 0]
    named = addresses(2)
    running = start(script(broken, tiny_p, conv_npz), tmp_path, named)
    while not (broken / runs.CHECKPOINT).exists():
        time.sleep(0.1)
        assert running[0].poll() is None
    running[killed].send_signal(signal.SIGKILL)
    since = time.monotonic()
    statuses, said = end(running)
    assert time.monotonic() - since < 60
    assert statuses[1 - killed] == 2
    assert f"error: worker {killed} ({named[killed]}) is gone" in said[1 - killed]
    again = [script(broken, tiny_p, conv_npz)[0], "--resume", str(broken)]
    statuses, said = end(start(again, tmp_path, addresses(2)))
    assert statuses == [0, 0], said
    assert "going on from" in said[0]
    first, second = (json.loads((f / runs.METRICS).read_text()) for f in (whole, broken))
    assert abs(first["accuracy"] - second["accuracy"]) <= 0.002
    assert [x["loss"] for x in first["epochs"]] == pytest.approx(
        [x["loss"] for x in second["epochs"]], rel=1e-3
    )


@pytest.mark.workers
def test_workers_with_other_options(tmp_path, tiny_p, conv_npz):
    """Both name them, and nothing is written."""
    named = addresses(2)
    commands = [script(tmp_path / "run", tiny_p, conv_npz, "--seed", seed) for seed in "05"]
    statuses, said = end(start(commands, tmp_path, named))
    assert statuses == [2, 2]
    for text in said:
        assert f"error: worker 1 ({named[1]}): expected the same options as worker 0" in text
    assert not (tmp_path / "run").exists()

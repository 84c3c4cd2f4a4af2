"""Hostile files: each is refused in one line, in a process that may take little memory and time."""

import multiprocessing
import os
import socket
import sys
from pathlib import Path

import hostile
import numpy as np
import pytest
from readers import READERS, attempt

from lab import command_line, printed
from lab.errors import LabError

CACHE = {"features", "key", "hashes"}  # what is broken there is made again
# And pictures whose damage is nowhere that is looked at.
HARMLESS = {"memo b'r\\xff'", "memo b'p2'", "JPEG with such an Exif"}
FILES = list(hostile.files())


# Each file is read by a child of a process that has imported what readers need and nothing else:
# forked from this one, with what all the tests before have left, it would take ten times as long.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(
    ["readers", "lab.classifier", "lab.features.cache", "lab.training.checkpoints"]
)


@pytest.fixture(scope="module", autouse=True)
def imported():
    """Starts the process that the children are forked from; it takes no other path than this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        first = FRESH.Process(target=int)
        first.start()
        first.join()


def outcome(reader, content, folder):
    """What a child says that reads the file, or how it ended."""
    receiving, sending = FRESH.Pipe(duplex=False)
    child = FRESH.Process(target=attempt, args=(reader, content, folder, sending))
    child.start()
    sending.close()
    try:
        return receiving.recv()
    except EOFError:
        child.join()
        return f"ended with status {child.exitcode}"


@pytest.mark.parametrize(("name", "reader", "content"), FILES, ids=[file[0] for file in FILES])
def test_hostile_files_are_refused(name, reader, content, tmp_path):
    """In one line, without running anything."""
    wanted = "thrown_away" if reader in CACHE else "refused"
    wanted = "accepted" if name in HARMLESS else wanted
    assert outcome(reader, content, tmp_path) == wanted
    assert not (tmp_path / "ran").exists()


def places(folder):
    """A pipe, a socket, a device and a folder, none of which is a file."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    (folder / "folder").mkdir()
    return [folder / "pipe", folder / "socket", Path("/dev/zero"), folder / "folder"]


BY_NAME = ("pickle", "train.p", "npy", "picture", "zip", "table", "checkpoint")


@pytest.mark.parametrize("name", BY_NAME)
def test_what_is_no_file_is_refused_without_waiting(name, tmp_path, monkeypatch):
    """A pipe that nobody writes to would hold the first read for good."""
    monkeypatch.chdir(tmp_path)
    for place in places(tmp_path):
        with pytest.raises(LabError, match=r"a device or a pipe|received a folder|GTSRB") as caught:
            READERS[name].read(place)
        assert len(str(caught.value)) <= 300


def test_a_name_in_a_file_commands_no_terminal(capsys, tmp_path):
    """Answers show control characters; of a long error the start and the end are printed."""
    names = ["\x1b[2Jstop\nTime: 0", "b\u202e"]
    picture = tmp_path / "\x1b]0;a.png"
    answers = printed.top(np.array([[0.7, 0.3]]), names, 2, [picture])
    printed.show_answers(answers, 1.0, picture, as_json=False)
    shown = capsys.readouterr().out
    assert "\\x1b[2Jstop\\nTime: 0: 0.700" in shown and "b\\u202e: 0.300" in shown
    assert "\x1b" not in shown and "\\x1b]0;a.png" in shown

    @command_line.script
    def main(argv):
        raise LabError("start\n" + "\x1b" * 10**6 + "; do this")

    assert main([]) == 2
    line = capsys.readouterr().err.removesuffix("\n")
    assert line.isprintable() and len(line) <= 300
    assert line.startswith("error: start ") and line.endswith("; do this")

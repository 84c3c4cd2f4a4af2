"""Hostile files: each is refused in one line, in a process that may take little memory and time."""

import gc
import os
import resource
import signal
import socket
import traceback
from pathlib import Path

import hostile
import numpy as np
import pytest
from readers import READERS, Rules

from lab import cached, command_line, printed
from lab.errors import LabError

CACHE = {"features", "key", "hashes"}  # what is broken there is made again
# And pictures whose damage is nowhere that is looked at.
HARMLESS = {"memo b'r\\xff'", "memo b'p2'", "JPEG with such an Exif"}
FILES = list(hostile.files())


@pytest.fixture(scope="module", autouse=True)
def imported():
    """What the children share."""
    import lab.classifier
    import lab.features.cache
    import lab.training.checkpoints  # noqa: F401


def outcome(reader, content, folder):
    """What a child says that reads the file: nothing, or what broke."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        os.chdir(folder)
        gc.freeze()  # what all the tests before have left is not to be gone through for this file
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
        rules, text = Rules(READERS[reader], folder.relative_to(folder)), ""
        try:
            rules.read(content)
            text = next(
                how for how in ("accepted", "refused", "thrown_away") if getattr(rules, how)
            )
        except BaseException:
            text = traceback.format_exc()[-2000:]
        os.write(writing, text.encode(errors="replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitpid(child, 0)[1]
    return said or f"ended by {signal.Signals(status & 127).name if status & 127 else status}"


@pytest.mark.parametrize(("name", "reader", "content"), FILES, ids=[file[0] for file in FILES])
@pytest.mark.filterwarnings("ignore")
def test_hostile_files_are_refused(name, reader, content, tmp_path, monkeypatch):
    """In one line, without running anything."""
    monkeypatch.setattr(cached, "tell", lambda text: None)
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

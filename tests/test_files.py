"""Files on disk: all or nothing, hashes, sizes."""

import errno
import json
import os
import re
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lab import files
from lab.errors import LabError


def test_atomic_puts_the_file_there_at_the_end(tmp_path):
    """Until the block ends the old content stands; folders are made; nothing else remains."""
    path = tmp_path / "new" / "a.png"
    for content, before in (("one", None), ("two", "one")):
        with files.atomic(path) as part:
            part.write_text(content)
            assert part.parent == path.parent
            assert part.suffix == ".png"
            assert (path.read_text() if path.exists() else None) == before
        assert path.read_text() == content
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_leaves_nothing_half_written(tmp_path, error):
    """An error or Ctrl-C in the block keeps the old file and removes the new one."""
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(error), files.atomic(path) as part:
        part.write_text("ne")
        raise error
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_atomic_keeps_the_usual_permissions(tmp_path):
    """The file is as readable as any other, though temporary files are private."""
    with files.atomic(tmp_path / "a"):
        pass
    (tmp_path / "b").touch()
    assert os.stat(tmp_path / "a").st_mode == os.stat(tmp_path / "b").st_mode


def test_atomic_where_nothing_can_be_written(tmp_path):
    """A file where a folder should be, a folder where the file should be: one line."""
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    for path in (tmp_path / "file" / "a", tmp_path / "folder"):
        wanted = f"^{re.escape(str(path))}: cannot be written \\(.+\\); choose another place"
        with pytest.raises(LabError, match=wanted), files.atomic(path):
            pass
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a pipe", "link to nothing", "loop"])
def test_what_is_no_regular_file_is_refused(tmp_path, kind):
    """It is named and left as it is: a renamed file would replace a device, too."""
    path, node = tmp_path / "f.npz", tmp_path / "node"
    if "link" in kind or kind == "loop":
        path.symlink_to(node if kind != "loop" else path)
    if "pipe" in kind:
        os.mkfifo(node if "link" in kind else path)
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path))
    before, there = path.lstat(), names(tmp_path)
    for refuse in (files.check_writable, lambda path: files.atomic(path).__enter__()):
        with pytest.raises(LabError, match=re.escape(f"{path}: cannot be written (")):
            refuse(path)
    assert path.lstat() == before and names(tmp_path) == there


def test_a_link_is_written_through(tmp_path):
    """What it points at is replaced, atomically in its own folder; the link stays a link."""
    (tmp_path / "far").mkdir()
    real, path = tmp_path / "far" / "real.npz", tmp_path / "link.npz"
    real.write_text("old")
    path.symlink_to(Path("far", "real.npz"))
    files.check_writable(path)
    with files.atomic(path) as part:
        part.write_text("new")
        assert part.parent == real.parent and real.read_text() == "old"
    assert path.is_symlink() and real.read_text() == "new"
    assert names(tmp_path) == ["far", "link.npz"] and names(real.parent) == ["real.npz"]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from lab import files
with files.atomic(sys.argv[2]) as part:
    part.write_text("half")
    print("writing", flush=True)
    sys.stdin.readline()
"""


def test_halves_of_dead_writers_are_removed_and_no_others(tmp_path):
    """By the next one that writes to the folder, at once; not what a living one is writing."""
    command = [sys.executable, "-c", KILLED, str(files.ROOT), str(tmp_path / "a.npz")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    (tmp_path / ".my-own.part").touch()
    with subprocess.Popen(command, **pipes) as alive, subprocess.Popen(command, **pipes) as dead:
        for process in (alive, dead):
            assert process.stdout.readline() == "writing\n"
        dead.kill()
        dead.wait()
        assert len(names(tmp_path)) == 3
        files.write_json(tmp_path / "b.json", 1)
        assert len(names(tmp_path)) == 3  # the living one's, my own and b.json
        alive.communicate("\n")
    assert alive.returncode == 0
    assert names(tmp_path) == [".my-own.part", "a.npz", "b.json"]


def test_a_full_disk_is_said_with_the_files_name(tmp_path):
    """Within NumPy's writing of an archive, and of JSON; what was there stays."""
    path = tmp_path / "f.npz"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    line = f"^{re.escape(str(path))}: cannot be written \\(File too large\\); choose another place"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        with pytest.raises(LabError, match=line), files.atomic(path) as part:
            np.savez(part, x=np.zeros(100_000))
        with pytest.raises(LabError, match=line):
            files.write_json(path, "x" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old" and names(tmp_path) == ["f.npz"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_the_disk_refuses_at_the_end(tmp_path, monkeypatch, step):
    """A delayed "no space left", a folder that may not be changed any more."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, step, refuse)
    with pytest.raises(LabError, match=r"a: cannot be written \(No space left on device\)"):
        files.write_json(tmp_path / "a", 1)
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a"]


def test_a_file_is_on_the_disk_before_it_is_named(tmp_path, monkeypatch):
    """The file is synchronized, renamed, and then its folder is synchronized."""
    steps, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda f: steps.append(os.path.isdir(f"/proc/self/fd/{f}")) or fsync(f)
    )
    monkeypatch.setattr(os, "replace", lambda *ends: steps.append("rename") or replace(*ends))
    files.write_json(tmp_path / "a", 1)
    assert steps == [False, "rename", True]


def test_check_writable(tmp_path):
    """A file that is there or not, its folder to be made; not a folder, nor within a file."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for name in ("file", "new", "folder/new", "to/be/made"):
        files.check_writable(tmp_path / name)
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("folder", "file/a", "file/to/be/made", "link/a", "link/to/be/made"):
        wanted = f"^{re.escape(str(tmp_path / name))}: cannot be written \\(.+\\); choose another"
        with pytest.raises(LabError, match=wanted):
            files.check_writable(tmp_path / name)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["file", "folder", "link"]


def test_outdated_features_are_removed(tmp_path):
    """Of another version, or half made, a day old; what is wanted now and the user's own stays."""
    cache = files.cache_folder()
    for letter, version in (("a", 3), ("b", 4), ("c", None), ("d", None), ("thesis", 3)):
        folder = cache / (letter if len(letter) > 1 else letter * 16)
        folder.mkdir(parents=True)
        for name in ("lock", "features.part" if version is None else "key.json"):
            (folder / name).write_text(json.dumps({"version": version}))
    left = {path for path in cache.rglob("*") if path.is_file()}
    files.remove_outdated(4, cache / ("d" * 16))
    assert {path for path in cache.rglob("*") if path.is_file()} == left  # not a day old
    for path in left:
        os.utime(path, (time.time() - 100_000,) * 2)
    files.remove_outdated(4, cache / ("d" * 16))
    gone = {path for path in left if path.parent.name == "a" * 16}
    assert {path for path in cache.rglob("*") if path.is_file()} == (
        left - gone - {cache / ("c" * 16) / "features.part"}
    )


def test_write_json(tmp_path):
    """What was written comes back, readable; NaN, which JSON has not, is refused whole."""
    path = tmp_path / "metrics.json"
    files.write_json(path, {"name": "Vorfahrt gewähren", "top": [1, None]})
    assert json.loads(path.read_text("utf-8")) == {"name": "Vorfahrt gewähren", "top": [1, None]}
    assert "gewähren" in path.read_text("utf-8")
    files.write_json(path, {"file": os.fsdecode(b"caf\xe9/1.jpg"), "top": [1, None]})
    assert os.fsencode(json.loads(path.read_text("utf-8"))["file"]) == b"caf\xe9/1.jpg"
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"loss": float("nan")})
    assert json.loads(path.read_text("utf-8"))["top"] == [1, None]


def test_hashes(tmp_path):
    """The hashes of "abc", as FIPS 180-2 and RFC 1321 give them."""
    (tmp_path / "abc").write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.file_hash(tmp_path / "abc") == sha256
    assert files.file_hash(tmp_path / "abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_951, "1.0 MB"),
        (243_863_787, "243.9 MB"),
        (10**9, "1.0 GB"),
        (2 * 10**12, "2.0 TB"),
    ],
)
def test_human_size(count, text):
    """Thousands, one decimal, no "1000.0 kB"."""
    assert files.human_size(count) == text


def test_check_space(tmp_path):
    """Too little room is said with both numbers, also of a folder that is yet to be made."""
    files.check_space(tmp_path / "to be made", 1)
    with pytest.raises(LabError, match=r"1000\.0 TB are needed there and .+ are free; make"):
        files.check_space(tmp_path / "to be made", 10**15)

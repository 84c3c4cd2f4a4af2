"""Downloads over loopback: fetched, kept, resumed, verified, given up."""

import hashlib
import os
import re
import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import misbehaving
import numpy as np
import pytest
import python2_npy

from lab import files, pickles, weights
from lab.data import gtsrb
from lab.downloads import catalogue, fetching, transfer, verification
from lab.downloads.catalogue import Remote
from lab.errors import LabError

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
REVERSED = "sha256:" + hashlib.sha256(CONTENT[::-1]).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
NAME = "sign.png"


@pytest.fixture
def server(monkeypatch):
    """A web server on loopback with /sign.png, and `sign.png` in the table at its address."""
    monkeypatch.setenv("NO_PROXY", "*")
    with misbehaving.serving({"/" + NAME: CONTENT}) as server:
        publish(monkeypatch, NAME, server.address + NAME)
        yield server


def publish(monkeypatch, name, *addresses, **details):
    """Puts a record into the table for the length of a test."""
    record = Remote("a sign", addresses, "name other pictures", **details)
    monkeypatch.setitem(catalogue.REMOTE, name, record)


def names(folder):
    """Names of all files in a folder but the cache."""
    return sorted(path.name for path in folder.iterdir() if path != files.cache_folder())


def failure(folder, name=NAME, **options) -> str:
    """The one line that fetching the file ends in; nothing is at its name."""
    with pytest.raises(LabError, match=f"^{re.escape(str(folder / name))}: ") as caught:
        fetching.fetch(name, folder, **options)
    assert "\n" not in str(caught.value)
    assert not (folder / name).exists()
    return str(caught.value)


def test_a_missing_file_is_downloaded(server, tmp_path, capfd, monkeypatch):
    """Address, size and target are said first, on stderr; it is asked for once."""
    publish(monkeypatch, NAME, server.address + NAME, size=len(CONTENT), hash=SHA256)
    path = fetching.fetch(NAME, tmp_path / "new")
    assert path == tmp_path / "new" / NAME
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == [NAME]
    out, err = capfd.readouterr()
    assert err == f"{NAME}: downloading {server.address}{NAME} (300.0 kB) to {path}\n"
    assert out == ""
    assert len(server.asked) == 1


def test_the_default_folder_is_beside_the_scripts(server, tmp_path, monkeypatch):
    """Without a folder, files.ROOT."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    assert fetching.fetch(NAME) == tmp_path / NAME


def test_a_file_that_is_there_is_used(server, tmp_path, capfd):
    """Nothing is published about it: whatever it holds, nobody is asked, nothing is said."""
    (tmp_path / NAME).write_bytes(b"my own")
    for offline in (False, True):
        assert fetching.fetch(NAME, tmp_path, offline=offline).read_bytes() == b"my own"
    assert server.asked == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("downloaded", [True, False])
def test_a_file_without_a_published_hash_is_compared_with_itself(server, tmp_path, downloaded):
    """With what it was when it came, or was first used; touching it changes nothing."""
    path = tmp_path / NAME
    if not downloaded:
        path.write_bytes(CONTENT)
    fetching.fetch(NAME, tmp_path)
    os.utime(path, ns=(1, 1))
    fetching.fetch(NAME, tmp_path)
    path.write_bytes(CONTENT[:-1] + b"x")
    line = f"{path}: expected sha256 {SHA256[7:23]}...; received sha256 "
    with pytest.raises(LabError, match=re.escape(line) + ".* the file that was used before; "):
        fetching.fetch(NAME, tmp_path)
    path.unlink()
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("details", "difference"),
    [
        ({"size": 6}, "expected 6 bytes; received 300000"),
        ({"hash": "md5:" + "0" * 32}, f"expected md5 {'0' * 16}...; received md5 {MD5[:16]}..."),
    ],
)
def test_a_file_that_is_there_is_verified(tmp_path, monkeypatch, details, difference):
    """Another file under a published name is one line, and is left alone."""
    publish(monkeypatch, NAME, "http://127.0.0.1/", **details)
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    line = f"{path}: {difference}: it is not the published file; remove it to download it again"
    for _ in range(2):
        with pytest.raises(LabError, match=f"^{re.escape(line)}$"):
            fetching.fetch(NAME, tmp_path, offline=True)
    assert path.read_bytes() == CONTENT


@pytest.fixture
def hashed(monkeypatch, tmp_path):
    """The files that are hashed, as they are; a published one is there."""
    publish(monkeypatch, NAME, "http://127.0.0.1/", size=len(CONTENT), hash=SHA256)
    (tmp_path / NAME).write_bytes(CONTENT)
    seen, file_hash = [], files.file_hash
    monkeypatch.setattr(
        files, "file_hash", lambda path, kind: seen.append(path.name) or file_hash(path, kind)
    )
    return seen


def test_a_file_is_read_once_to_verify_it(tmp_path, hashed, monkeypatch):
    """Again only after it, or what is published about it, has changed."""
    path = tmp_path / NAME
    for _ in range(3):
        assert fetching.fetch(NAME, tmp_path) == path
    assert hashed == [NAME]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / NAME).write_bytes(CONTENT)
    fetching.fetch(NAME, tmp_path / "other")
    fetching.fetch(NAME, tmp_path)
    assert hashed == [NAME] * 2
    os.utime(path, ns=(1, 1))
    fetching.fetch(NAME, tmp_path)
    assert hashed == [NAME] * 3
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(LabError, match="it is not the published file"):
        fetching.fetch(NAME, tmp_path)
    path.write_bytes(CONTENT)
    fetching.fetch(NAME, tmp_path)
    publish(monkeypatch, NAME, "http://127.0.0.1/", size=len(CONTENT), hash="md5:" + MD5)
    fetching.fetch(NAME, tmp_path)
    assert hashed == [NAME] * 6


@pytest.mark.parametrize("content", [None, b"{", b"[3]", b"\xff", b"[" * 100_000, b'{"a": 3}'])
def test_what_is_remembered_can_be_lost(tmp_path, hashed, content):
    """A cache that is damaged, or where nothing can be written, costs another reading."""
    fetching.fetch(NAME, tmp_path)
    memory = files.cache_folder() / verification.VERIFIED
    if content is None:
        memory.unlink()
        files.cache_folder().rmdir()
        files.cache_folder().touch()
    else:
        memory.write_bytes(content)
    fetching.fetch(NAME, tmp_path)
    fetching.fetch(NAME, tmp_path)
    assert hashed == [NAME] * (3 if content is None else 2)


@pytest.mark.parametrize("damaged", ["test set", "table"])
def test_what_a_file_needs_is_verified_with_it(server, tmp_path, monkeypatch, damaged):
    """The table of the official test set is an archive of its own: both come, both are checked."""
    table = "signs.csv"
    server.files["/" + table] = CONTENT[::-1]
    publish(monkeypatch, table, server.address + table, size=len(CONTENT), hash=REVERSED)
    publish(monkeypatch, NAME, server.address + NAME, hash=SHA256, needs=table)
    assert fetching.fetch(NAME, tmp_path).name == NAME
    assert names(tmp_path) == sorted([NAME, table])
    broken = tmp_path / (table if damaged == "table" else NAME)
    broken.write_bytes(b"x")
    with pytest.raises(LabError, match=f"^{re.escape(str(broken))}: .*not the published file"):
        fetching.fetch(NAME, tmp_path, offline=True)
    (tmp_path / table).unlink()  # it may be in the set's own folder
    (tmp_path / NAME).write_bytes(CONTENT)
    assert fetching.fetch(NAME, tmp_path, offline=True).name == NAME


@pytest.mark.parametrize("there", [True, False])
def test_abandoned_parts_are_removed(server, tmp_path, there):
    """Of files of the catalogue, a day old, and not what this download goes on with."""
    start = CONTENT[:1000]
    own, stop = f"{NAME}.127.0.0.1.part", "stop.jpg.127.0.0.1.part"
    parts = [own, stop, "train.p.a.org.part", "weasel.png.a.org.part", "thesis.tex.part"]
    for name in parts:
        (tmp_path / name).write_bytes(start)
        age = 3600 if name.startswith("weasel") else 100_000
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    record = f'{server.address}{NAME}\n"{MD5}"'
    (tmp_path / f"{NAME}.127.0.0.1.validator.part").write_text(record)
    if there:
        (tmp_path / NAME).write_bytes(CONTENT)
        os.utime(tmp_path / f"{NAME}.127.0.0.1.validator.part", (0, 0))
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == sorted([NAME, "weasel.png.a.org.part", "thesis.tex.part"])
    if not there:
        assert server.asked[-1] == ("/" + NAME, "bytes=999-")


SOCKETS = []


def test_offline(server, tmp_path, capfd):
    """No socket is opened, and the lines have the ways to get the file."""
    sys.addaudithook(lambda event, _: event.startswith("socket.") and SOCKETS.append(event))
    line = failure(tmp_path, offline=True)
    assert not SOCKETS
    assert line == (
        f"{tmp_path / NAME}: expected a sign; it is missing and --offline is set: save it there "
        "from an address above, or name other pictures"
    )
    told = f"{NAME}: {server.address}{NAME}: not asked, since --offline is set\n"
    assert capfd.readouterr().err == told
    assert server.asked == []


def test_redirects_and_unknown_length(server, tmp_path, monkeypatch, capfd):
    """A moved file is followed; one whose length is not told is downloaded all the same."""
    publish(monkeypatch, NAME, server.address + "moved/" + NAME)
    server.tells_length = False
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert "(unknown size)" in capfd.readouterr().err


PART = f"{NAME}.127.0.0.1.part"
LAST = 2 * transfer.CHUNK - 1  # the last byte that came before the connection broke


def interrupted(server, folder):
    """Downloads until the connection breaks, and gives the .part file."""
    server.breaks_after = LAST + 1
    line = failure(folder)
    reason = "the connection broke, 131.1 kB are stored for the next run"
    assert f"(127.0.0.1: {reason}): save it there" in line
    server.breaks_after = None
    server.asked.clear()
    assert names(folder) == sorted([PART, f"{NAME}.127.0.0.1.validator.part"])
    return folder / PART


@pytest.mark.parametrize("tag", ['"{}"', "Mon, 02 Jan 2006 15:04:05 GMT"])
def test_an_interrupted_download_goes_on(server, tmp_path, capfd, tag):
    """Only the rest is asked for, and the last byte that is there."""
    server.tag = tag
    interrupted(server, tmp_path)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/" + NAME, f"bytes={LAST}-")]
    assert "(300.0 kB, of which 131.1 kB are there)" in capfd.readouterr().err
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize("honours_if_range", [True, False])
@pytest.mark.parametrize("shorter", [0, 250_000])
def test_a_file_that_changed_meanwhile_is_no_mixture(server, tmp_path, honours_if_range, shorter):
    """Without a published hash, nothing else would notice. Some servers ignore If-Range."""
    interrupted(server, tmp_path)
    server.honours_if_range = honours_if_range
    server.files["/" + NAME] = CONTENT[shorter:][::-1]
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT[shorter:][::-1]
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize("tag", ["", 'W/"{}"'])
def test_without_a_validator_nothing_is_kept(server, tmp_path, tag):
    """A weak tag promises the same meaning, not the same bytes."""
    server.tag, server.breaks_after = tag, 1000
    assert "the connection broke): save it there" in failure(tmp_path)
    assert names(tmp_path) == []


def test_a_part_whose_origin_is_unknown_is_begun_anew(server, tmp_path):
    """Left by an older version, or of another address of this host."""
    part = interrupted(server, tmp_path)
    record = tmp_path / f"{NAME}.127.0.0.1.validator.part"
    for text in (None, "", "http://127.0.0.1/other\nx", f"{server.address}{NAME}\n\x00"):
        part.write_bytes(b"x" * 1000)
        record.write_text(text) if text is not None else record.unlink()
        assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
        (tmp_path / NAME).unlink()
    assert {wanted for _, wanted in server.asked} == {None}


def test_a_server_that_cannot_resume_sends_all(server, tmp_path):
    """The beginning that was there is not put before the whole."""
    interrupted(server, tmp_path)
    server.resumes = False
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_whole_or_too_long(server, tmp_path):
    """Of the first, a byte is asked for; more than the file has is begun anew."""
    part = interrupted(server, tmp_path)
    record = tmp_path / f"{NAME}.127.0.0.1.validator.part"
    text = record.read_text()
    part.write_bytes(CONTENT)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/" + NAME, "bytes=299999-")]
    (tmp_path / NAME).unlink()
    part.write_bytes(CONTENT + b"more")
    record.write_text(text)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("claims", [10**18, 10**30, 300_000_001])
def test_a_size_that_cannot_be_is_not_believed(server, tmp_path, monkeypatch, capfd, claims):
    """The next address is asked; nothing of what was announced is received."""
    server.files["/other"] = CONTENT
    publish(monkeypatch, NAME, server.address + NAME, server.address + "other")
    server.claims, start = claims, time.monotonic()
    failure(tmp_path)
    assert time.monotonic() - start < 5 and names(tmp_path) == []
    reason = f"expected at most 300000000 bytes; it announces {claims}\n"
    assert reason in capfd.readouterr().err
    publish(monkeypatch, NAME, server.address + NAME, server.address + "moved/other", size=300_000)
    server.claims = 300_000
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("published", [True, False])
def test_what_is_received_is_capped(server, tmp_path, monkeypatch, published):
    """A server that goes on and on: given up at the published size, or at the stated one."""
    details = {"size": len(CONTENT)} if published else {"most": 2 * len(CONTENT)}
    publish(monkeypatch, NAME, server.address + NAME, **details)
    server.tells_length, server.floods = False, 50
    line = failure(tmp_path)
    most = "300.0 kB" if published else "600.0 kB"
    assert f"(127.0.0.1: expected {most} at most; more was sent)" in line
    assert names(tmp_path) == []


def test_a_drip_is_given_up(server, tmp_path, monkeypatch):
    """A byte now and then keeps every time limit between two of them."""
    assert (transfer.WINDOW, transfer.SLOWEST) == (30, 1000)
    monkeypatch.setattr(transfer, "WINDOW", 0.3)
    server.piece, server.drips = 1, 0.01
    start = time.monotonic()
    assert "127.0.0.1: less than 1.0 kB per second came" in failure(tmp_path)
    assert time.monotonic() - start < 2


def test_a_connection_that_falls_silent_is_given_up(server, tmp_path, monkeypatch):
    """After the first answer and some bytes."""
    monkeypatch.setattr(transfer, "WINDOW", 0.3)
    server.piece, server.drips = 1, 2.0
    assert "127.0.0.1: no answer in time" in failure(tmp_path)


def test_two_downloads_at_once(server, tmp_path, capfd):
    """The second one waits for the first one's file: it is asked for once."""
    server.piece, server.drips = 60_000, 0.1
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(fetching.fetch(NAME, tmp_path).read_bytes()))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [CONTENT] * 2 and len(server.asked) == 1
    assert f"waiting for another run, which writes to {tmp_path}" in capfd.readouterr().err


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_mirror_is_asked_first(server, tmp_path, monkeypatch, capfd, scheme):
    """A folder of these files, also without the network; what it has is verified all the same."""
    folder = tmp_path / "a mirror"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    server.files["/a%20mirror/" + NAME] = CONTENT
    at = folder.as_uri() if scheme == "file" else server.address + "a%20mirror/"
    monkeypatch.setenv("LAB_MIRROR", at)
    publish(monkeypatch, NAME, server.address + "elsewhere", hash=SHA256)
    path = fetching.fetch(NAME, tmp_path, offline=scheme == "file")
    assert path.read_bytes() == CONTENT
    path.unlink()
    (folder / NAME).write_bytes(b"x")
    server.files["/a%20mirror/" + NAME] = b"x"
    failure(tmp_path)
    assert "something else came (expected sha256" in capfd.readouterr().err
    (folder / NAME).unlink()
    os.mkfifo(folder / NAME)
    del server.files["/a%20mirror/" + NAME]
    assert "(127.0.0.1: HTTP status 404; 1 more failed)" in failure(tmp_path)
    reason = "there is no such file" if scheme == "file" else "HTTP status 404"
    assert f"{NAME}: {at.removesuffix('/')}/{NAME}: {reason}\n" in capfd.readouterr().err


def test_a_mirrors_password_is_not_shown(server, tmp_path, monkeypatch, capfd):
    """It stays in the variable."""
    with_password = server.address.replace("//", "//me:secret@")
    monkeypatch.setenv("LAB_MIRROR", with_password)
    fetching.fetch(NAME, tmp_path)
    assert f"downloading {server.address}{NAME} (" in capfd.readouterr().err


def test_a_proxy_is_used(server, tmp_path, monkeypatch):
    """As the environment names it."""
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("http_proxy", server.address)
    publish(monkeypatch, NAME, "http://signs.invalid/" + NAME)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("http://signs.invalid/" + NAME, None)]


def test_ctrl_c_keeps_the_part(server, tmp_path, monkeypatch):
    """What has come until then is there for the next run."""

    read, came = transfer._read, []

    def stops(stream):
        if came:
            raise KeyboardInterrupt
        came.append(read(stream))
        return came[0]

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_read", stops)
        with pytest.raises(KeyboardInterrupt):
            fetching.fetch(NAME, tmp_path)
    part = (tmp_path / PART).read_bytes()
    assert part == came[0] and CONTENT.startswith(part)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == ("/" + NAME, f"bytes={len(part) - 1}-")


def test_a_part_of_another_address_is_not_gone_on_with(server, tmp_path, monkeypatch):
    """Without a hash, halves of two different files would not be noticed."""
    (tmp_path / f"{NAME}.elsewhere.org.part").write_bytes(b"x" * 1000)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"hash": "sha256:" + "0" * 64}, "expected sha256 0000"),
        ({"hash": "md5:" + "0" * 32}, "expected md5 0000"),
        ({"check": weights.read}, "received a file that starts with"),
    ],
)
def test_what_comes_is_verified(server, tmp_path, monkeypatch, capfd, details, reason):
    """Wrong size, hash or content: not put there, and not kept to go on with."""
    publish(monkeypatch, NAME, server.address + NAME, **details)
    line = failure(tmp_path)
    assert "could not be downloaded (127.0.0.1: something else came (" in line
    assert reason in capfd.readouterr().err
    assert names(tmp_path) == []


def test_what_announces_another_size_is_not_received(server, tmp_path, monkeypatch):
    """Where a size is published."""
    publish(monkeypatch, NAME, server.address + NAME, size=5)
    assert "(127.0.0.1: expected 5 bytes; it announces 300000): save it there" in failure(tmp_path)
    server.tells_length = False
    assert "(127.0.0.1: expected 5 bytes at most; more was sent): save it there" in failure(
        tmp_path
    )
    assert names(tmp_path) == []


def test_the_next_address_is_tried(server, tmp_path, monkeypatch, capfd):
    """One that is refused, one that has it not, one that has another file, one that has it."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    server.files["/page"] = b"<!DOCTYPE html>"
    addresses = [f"http://127.0.0.1:{port}/", *(server.address + n for n in ("no", "page", NAME))]
    publish(monkeypatch, NAME, *addresses[:3], hash=SHA256)
    assert "; 2 more failed): save it there" in failure(tmp_path)
    err = capfd.readouterr().err
    reasons = "cannot be reached", "HTTP status 404", "something else came (expected sha256"
    for address, reason in zip(addresses[:3], reasons, strict=True):
        assert f"{NAME}: {address}: {reason}" in err
    publish(monkeypatch, NAME, *addresses, hash=SHA256)
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("silent", ["server", "names"])
def test_addresses_that_do_not_answer_share_one_patience(tmp_path, monkeypatch, capfd, silent):
    """A server that accepts and says nothing, and a name service that never comes back."""
    assert fetching.PATIENCE < 10
    monkeypatch.setenv("NO_PROXY", "*")
    released = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if silent == "names":
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_: released.wait(30) and [])
        address = f"http://localhost:{listening.getsockname()[1]}/"
        publish(monkeypatch, NAME, *(address + str(i) for i in range(3)))
        start = time.monotonic()
        failure(tmp_path, patience=1.0)
        assert 0.9 < time.monotonic() - start < 1.6
        released.set()
    assert capfd.readouterr().err.count(": no answer") == 3
    assert names(tmp_path) == []


def test_where_nothing_can_be_written(server, tmp_path, monkeypatch):
    """A file in place of the folder, and a disk that is full."""
    (tmp_path / "file").touch()
    with pytest.raises(
        LabError, match=r"sign\.png: cannot be written \(.+\); choose another place"
    ):
        fetching.fetch(NAME, tmp_path / "file")
    full = SimpleNamespace(free=1000)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: full)
    with pytest.raises(LabError, match=r"300\.0 kB are needed there and 1\.0 kB are free"):
        fetching.fetch(NAME, tmp_path)


# A file that is made from another


ARCHIVE = "signs.zip"


@pytest.fixture
def archive(server, monkeypatch):
    """`sign.png` whose own address is dead, made from signs.zip, which the server has."""
    server.files = {"/" + ARCHIVE: CONTENT}
    publish(monkeypatch, ARCHIVE, server.address + ARCHIVE, hash=SHA256)
    dead = server.address + "dead"

    def make(archive, target):
        target.write_bytes(archive.read_bytes()[::-1])

    publish(monkeypatch, NAME, dead, made_from=(ARCHIVE, make))
    return server


def test_the_second_source(archive, tmp_path, capfd):
    """The archive is downloaded, the file made from it, and the archive removed."""
    assert fetching.fetch(NAME, tmp_path).read_bytes() == CONTENT[::-1]
    assert names(tmp_path) == [NAME]
    made = f"{NAME}: making {tmp_path / NAME} from {tmp_path / ARCHIVE}\n"
    assert capfd.readouterr().err.endswith(made)


def test_an_archive_that_is_there_is_taken_and_kept(archive, tmp_path):
    """Also offline."""
    (tmp_path / ARCHIVE).write_bytes(CONTENT)
    assert fetching.fetch(NAME, tmp_path, offline=True).read_bytes() == CONTENT[::-1]
    assert {NAME, ARCHIVE} <= set(names(tmp_path))
    assert archive.asked == []


def test_nothing_is_made_of_another_archive(archive, tmp_path):
    """One that is damaged is named, kept, and not read."""
    (tmp_path / ARCHIVE).write_bytes(b"abc")
    with pytest.raises(LabError, match=re.escape(f"{tmp_path / ARCHIVE}: expected sha256 ")):
        fetching.fetch(NAME, tmp_path)
    assert names(tmp_path) == [ARCHIVE]


def test_neither_source(archive, tmp_path, capfd):
    """Every address is told with its failure, and both ways."""
    archive.files.clear()
    assert "it is missing and --offline is set: save it there" in failure(tmp_path, offline=True)
    assert archive.asked == []
    line = failure(tmp_path)
    assert "(127.0.0.1: HTTP status 404; 1 more failed): save it there" in line
    assert f"from an address above, or {ARCHIVE} beside it, or name other" in line
    err = capfd.readouterr().err
    for name, url in ((NAME, archive.address + "dead"), (ARCHIVE, archive.address + ARCHIVE)):
        assert f"{name}: {url}: HTTP status 404\n" in err


# The lab's own records


@pytest.mark.parametrize("reason", ["no answer within 5 seconds", "x" * 300, None])
@pytest.mark.parametrize("name", [n for n, r in catalogue.REMOTE.items() if not r.needs])
def test_what_cannot_be_got_is_one_short_line(name, reason, tmp_path, monkeypatch, capfd):
    """Whole, where folder and reason are usual; a line before it has each address and its reason.

    None: --offline.
    """

    def ask(*_):
        raise transfer.Failed(reason)

    monkeypatch.setattr(transfer, "ask", ask)
    monkeypatch.chdir(tmp_path)
    folder = Path("home/a-student/alexnet-feature-extraction")
    line, record = failure(folder, name, offline=not reason), catalogue.REMOTE[name]
    assert len(line) <= 300 and (" ... " not in line or reason == "x" * 300)
    assert line.endswith(f", or {record.otherwise}")
    told = capfd.readouterr().err.splitlines()
    assert max(map(len, told)) <= 300
    why = reason[:30] if reason else "not asked, since --offline is set"
    for address in record.addresses:
        assert any(f"{name}: {address}: {why}" in line for line in told)


def test_the_weights_record_checks_what_comes(server, tmp_path, monkeypatch, capfd):
    """Weights in the genuine layout pass; the beginning of such a file does not."""
    record = catalogue.REMOTE["bvlc-alexnet.npy"]
    arrays = {"fc6": [np.ones((300, 5), np.float32), np.ones(5, np.float32)]}
    whole = python2_npy.write(tmp_path / "whole.npy", arrays).read_bytes()
    publish(monkeypatch, "bvlc-alexnet.npy", server.address + "w", check=record.check)
    server.files["/w"] = whole[:-100]
    assert "something else came (" in failure(tmp_path, "bvlc-alexnet.npy")
    assert "a pickle that ends early or is none" in capfd.readouterr().err
    server.files["/w"] = whole
    path = fetching.fetch("bvlc-alexnet.npy", tmp_path)
    assert list(weights.read(path).arrays) == ["fc6"]


def test_the_train_p_record(tmp_path):
    """It is checked as a data set and can be made from the official training archive."""
    record = catalogue.REMOTE["train.p"]
    (tmp_path / "train.p").write_bytes(b"\x80\x02}.")
    with pytest.raises(LabError, match="features is missing"):
        record.check(tmp_path / "train.p")
    assert catalogue.REMOTE[record.made_from[0]].hash == "md5:f33fd80ac59bff73c82d25ab499e03a3"


def test_train_p_from_an_archive(tmp_path):
    """An official training set beside the target becomes a pickle like train.p, offline."""
    folder = tmp_path / gtsrb.TRAINING_ZIP / "Final_Training" / "Images" / "00014"
    folder.mkdir(parents=True)
    header = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
    (folder / "GT-00014.csv").write_text(header + "00000_00000.ppm;40;40;5;5;34;34;14\n")
    (folder / "00000_00000.ppm").write_bytes(b"P6\n40 40\n255\n" + bytes(40 * 40 * 3))
    content = pickles.load(fetching.fetch("train.p", tmp_path, offline=True), "train.p")
    assert content["features"].shape == (1, 32, 32, 3)
    assert content["labels"].tolist() == [14]


@pytest.mark.parametrize("name", [n for n, r in catalogue.REMOTE.items() if r.size])
def test_the_labs_pictures_have_the_published_hash(lab_data, name):
    """Size and SHA-256 in the table are those of the real pictures."""
    path = lab_data / "lab" / name
    record = catalogue.REMOTE[name]
    assert path.stat().st_size == record.size
    assert "sha256:" + files.file_hash(path) == record.hash


def test_every_record_can_be_understood():
    """Addresses end in a file's name, hashes have their length, what is made has its source."""
    for name, record in catalogue.REMOTE.items():
        assert record.addresses
        for address in record.addresses:
            assert re.match(r"https?://[\w.]+/.+\.\w+$", address), name
        if record.hash:
            kind, digits = record.hash.split(":")
            assert re.fullmatch("[0-9a-f]+", digits)
            assert len(digits) == hashlib.new(kind).digest_size * 2
        else:
            assert record.check
        if record.made_from:
            assert catalogue.REMOTE[record.made_from[0]].hash

"""Downloads published files to the folder of the scripts, verified, each whole or not at all.

No other module uses the network.
"""

import contextlib
import os
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

from lab import files, locks
from lab.downloads import transfer
from lab.downloads.catalogue import REMOTE
from lab.downloads.transfer import Failed, Part, Wrong
from lab.downloads.verification import compare, remember, verify_once
from lab.errors import LabError, one_line, shown
from lab.files import human_size
from lab.progress import Progress, tell

PATIENCE = 9.0  # seconds for all addresses of a file together to give a first answer
LONGEST_REASON = 60  # characters of an error, for why an address did not give the file


def fetch(
    name: str, folder: str | Path | None = None, offline: bool = False, patience: float = PATIENCE
) -> Path:
    """The path of a published file, which is downloaded if it is missing.

    Address, size and target are printed on stderr first. An interrupted download stays as `.part`,
    and the next call continues it, if the server says that it is still the same file. Published
    sizes and hashes are verified, of files that are there already too; a download without a
    published hash is read and checked instead, and its hash remembered. Of two processes that miss
    a file the second waits, and uses what the first one gets.

    The variable LAB_MIRROR may name another address, http(s):// or file://, of a folder of these
    files, which is asked first.

    Args:
        name: a key of `REMOTE`.
        folder: where the file is looked for and put; None: beside the scripts.
        offline: do not use the network. A file is still made from another one that is there.
        patience: seconds for all its addresses together to give a first answer.

    Returns:
        The file's path.

    Raises:
        LabError: the file is missing and cannot be downloaded (the message says how to get it), or
            it is there and is not the published one.
    """
    remote = REMOTE[name]
    path = Path(folder or files.ROOT) / name
    source, make = remote.made_from or (name, None)
    archive = path.with_name(source)
    there = _there(path, archive)
    if remote.needs and (not there or path.with_name(remote.needs).exists()):
        fetch(remote.needs, folder, offline, patience)
    others = set(REMOTE) - (set() if path.exists() else {name, source})
    files.remove_stale(part for other in others for part in path.parent.glob(f"{other}.*.part"))
    if there == path:
        _remove_parts(path)  # of a run that was killed when it had just put the file there
        verify_once(path, remote)
        return path
    with files.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with locks.held(path.parent) as alone:
        there = _there(path, archive)  # another process may have got it meanwhile
        if there:
            verify_once(there, REMOTE[there.name])
        have = there or _first_of((path, archive), offline, patience, alone is not None)
        if make and have == archive:
            tell(f"{name}: making {path} from {archive}")
            make(archive, path)
            if not there:
                archive.unlink()  # nobody asked for these 276 MB
    return path


def _there(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)


def _addresses(name: str, offline: bool) -> list[str]:
    """Where a file may be got: a mirror first; offline, in a folder alone."""
    mirror = os.environ.get("LAB_MIRROR")
    own = (f"{mirror.rstrip('/')}/{quote(name)}",) if mirror else ()
    return [
        url
        for url in (*own, *REMOTE[name].addresses)
        if not offline or urlsplit(url).scheme == "file"
    ]


def _first_of(targets: tuple[Path, Path], offline: bool, left: float, alone: bool) -> Path:
    """Downloads the first of these files that any address delivers.

    Args:
        targets: the files; both are the same if it is not made from another.
        offline: from no address of the network.
        left: seconds for all addresses together to give a first answer.
        alone: whether a lock keeps other processes from these files.
    """
    sources = [
        (target, url)
        for target in dict.fromkeys(targets)
        for url in _addresses(target.name, offline)
    ]
    failures: dict[str, str] = {}
    for number, (target, url) in enumerate(sources):
        host = urlsplit(url).hostname or "file"
        # Named after the host, which has a validator of its own for what is there.
        part = Part(target, url, host if alone else f"{host}-{os.getpid()}")
        start = time.monotonic()
        try:
            try:
                share = max(0, left) / (len(sources) - number)
                answer = transfer.ask(url, share, *part.start())
            finally:
                left -= time.monotonic() - start
            with contextlib.closing(answer.stream):
                _download(target, part, answer)
            return target
        except Failed as failed:
            failures[url] = str(failed)
    raise LabError(_ways(targets, failures))


def _ways(targets: tuple[Path, Path], failures: dict[str, str]) -> str:
    """How to get the first of these files by hand; says all addresses first, too long for an error.

    Args:
        targets: the files.
        failures: address -> why it did not give the file.
    """
    for target in dict.fromkeys(targets):
        for url in _addresses(target.name, offline=False):
            reason = failures.get(url, "not asked, since --offline is set")
            tell(one_line(f"{target.name}: {_shown(url)}: {reason}"))
    path, archive = targets
    remote, why = REMOTE[path.name], "--offline is set"
    if failures:
        url, reason = list(failures.items())[-1]
        more = f"; {len(failures) - 1} more failed" if failures.keys() - {url} else ""
        last = f"{urlsplit(url).hostname or 'file'}: {shown(reason, LONGEST_REASON)}"
        why = f"could not be downloaded ({last}{more})"
    beside = f", or {archive.name} beside it" if archive != path else ""
    return (
        f"{path}: expected {remote.origin}; it is missing and {why}: save it there from an "
        f"address above{beside}, or {remote.otherwise}"
    )


def _download(path: Path, part: Part, answer: transfer.Answer) -> None:
    """Receives, verifies and moves to its place what an address answers."""
    remote = REMOTE[path.name]
    most, size = remote.size or remote.most, answer.size
    if size is not None and (size > most or (remote.size and size != most)):
        part.remove()
        expected = "" if remote.size else "at most "
        raise Failed(f"expected {expected}{most} bytes; it announces {size}")
    files.check_space(path.parent, (size or 0) - answer.start)
    told = human_size(size) if size is not None else "unknown size"
    there = f", of which {human_size(answer.start)} are there" if answer.start else ""
    tell(f"{path.name}: downloading {_shown(part.url)} ({told}{there}) to {path}")
    try:
        digest = _received(path, part, answer, most)
    except Failed as failed:
        if isinstance(failed, Wrong) or not answer.validator:
            part.remove()
            raise
        kept = human_size(part.path.stat().st_size)
        raise Failed(f"{failed}, {kept} are stored for the next run") from None
    with files.writing(path):
        files.put(part.path, path)
        _remove_parts(path)
    remember(path, remote, digest)


def _remove_parts(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}.*.part"):
        part.unlink(missing_ok=True)


def _received(path: Path, part: Part, answer: transfer.Answer, most: int) -> str:
    """Receives and verifies a file: its hash, as in the catalogue."""
    remote = REMOTE[path.name]
    kind = remote.hash.partition(":")[0] if remote.hash else "sha256"
    name, size = f"downloading {path.name}", answer.size or None
    with (
        Progress().phase(name, size, "B") as advance,
        files.writing(path),
        part.open(answer) as file,
    ):
        advance(answer.start)
        digest = f"{kind}:{transfer.receive(answer, file, kind, most, advance)}"
    try:
        compare(part.path.stat().st_size, digest, remote.size, remote.hash)
        if remote.check:
            remote.check(part.path)
    except LabError as error:
        raise Wrong(f"something else came ({error})") from None
    return digest


def _shown(url: str) -> str:
    """An address without the password that a mirror's may hold."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

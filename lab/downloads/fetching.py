"""Downloads published files to the folder of the scripts, verified, each whole or not at all.

No other module uses the network.
"""

import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from lab import files
from lab.downloads.catalogue import REMOTE
from lab.downloads.verification import verify, verify_once
from lab.errors import LabError
from lab.files import human_size
from lab.progress import tell

PATIENCE = 9.0  # seconds for all addresses of a file together to give a first answer
STALLED = 30.0  # seconds without a byte after which a download that had begun is given up
CHUNK = 2**16  # bytes


class _Failed(Exception):
    """An address did not give the file; the text says why."""


def fetch(
    name: str, folder: str | Path | None = None, offline: bool = False, patience: float = PATIENCE
) -> Path:
    """The path of a published file, which is downloaded if it is missing.

    Address, size and target are printed on stderr first. An interrupted download stays as `.part`,
    and the next call continues it. Published sizes and hashes are verified, of files that are there
    already too; a download without a published hash is read and checked instead.

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
    there = next((file for file in (path, archive) if file.exists()), None)
    if remote.needs and (not there or path.with_name(remote.needs).exists()):
        fetch(remote.needs, folder, offline, patience)
    others = set(REMOTE) - (set() if path.exists() else {name, source})
    files.remove_stale(part for other in others for part in path.parent.glob(f"{other}.*.part"))
    if there:
        verify_once(there, REMOTE[there.name])
    have = there or _first_of((path, archive), offline, patience)
    if make and have == archive:
        tell(f"{name}: making {path} from {archive}")
        make(archive, path)
        if not there:
            archive.unlink()  # nobody asked for these 276 MB
    return path


def _first_of(targets: tuple[Path, Path], offline: bool, patience: float) -> Path:
    """Downloads the first of these files that any address delivers."""
    sources = [
        (target, url)
        for target in dict.fromkeys(targets)  # both are the same if it is not made from another
        for url in REMOTE[target.name].addresses
    ]
    failures = []
    for target, url, answer in _ask([] if offline else sources, patience):
        try:
            _download(target, url, answer)
            return target
        except _Failed as failed:
            failures.append(f"{urlsplit(url).hostname}: {failed}")
    raise LabError(_ways(targets[0], failures))


def _ways(path: Path, failures: list[str]) -> str:
    remote = REMOTE[path.name]
    why = f"could not be downloaded ({'; '.join(failures)})" if failures else "--offline is set"
    others = REMOTE[remote.made_from[0]].addresses if remote.made_from else ()
    archive = f", or put {' or '.join(others)} beside it" if others else ""
    return (
        f"{path}: expected {remote.origin}; it is missing and {why}: save "
        f"{' or '.join(remote.addresses)} there{archive}, or {remote.otherwise}"
    )


def _ask(
    sources: list[tuple[Path, str]], left: float
) -> Iterator[tuple[Path, str, int | Exception]]:
    """Asks one address after the other for its first answer, each with its share of the time left.

    Yields:
        Target, address, and the file's size in bytes (0: unknown) or what went wrong.
    """
    for number, (target, url) in enumerate(sources):
        share = left / (len(sources) - number)
        answers: queue.SimpleQueue[int | Exception] = queue.SimpleQueue()
        start = time.monotonic()
        # In a thread, as looking up a host's name has no time limit.
        threading.Thread(target=_first_answer, args=(url, share, answers), daemon=True).start()
        try:
            answer = answers.get(timeout=share)
        except queue.Empty:
            answer = _Failed(f"no answer within {share:.0f} seconds")
        left -= time.monotonic() - start
        yield target, url, answer


def _first_answer(url: str, seconds: float, answers: queue.SimpleQueue) -> None:
    import requests  # here and below: imported only if a file is missing

    try:
        with requests.get(url, stream=True, timeout=seconds, headers=_headers()) as response:
            response.raise_for_status()
            answers.put(int(response.headers.get("Content-Length", 0)))
    except Exception as error:  # whatever it is, the next address is tried
        answers.put(error)


def _download(path: Path, url: str, answer: int | Exception) -> None:
    if isinstance(answer, Exception):
        raise _Failed(_reason(answer))
    remote = REMOTE[path.name]
    # Named after the host: without a hash, halves of two different files would go unnoticed.
    part = path.with_name(f"{path.name}.{urlsplit(url).hostname}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "ab") as file:
            _receive(file, path, url, answer)
        try:
            verify(part, remote, answer)
            if remote.check:
                remote.check(part)
        except LabError as error:
            part.unlink()
            raise _Failed(f"what came was not {path.name} ({error})") from None
        os.replace(part, path)
        for other in path.parent.glob(f"{path.name}.*.part"):
            other.unlink()
    except OSError as error:
        raise LabError(
            f"{path}: cannot be written ({error.strerror or error}); make room, or get {url} "
            "elsewhere"
        ) from None


def _receive(file: BinaryIO, path: Path, url: str, size: int) -> None:
    """Downloads the rest of an open .part file."""
    import pooch
    import requests

    have = file.tell()
    if size and have > size:
        have = file.truncate(0)
    files.check_space(path.parent, size - have)
    told = human_size(size) if size else "unknown size"
    there = f", of which {human_size(have)} are there" if have else ""
    tell(f"{path.name}: downloading {url} ({told}{there}) to {path}")
    if size and have == size:
        return

    def start_over(response: requests.Response, **_: object) -> None:
        # 200: the whole file, though only its rest was asked for; 416: there is no such rest.
        if response.status_code in (200, 416):
            file.truncate(0)

    download = pooch.HTTPDownloader(
        progressbar=True,
        chunk_size=CHUNK,
        timeout=(PATIENCE, STALLED),
        headers=_headers(have),
        hooks={"response": start_over},
    )
    try:
        download(url, file, None)
    except requests.RequestException as error:
        stored = os.fstat(file.fileno()).st_size
        rest = f", {human_size(stored)} are stored for the next run" if stored else ""
        raise _Failed(_reason(error) + rest) from None


def _headers(have: int = 0) -> dict[str, str]:
    # A compressed answer has another length than the file, and its rest cannot be asked for.
    headers = {"Accept-Encoding": "identity"}
    return headers | {"Range": f"bytes={have}-"} if have else headers


def _reason(error: Exception) -> str:
    """An error of requests in a few words; its own texts fill several lines."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate could not be verified"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return str(error)

"""One file from one address: gone on with, capped and hashed while it comes, given up if it drips.

It knows HTTP and file://; which file it is and whether it is the right one, `fetching` knows.
"""

import hashlib
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lab.files import human_size
from lab.progress import Advance
from lab.untrusted import cause

WINDOW = 30.0  # seconds: what brings less than SLOWEST in each of these is given up
SLOWEST = 1000  # bytes per second
CHUNK = 2**16  # bytes


class Failed(Exception):
    """An address did not give the file; the text says why."""


class Wrong(Failed):
    """What came is not the file: nothing of it is kept."""


@dataclass
class Answer:
    """What an address answers.

    Attributes:
        stream: the content, from byte `start` of the file.
        size: the whole file's, in bytes; None where it is not told.
        validator: what tells this file from another one at the same address; "" for nothing.
    """

    stream: Any
    size: int | None
    start: int = 0
    validator: str = ""


class Part:
    """A file on its way: its first bytes, and beside them where they come from.

    Args:
        path: where the file is to be.
        url: its address.
        name: of the address, for the name of the part.
    """

    def __init__(self, path: Path, url: str, name: str):
        self.path, self.url = path.with_name(f"{path.name}.{name}.part"), url
        self._record = path.with_name(f"{path.name}.{name}.validator.part")

    def start(self) -> tuple[int, str]:
        """The byte to go on with, and the validator of what is there; 0 and "" to begin anew.

        It is the last one that is there: the rest of a file that is whole cannot be asked for.
        """
        try:
            url, _, validator = self._record.read_text(encoding="utf-8").partition("\n")
            if url == self.url and validator and validator.isprintable():
                return max(self.path.stat().st_size - 1, 0), validator
        except (OSError, ValueError):
            pass
        return 0, ""

    def open(self, answer: Answer) -> BufferedRandom:
        """The part, at the byte that the answer starts with."""
        file = open(self.path, "r+b" if answer.start else "w+b")  # noqa: SIM115
        file.truncate(answer.start)
        if not answer.start:
            self._record.write_text(f"{self.url}\n{answer.validator}", encoding="utf-8")
        return file

    def remove(self) -> None:
        """Removes both files."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)


def ask(url: str, seconds: float, start: int, validator: str) -> Answer:
    """Asks an address for a file, or for its rest.

    Args:
        url: the address.
        seconds: for the first answer, looking up the host's name included.
        start, validator: as `Part.start`.

    Raises:
        Failed: there is no answer within these seconds, or not the file.
    """
    answers: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

    def answer() -> None:
        try:
            local = urlsplit(url).scheme == "file"
            answers.put(_local(url) if local else _http(url, seconds, start, validator))
        except Exception as error:  # whatever it is, the next address is tried
            answers.put(error)

    # In a thread, as looking up a host's name has no time limit.
    threading.Thread(target=answer, daemon=True).start()
    try:
        answered = answers.get(timeout=seconds)
    except queue.Empty:
        raise Failed(f"no answer within {seconds:.0f} seconds") from None
    if isinstance(answered, Exception):
        raise Failed(_reason(answered)) from None
    return answered


def _local(url: str) -> Answer:
    path = Path(url2pathname(urlsplit(url).path))
    if not path.is_file():
        raise Failed("there is no such file")
    return Answer(open(path, "rb"), path.stat().st_size)


def _http(url: str, seconds: float, start: int, validator: str) -> Answer:
    import requests  # imported only if a file is missing

    # A compressed answer has another length than the file, and its rest cannot be asked for.
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    response = requests.get(url, stream=True, timeout=(seconds, WINDOW), headers=headers)
    status, sent = response.status_code, response.headers
    goes_on = (
        status == 206
        and sent.get("Content-Range", "").startswith(f"bytes {start}-")
        and _validator(sent) == validator
    )
    if status != 200 and not (start and goes_on):
        response.close()
        if start and status in (206, 416):  # the rest of another file, or none
            return _http(url, seconds, 0, "")
        raise Failed(f"HTTP status {status}")
    start = start if status == 206 else 0  # the whole file, though its rest was asked for
    length = sent.get("Content-Length", "")
    size = start + int(length) if length.isdecimal() else None
    return Answer(response.raw, size, start, _validator(sent))


def _validator(sent: Mapping[str, str]) -> str:
    """An ETag that promises the same bytes, or the time of the last change."""
    tag = sent.get("ETag", "")
    validator = tag if tag and not tag.startswith("W/") else sent.get("Last-Modified")
    return validator if validator and validator.isprintable() else ""


def receive(answer: Answer, file: BufferedRandom, kind: str, most: int, advance: Advance) -> str:
    """Writes what an address sends to an open part.

    Args:
        answer: the address's.
        file: the part, opened by `Part.open`.
        kind: of the hash, a name that `hashlib.new` knows.
        most: bytes that the file may have.
        advance: called with the number of bytes that have come.

    Returns:
        The hash of the whole file in hexadecimal digits.

    Raises:
        Failed: more comes than the file may have, too little in a time, or the connection breaks.
        OSError: the part cannot be written.
    """
    file.seek(0)
    digest = hashlib.file_digest(file, kind)  # of what is there; seeks to the end
    have, since, then = answer.start, time.monotonic(), answer.start
    while chunk := _read(answer.stream):
        have += len(chunk)
        if have > most:
            raise Wrong(f"expected {human_size(most)} at most; more was sent")
        file.write(chunk)
        digest.update(chunk)
        advance(len(chunk))
        if time.monotonic() - since >= WINDOW:
            if have - then < SLOWEST * WINDOW:
                raise Failed(f"less than {human_size(SLOWEST)} per second came")
            since, then = time.monotonic(), have
    if answer.size is not None and have != answer.size:
        raise Failed("the connection broke")
    return digest.hexdigest()


def _read(stream: Any) -> bytes:
    try:  # at once what is there, not all of a chunk: a drip would take hours to fill one
        return stream.read1(CHUNK)
    except Exception as error:  # of requests, of urllib3, of a disk
        raise Failed(_reason(error)) from None


def _reason(error: Exception) -> str:
    """An error of requests or urllib3 in a few words; their own texts fill several lines."""
    import requests
    import urllib3

    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return "its certificate could not be verified"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return cause(error)

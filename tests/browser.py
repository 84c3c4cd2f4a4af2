"""A headless Chromium for tests, spoken to through pipes: no driver, no package, no open port."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 120  # seconds for all that a browser is asked, on a busy machine
RENUMBER = """import os, sys
os.dup2(int(sys.argv[1]), 3), os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])"""


def find() -> str | None:
    """The path of a Chromium, or None; none on Windows, where pipes are not handed over so."""
    if sys.platform == "win32":
        return None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page. `events` holds all that Chromium reported about it.

    References:
        https://chromedevtools.github.io/devtools-protocol, whose messages end with a zero byte.
    """

    def __init__(self, program: str, profile: Path):
        import fcntl  # Windows has none, and nothing else in this file minds

        its_input, our_output = os.pipe()
        our_input, its_output = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4. Python hands a child no descriptor under
        # another number, so a second Python renumbers them, from numbers that are not in the way.
        pipes = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (its_input, its_output)]
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        arguments += ["--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", RENUMBER, *map(str, pipes), program, *arguments],
            pass_fds=pipes,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (its_input, its_output, *pipes):
            os.close(end)
        self._input, self._output = os.fdopen(our_input, "rb"), os.fdopen(our_output, "wb")
        # A Chromium that says nothing is ended, and the reader below then meets the pipe's end.
        self._limit = threading.Timer(PATIENCE, self._process.kill)
        self._limit.start()
        self._number, self._session, self.events = 0, None, []

    def __enter__(self) -> "Browser":
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()

    def call(self, method: str, **params) -> dict:
        """One command of the protocol, and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._output.write(json.dumps(message).encode() + b"\0")
        self._output.flush()
        while (answer := self._read()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path: Path) -> None:
        """Opens a file and waits until all of it is loaded."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def value(self, script: str) -> object:
        """What an expression, or the promise of one, comes to in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def _read(self) -> dict:
        data = bytearray()
        while (byte := self._input.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium has ended, or was ended for its silence")
            data += byte
        return json.loads(data)

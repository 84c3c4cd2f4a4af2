"""What the scripts' command lines share: options, exit statuses, notices."""

import argparse
import functools
import gc
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lab import interruption
from lab.errors import LabError, one_line, shown
from lab.progress import Progress
from lab.progress import tell as say


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line, and whose help shows each default.

    Attributes:
        source: the file that the options were read from; empty: they were typed.
    """

    source = ""

    def __init__(self, description: str):
        super().__init__(
            description=description.split("\n\n")[0],
            epilog=description.partition("\n\n")[2],
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> Any:
        of = f"{shown(self.source, 150)}: " if self.source else ""
        self.exit(2, one_line(f"{self.prog}: {of}{message} (see {self.prog} --help)") + "\n")

    def add_pictures(self, default: str) -> None:
        """The options of the three scripts that classify pictures."""
        self.add_argument(
            "pictures", nargs="*", metavar="PICTURE",
            help=f"picture files, or folders of them; none: {default}",
        )  # fmt: skip
        self.add_argument("--top", type=positive, default=5, metavar="N", help="classes to name")
        self.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def add_common(self, variants: Iterable[str], bundled: bool = True) -> None:
        """The options of all four scripts.

        Args:
            variants: names of the network's variants.
            bundled: whether the trunk in trained/, which ends at pool5, can serve as weights.
        """
        word = ", or the word bundled: the trunk in trained/" if bundled else ""
        self.add_argument(
            "--weights", metavar="FILE", help=f".npy, .npz or .onnx{word} "
            "(default: bvlc-alexnet.npy, downloaded once where it is missing)",
        )  # fmt: skip
        self.add_argument(
            "--variant", choices=variants, help="the original network, or the old lab's "
            "reading of it (default: caffe, or the trained classifier's)",
        )  # fmt: skip
        self.add_argument("--offline", action="store_true", help="never reach for the network")


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False) or action.nargs == "*":
            return action.help
        return super()._get_help_string(action)


def positive(text: str) -> int:
    """argparse type: a whole number from 1 to 2^31 - 1."""
    if not text.isdecimal() or not 1 <= int(text) < 2**31:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1 to 2^31 - 1; received {text!r}"
        )
    return int(text)


def whole(text: str) -> int:
    """argparse type: a whole number from 0, small enough for TensorFlow's generators."""
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(
            f"expected a whole number 0 to 2^31 - 1; received {text!r}"
        )
    return int(text)


def script(function: Callable[[list[str]], None]) -> Callable[..., int]:
    """Makes a script's main of a function: errors -> status 2, no traceback."""

    @functools.wraps(function)
    def main(argv: Sequence[str] | None = None) -> int:
        interruption.stop = interruption.Stop()
        try:
            function(sys.argv[1:] if argv is None else list(argv))
        except KeyboardInterrupt:  # where `begin` was not called, or on Windows
            say(interruption.stop.advice())
            return 130
        except SystemExit as stop:  # argparse
            return stop.code if isinstance(stop.code, int) else 0
        except (LabError, OSError, MemoryError) as error:
            say(one_line(f"error: {_words(error)}"))
            return 2
        except Exception as error:
            # TensorFlow's, known by its name: TensorFlow is not imported here.
            if type(error).__name__ != "ResourceExhaustedError":
                raise
            say(
                "error: the device's memory is exhausted: close what else uses it, or compute on "
                "the processor: CUDA_VISIBLE_DEVICES=-1"
            )
            return 2
        return 0

    return main


def _words(error: Exception) -> str:
    """What an error says; of the system's own, too, what to do."""
    if isinstance(error, OSError) and error.filename is not None:
        name = shown(str(error.filename), 150)
        return (
            f"{name}: expected a place that can be used; received: {error.strerror}; name another"
        )
    return str(error) or type(error).__name__


def import_tensorflow() -> list[Any]:
    """Imports TensorFlow without its chatter, once the options are known to be right.

    TensorFlow takes seconds to import and writes about CUDA and oneDNN straight to file descriptor
    2, before any of its settings can stop it: during the import, nobody reads that. What the import
    makes stays to the end: the garbage collector, which would walk through it again and again, and
    once more at the end, is kept from it. That is 1.8 of 4.2 seconds.

    Returns:
        The GPUs. Of a shared one, as much memory is taken as is needed, not all of it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    first = "tensorflow" not in sys.modules  # else the caller's garbage would stay, too
    with Progress().phase("starting TensorFlow"), open(os.devnull, "wb") as nowhere:
        stderr = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        if first:
            gc.disable()
        # It imports urllib3, which would open a socket to see whether there is IPv6.
        has_ipv6, socket.has_ipv6 = socket.has_ipv6, False
        try:
            import tensorflow as tf
            from urllib3.util import connection

            connection.HAS_IPV6 = has_ipv6  # where there is none, its addresses fail at once
            devices = tf.config.list_physical_devices("GPU")
        except ImportError as error:
            raise LabError(
                f"TensorFlow cannot be imported ({error}): pip install -r requirements.txt"
            ) from None
        finally:
            if first:
                gc.freeze()
                gc.enable()
            socket.has_ipv6 = has_ipv6
            os.dup2(stderr, 2)
            os.close(stderr)
    for device in devices:
        tf.config.experimental.set_memory_growth(device, True)
    return devices


def start_tensorflow() -> str:
    """Starts TensorFlow, and says on what it runs.

    Returns:
        The device, the number of cores and TensorFlow's version, in words.
    """
    devices = import_tensorflow()
    import tensorflow as tf

    name = "CPU"
    if devices:
        name = tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU")
    words = f"{name}, {os.cpu_count()} cores, TensorFlow {tf.__version__}"
    say(f"device: {words}")
    return words

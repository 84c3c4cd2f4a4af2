"""What the command lines share: options, exit statuses, notices, printed results."""

import argparse
import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from lab import files
from lab.errors import LabError
from lab.progress import show


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line, and whose help tells each default."""

    def __init__(self, story: str):
        super().__init__(
            description=story.split("\n\n")[0],
            epilog=story.partition("\n\n")[2],
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> Any:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

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
            variants: names of the network's.
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
    """argparse type: a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1; received {text!r}")
    return int(text)


def whole(text: str) -> int:
    """argparse type: a whole number from 0 that TensorFlow's generators take."""
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(
            f"expected a whole number 0 to 2^31 - 1; received {text!r}"
        )
    return int(text)


def script(story: Callable[[list[str]], None]) -> Callable[..., int]:
    """Makes a script's main: errors -> status 2, Ctrl-C -> 130, and no traceback for either."""

    @functools.wraps(story)
    def main(argv: Sequence[str] | None = None) -> int:
        try:
            story(sys.argv[1:] if argv is None else list(argv))
        except KeyboardInterrupt:
            say("interrupted")
            return 130
        except SystemExit as stop:  # argparse
            return stop.code if isinstance(stop.code, int) else 0
        except (LabError, OSError, MemoryError) as error:
            say("error: " + " ".join(str(error).split() or [type(error).__name__]))
            return 2
        except Exception as error:
            # TensorFlow's, by name: it may not be there to be imported.
            if type(error).__name__ != "ResourceExhaustedError":
                raise
            say("error: the device is out of memory: give a smaller --batch-size, or close others")
            return 2
        return 0

    return main


def say(text: str) -> None:
    """A notice: stderr, so that results can be piped."""
    print(text, file=sys.stderr, flush=True)


def start_tensorflow() -> str:
    """Imports TensorFlow without its chatter, once the options are known to be right.

    TensorFlow takes seconds to import and writes about CUDA and oneDNN straight to file descriptor
    2, before any setting of its own can stop it: that is closed to it for so long.

    Returns:
        The device that it computes on, in words.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with tempfile.TemporaryFile() as chatter, ExitStack() as stack:
        sys.stderr.flush()
        saved = os.dup(2)
        stack.callback(os.close, saved)
        stack.callback(os.dup2, saved, 2)
        os.dup2(chatter.fileno(), 2)
        try:
            import tensorflow as tf

            devices = tf.config.list_physical_devices("GPU")
        except ImportError as error:
            raise LabError(
                f"TensorFlow cannot be imported ({error}): pip install -r requirements.txt"
            ) from None
    for device in devices:  # a lab on a shared GPU takes what it needs and not the whole card
        tf.config.experimental.set_memory_growth(device, True)
    name = "CPU"
    if devices:
        name = tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU")
    words = f"{name}, {os.cpu_count()} cores, TensorFlow {tf.__version__}"
    say(f"device: {words}")
    return words


def top(
    probabilities: np.ndarray, names: Sequence[str], count: int, paths: Sequence[Path]
) -> list[dict[str, Any]]:
    """Each picture's likeliest classes: its file, and top: dicts of class, index, probability.

    Args:
        probabilities: float (n, classes).
        names: of the classes.
        count: how many classes a picture.
        paths: of the n pictures.
    """
    order = (-probabilities).argsort(axis=1, kind="stable")[:, :count]
    return [
        {
            "file": str(path),
            "top": [
                {"class": names[i], "index": int(i), "probability": round(float(p[i]), 6)}
                for i in row
            ],
        }
        for path, p, row in zip(paths, probabilities, order, strict=True)
    ]


def show_answers(
    answers: list[dict[str, Any]], seconds: float, weights: Path, as_json: bool, **also: Any
) -> None:
    """Prints what `top` gives, in the lab's form or as one JSON object.

    Args:
        answers: as `top` gives them.
        seconds: that they took.
        weights: the file they stand on.
        as_json: which form.
        also: what else the JSON object holds.
    """
    if as_json:
        show_json(also | {"weights": str(weights), "pictures": answers, "seconds": seconds})
        return
    for number, answer in enumerate(answers):
        show(f"Image {number} {files.relative(Path(answer['file']))}")
        for row in answer["top"]:
            show(f"{row['class']}: {row['probability']:.3f}")
        show("")
    show(f"Time: {seconds:.3f} seconds")


def show_json(result: dict[str, Any]) -> None:
    """One JSON object and nothing else on stdout."""
    show(json.dumps(result, indent=2))

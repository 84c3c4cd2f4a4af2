"""What the command lines share: options, errors that end in one line, notices, printed results."""

import argparse
import contextlib
import functools
import json
import os
import sys
import tempfile

from lab.downloads.catalogue import WEIGHTS
from lab.errors import LabError


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line, and whose help tells each default."""

    def __init__(self, story):
        super().__init__(
            description=story.split("\n\n")[0],
            epilog=story.partition("\n\n")[2],
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def add_pictures(self, default):
        """The options of the three scripts that classify pictures."""
        self.add_argument(
            "pictures", nargs="*", metavar="PICTURE", help=f"pictures; none: {default}"
        )
        self.add_argument("--top", type=positive, default=5, metavar="N", help="classes to name")
        self.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def add_common(self):
        """The options of all four scripts."""
        self.add_argument(
            "--weights",
            metavar="FILE",
            help=".npy, .npz or .onnx, or the word bundled: the trunk in trained/ "
            f"(default: {WEIGHTS}, downloaded once where it is missing)",
        )
        self.add_argument(
            "--variant",
            choices=("caffe", "lab"),
            help="the original network, or the old lab's reading of it "
            "(default: caffe, or the trained classifier's)",
        )
        self.add_argument("--offline", action="store_true", help="never reach for the network")


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action):
        if action.default in (None, False) or action.nargs == "*":
            return action.help
        return super()._get_help_string(action)


def positive(text):
    """argparse type: a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1; received {text!r}")
    return int(text)


def whole(text):
    """argparse type: a whole number from 0 that TensorFlow's generators take."""
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(
            f"expected a whole number 0 to 2^31 - 1; received {text!r}"
        )
    return int(text)


def progress(steps):
    """A progress bar around an iterable of steps: on a terminal's stderr, gone at its end."""
    from tqdm import tqdm

    return tqdm(steps, leave=False, dynamic_ncols=True, disable=None)


def script(story):
    """Makes a script's main: errors -> status 2, Ctrl-C -> 130, and no traceback for either."""

    @functools.wraps(story)
    def main(argv=None):
        try:
            story(argv)
        except KeyboardInterrupt:
            say("interrupted")
            return 130
        except BrokenPipeError:  # `| head` has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except SystemExit as stop:  # argparse
            return stop.code or 0
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


def say(text):
    """A notice: stderr, so that results can be piped."""
    print(text, file=sys.stderr, flush=True)


def start_tensorflow():
    """Imports TensorFlow without its chatter, once the options are known to be right.

    TensorFlow takes seconds to import and writes about CUDA and oneDNN straight to file descriptor
    2, before any setting of its own can stop it: that is closed to it for so long.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with tempfile.TemporaryFile() as chatter, contextlib.ExitStack() as stack:
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
    device = f"{name}, {os.cpu_count()} cores, TensorFlow {tf.__version__}"
    say(f"device: {device}")
    return device


def print_top(probabilities, names, top, as_json, files, weights_file, seconds):
    """Prints each picture's likeliest classes, in the lab's form or as JSON."""
    order = (-probabilities).argsort(axis=1, kind="stable")[:, :top]
    if as_json:
        pictures = [
            {
                "file": str(file),
                "top": [
                    {"class": names[i], "index": int(i), "probability": round(float(p[i]), 6)}
                    for i in row
                ],
            }
            for file, p, row in zip(files, probabilities, order, strict=True)
        ]
        print_json({"weights": str(weights_file), "pictures": pictures, "seconds": seconds})
        return
    for number, (p, row) in enumerate(zip(probabilities, order, strict=True)):
        print(f"Image {number}")
        for i in row:
            print(f"{names[i]}: {p[i]:.3f}")
        print()
    print(f"Time: {seconds:.3f} seconds")


def print_json(result):
    """One JSON object and nothing else on stdout."""
    print(json.dumps(result, indent=2))

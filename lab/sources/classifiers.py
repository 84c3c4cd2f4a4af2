"""The classifier that --model names, and the weights that it was trained on."""

import contextlib
from argparse import Namespace
from pathlib import Path

from lab import classifier, files, runs
from lab.classifier import Classifier
from lab.data import class_names
from lab.errors import LabError
from lab.sources import weights_files
from lab.weights import Weights


def find(options: Namespace) -> tuple[Classifier, Weights, str, str]:
    """The classifier that a command line names.

    Args:
        options: model, weights, variant and offline, as parsed. A model is a classifier's file, its
            run's folder, the words bundled or none, or None: the newest complete run, else the
            bundled one.

    Returns:
        The classifier, the weights that it was trained on, its name, and what is known of it.
    """
    option, variant, offline = options.model, options.variant, options.offline
    if option == "none":
        trunk = weights_files.load(options.weights, offline)
        fresh = classifier.fresh(class_names(), trunk, variant or "caffe")
        return fresh, trunk, "an untrained head", "its answers are chance"
    if option is None:
        path = runs.newest() or runs.BUNDLED
    else:
        path = runs.BUNDLED if option == "bundled" else Path(option)
    found = classifier.load(path)
    if variant not in (None, found.variant):
        raise LabError(
            f"{path}: expected --variant {found.variant}, as it was trained; received {variant}; "
            "leave --variant out"
        )
    run = path if path.is_dir() else path.parent
    used = weights_files.locate(options.weights, offline, run, found.notes.get("weights"))
    trunk = weights_files.read(used)
    found.check(trunk)
    words = found.words()
    if option is None and path != runs.BUNDLED:  # the newest run need not be the best one
        with contextlib.suppress(LabError):
            words += f"; or --model bundled: {classifier.load(runs.BUNDLED).words()}"
    return found, trunk, files.relative(path), words

"""What must be known beside a training's accuracy, a line each."""

import numpy as np

from lab import runs
from lab.data import Dataset
from lab.data.splits import OWN, Split
from lab.drawn_signs import RENDERED
from lab.features import emulation
from lab.training.on_features import HeadTraining
from lab.training.whole_network import NetworkTraining
from lab.weights import Weights

SAME_SIGNS = "(frames of the same signs on both sides; see --split track)"


def notices_of(
    training: HeadTraining | NetworkTraining,
    data: Dataset,
    test: Dataset | None,
    trunk: Weights | None,
    new: np.ndarray | None,
) -> list[str]:
    """What a reader of the accuracy must know beside it.

    Args:
        training: not run yet.
        data: what it is trained on.
        test: a second set, or None.
        trunk: the weights to start from, or None.
        new: int64 (m,), the pictures of the second set that are judged.
    """
    notices = []
    bundled = trunk and trunk.path.resolve().parent == runs.BUNDLED.resolve()
    if bundled and data.crop != "sign":
        notices.append(
            "the bundled trunk was trained on traffic signs alone: it knows little of anything else"
        )
    if isinstance(training, HeadTraining) and training.seen:
        tracks = ", its test tracks," if training.split.name == "track" else ""
        notices.append(
            f"{training.trunk.path} was trained on {training.seen:,} of these pictures: the head "
            f"learns from those and is judged on the other {len(training.split.held_out):,}"
            f"{tracks} alone"
        )
    if trunk and isinstance(training, NetworkTraining) and training.known:
        notices.append(
            f"{trunk.path} comes from a training that knew {training.known:,} of the validation "
            "pictures: the accuracies of the epochs say little about new ones; that of the "
            f"{len(training.split.test):,} test pictures does"
        )
    if trunk and isinstance(training, NetworkTraining) and training.plan.late:
        notices.append(
            f"{trunk.path} comes from a training on blurred and noisy copies: every second step "
            f"has such copies again, and the rate rises to {training.plan.rate:g}"
        )
    if test is not None and new is not None and len(new) < len(test):
        notices.append(
            f"--test: {len(test) - len(new):,} of its {len(test):,} pictures are in --data or "
            f"known to the weights: the other {len(new):,} are judged"
        )
    return notices


def emulated(training: HeadTraining) -> list[str]:
    """That a CPU only emulates the training's precision, and what that costs."""
    name = training.settings.precision
    times = emulation.slowdown(training.trunk.arrays, training.settings.recipe, name)
    if times is None:
        return []
    return [
        f"--precision {name}: this CPU only emulates it; the network takes {times:.1f} times as "
        "long as in float32: bfloat16 is for CPUs, float16 for GPUs"
    ]


def judged_on(count: int, split: Split, data: Dataset) -> str:
    """What an accuracy is of, in words."""
    if data.source == RENDERED:
        return f"{count:,} rendered signs it has not seen"
    if data.crop == "sign" and split.name == "random":
        return f"{count:,} pictures {SAME_SIGNS}"
    apart = data.tracks is not None and split.name != OWN
    kind = "signs it has not seen" if data.crop == "sign" else "groups it has not seen"
    words = f"{count:,} pictures" + (f" of {kind}" if apart else "")
    if split.name == "folds":
        return f"{words}, cross-validated in {split.fold.max() + 1} folds"
    return words if apart else f"{words} it has not seen"

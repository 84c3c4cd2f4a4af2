"""How the whole network is trained: schedule, learning rate, input sizes, for each kind."""

from dataclasses import dataclass
from typing import Any

import alexnet
from lab.errors import LabError
from lab.weights import Weights

WARMUP = 200  # steps over which the learning rate rises


@dataclass(frozen=True)
class Plan:
    """How the whole network is trained.

    Attributes:
        rate: Adam's highest learning rate; it rises over `WARMUP` steps and falls to 0 as a cosine.
        sizes: the input's size in pixels, one for each tenth of the epochs: small input is faster,
            and sufficient at the beginning.
        scale: what the input is multiplied by. Random weights need input of about unit variance;
            ImageNet's were trained on 0 to 255.
        dropout: share of the 9216 features that each training picture loses before the head.
    """

    epochs: int
    batch_size: int
    seed: int = 0
    precision: str = "float32"
    rate: float = 1e-4
    sizes: tuple[int, ...] = (alexnet.SIZE,) * 10
    scale: float = 1.0
    dropout: float = 0.5

    def size(self, epoch: int) -> int:
        """The input's size in an epoch, from 0."""
        return self.sizes[epoch * len(self.sizes) // self.epochs]


KINDS: dict[str, dict[str, Any]] = {
    # On the real conv weights, 32 pictures a step: 0.995 of the validation tracks after two epochs.
    # Half the rate with 128 pictures of 163 pixels gave 0.978.
    "all": {"rate": 2e-4},
    "scratch": {
        "rate": 1e-3,
        "sizes": (99,) * 3 + (131,) * 3 + (163,) * 2 + (alexnet.SIZE,) * 2,
        "scale": alexnet.PICTURE_SCALE,
    },
}
PRECISIONS = ("float32", "bfloat16")  # gradients leave float16's range


def check(precision: str, variant: str) -> None:
    """Refuses what the whole network cannot be trained in.

    Raises:
        LabError: float16, or the old lab's network.
    """
    if precision not in PRECISIONS:
        raise LabError(
            f"expected --precision {' or '.join(PRECISIONS)} to train the whole network; "
            f"received {precision}: its gradients leave float16's range"
        )
    if variant != "caffe":
        raise LabError(
            f"expected --variant caffe to train the whole network; received {variant}: the old lab "
            "trained none"
        )


def of_kind(
    kind: str, epochs: int, batch_size: int, seed: int, precision: str, start: Weights | None = None
) -> Plan:
    """The plan of a kind of training.

    Args:
        kind: {"all", "scratch"}.
        epochs, batch_size, seed, precision: as in `Plan`.
        start: the weights to start from. If they tell the scale of the input in their own
            training, it stays: Adam's steps do not depend on the size of the weights, and would
            destroy small ones.

    """
    options: dict[str, Any] = dict(KINDS[kind])
    if start is not None:
        options["scale"] = start.input_scale
    return Plan(epochs, batch_size, seed, precision, **options)

"""How the whole network is trained: schedule, learning rate, input sizes, for each kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import alexnet
from lab.data.classes import mirror_images
from lab.errors import LabError
from lab.features import NETWORK, Recipe
from lab.weights import Weights

WARMUP = 200  # steps over which the learning rate rises


@dataclass(frozen=True)
class Ranges:
    """How far a random copy may differ from its picture; at 0 it does not.

    Attributes:
        shift: share of the picture's side, either way.
        rotation: radians, either way.
        scale: of the size, either way; half of it for the ratio of width to height.
        ground: share of the copies whose light, colourless ground is painted, mostly yellow.
        gains: of red, green and blue: a factor exp(+-0.2) is 0.82 to 1.22.
        saturation: of the differences to grey: a factor 1 +- 0.5.
        hue: radians that colours are turned about grey, either way.
        grey: share of the copies without colour.
        motion: share of the copies that are smeared along a line.
        blur: largest share of the 3x3 binomial blur.
        contrast: of the differences to the mean colour: a factor exp(+-0.5) is 0.6 to 1.65.
        brightness: a factor of the mean colour, likewise; a shift would turn dark signs black.
        noise: largest deviation, in deviations of the picture: one in grey levels would drown dark
            signs. Half of the copies have none.
        jpeg: share of the copies with coarse 8x8 blocks; only for sides that 8 divides.
        defocus: share of the copies that a lens out of focus or a fast camera blurs.
        haze: share of the copies behind fog or a frosted lens.
        pepper: share of the copies with pixels that say nothing.
        coarse: share of the copies with fewer pixels.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    ground: float = 0.0
    gains: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    grey: float = 0.0
    motion: float = 0.0
    blur: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    defocus: float = 0.0
    haze: float = 0.0
    pepper: float = 0.0
    coarse: float = 0.0


# Each range of colour, ground and dirt was compared with none in benchmarks/ablation.py.
MOVED = Ranges(shift=0.078, rotation=0.26, scale=0.18, blur=0.8, contrast=0.5, brightness=0.5)
SIGNS = replace(
    MOVED, ground=0.2, gains=0.2, saturation=0.5, hue=0.25, grey=0.05, motion=0.15, noise=0.15,
    jpeg=0.2,
)  # fmt: skip
# As other cameras and weather show signs. From the beginning, random weights learn little by it:
# 0.926 in place of 0.966 of other tracks after a short training (benchmarks/ablation.py).
HARD = replace(
    SIGNS, ground=0.3, motion=0.2, noise=1.0, defocus=0.15, haze=0.15, pepper=0.1, coarse=0.1
)
DIRT = ("defocus", "haze", "pepper", "coarse")  # that SIGNS has not
PHOTOGRAPHS = MOVED  # of anything: no colour that is not light's


@dataclass(frozen=True)
class Plan:
    """How the whole network is trained.

    Attributes:
        rate: Adam's highest learning rate; it rises over `WARMUP` steps and falls to 0 as a cosine.
        sizes: the input's size in pixels, one for each tenth of the epochs: small input is faster,
            and sufficient at the beginning.
        scale: what the input is multiplied by. Random weights need input of about unit variance;
            ImageNet's were trained on 0 to 255.
        dropout: share of pool5's numbers that each training picture loses before the head.
        contrast, zoom: as in `lab.features.Recipe`, in training as in answering.
        ranges: of the random copies that are trained on.
        late: of the copies of every second step, from some epoch on; the other steps keep `ranges`,
            so as not to lose pictures as a camera takes them. None: all steps do.
        late_from: the share of the epochs before that.
        mirrors: for each class, the class of its mirror images, or -1: "keep right" is "keep left"
            in a mirror, and "stop" is nothing. Of classes that have one, half of the copies are
            mirrored. Empty: none are.
    """

    epochs: int
    batch_size: int
    seed: int = 0
    precision: str = "float32"
    rate: float = 1e-4
    sizes: tuple[int, ...] = (alexnet.SIZE,) * 10
    scale: float = 1.0
    dropout: float = 0.5
    contrast: bool = True
    zoom: float = 1.0
    ranges: Ranges = SIGNS
    late: Ranges | None = None
    late_from: float = 0.5
    mirrors: tuple[int, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """How the trained network's input is made: as in the last epoch, without random copies."""
        return replace(NETWORK, contrast=self.contrast, zoom=self.zoom, size=self.sizes[-1])

    def size(self, epoch: int) -> int:
        """The input's size in an epoch, from 0."""
        return self.sizes[epoch * len(self.sizes) // self.epochs]

    def copies(self, epoch: int, done: int) -> Ranges:
        """How far random copies differ in an epoch, from 0, when `done` steps of all are done."""
        if self.late is None or done % 2 == 0 or epoch < self.late_from * self.epochs:
            return self.ranges
        return self.late


KINDS: dict[str, dict[str, Any]] = {
    # Half the rate with 128 pictures a step: 0.978 of the validation tracks in place of 0.995.
    "all": {"rate": 2e-4},
    "scratch": {
        "rate": 1e-3,
        "sizes": (99,) * 4 + (131,) * 4 + (163,) * 2,
        "scale": alexnet.PICTURE_SCALE,
    },
}
# From weights that know dirt: they go on seeing it, or they would forget it. The rate is the one
# that trained/ was made with; no other was tried.
CONTINUED: dict[str, Any] = {"rate": 5e-4, "late": HARD, "late_from": 0.0}
# Of signs: with this zoom, a sign at 163 pixels is as large as at 233 without.
ZOOM = 0.7
SIZES_OF_SIGNS = (131,) * 6 + (163,) * 4
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
    kind: str,
    epochs: int,
    batch_size: int,
    seed: int,
    precision: str,
    start: Weights | None = None,
    crop: str = "sign",
    names: Sequence[str] = (),
) -> Plan:
    """The plan of a kind of training.

    Args:
        kind: {"all", "scratch"}.
        epochs, batch_size, seed, precision: as in `Plan`.
        start: the weights to start from. If they tell the scale of the input in their own
            training, it stays: Adam's steps do not depend on the size of the weights, and would
            destroy small ones.
        crop: of the pictures: photographs are shown whole, and their copies are other ones.
        names: of the classes: of signs, they tell which are mirrored; of photographs, all are.
    """
    options: dict[str, Any] = {"ranges": PHOTOGRAPHS, "mirrors": tuple(range(len(names)))}
    if crop == "sign":
        options = {"zoom": ZOOM, "sizes": SIZES_OF_SIGNS, "mirrors": mirror_images(names)}
        options |= {"late": HARD} if kind == "scratch" else {}
    options |= KINDS[kind]
    if kind == "all" and crop == "sign" and start is not None and _knows_dirt(start):
        options |= CONTINUED
    if start is not None:
        options["scale"] = start.input_scale
    return Plan(epochs, batch_size, seed, precision, **options)


def _knows_dirt(start: Weights) -> bool:
    """Whether weights come from a training whose later steps were dirty, as their recipe tells."""
    plan = (start.recipe or {}).get("plan")
    late = plan.get("late") if isinstance(plan, dict) else None
    shares = [late.get(name) for name in DIRT] if isinstance(late, dict) else []
    return any(isinstance(share, float) and share > 0 for share in shares)

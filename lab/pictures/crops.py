"""How a picture of any size becomes one of the size that is classified: three ways, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lab.errors import LabError
from lab.pictures.resizing import resize_crop

SIGN = 32  # pixels: height and width of train.p's pictures
SIZE = 227  # pixels: height and width of the network's input, as its prototxt has it
PHOTOGRAPH = 256  # pixels: a photograph's shorter side, of which the central 227x227 are taken
LONGEST = 10  # times as long as wide: of anything longer, a square shows too little


def to_sign(picture: np.ndarray) -> np.ndarray:
    """Brings a picture of a sign, wherever it comes from, to the size of train.p's.

    A side that is longer is averaged, one that is shorter is interpolated. The rule of train.p
    averages nothing; on rendered signs of 45 to 250 pixels it cost the first classifier in trained/
    0.7% (0.2 to 1.2), a linear conv4 head neither gains nor loses: benchmarks/resize_rule.py.

    Args:
        picture: RGB uint8 (h, w, 3); height and width are scaled each by its own factor.

    Returns:
        RGB uint8 (32, 32, 3).
    """
    return resize_crop(picture, (SIGN, SIGN), (0, 0), (SIGN, SIGN))


def photograph(picture: np.ndarray) -> np.ndarray:
    """Prepares a photograph for the network: shorter side to 256, then the central 227x227.

    A picture that is 227x227 already, like the lab's two, stays as it is.

    Args:
        picture: RGB uint8 (h, w, 3).

    Returns:
        RGB uint8 (227, 227, 3).

    Raises:
        LabError: one side is more than ten times as long as the other: its centre shows too little.
    """
    height, width = picture.shape[:2]
    if (height, width) == (SIZE, SIZE):
        return picture
    _check_sides(height, width)
    new = [round(side * PHOTOGRAPH / min(height, width)) for side in (height, width)]
    top, left = ((side - SIZE) // 2 for side in new)
    return resize_crop(picture, new, (top, left), (SIZE, SIZE))


def squeeze(picture: np.ndarray) -> np.ndarray:
    """Prepares a photograph whose edges matter: all of it, each side scaled by its own factor.

    Args:
        picture: RGB uint8 (h, w, 3).

    Returns:
        RGB uint8 (227, 227, 3).

    Raises:
        LabError: one side is more than ten times as long as the other.
    """
    _check_sides(*picture.shape[:2])
    return resize_crop(picture, (SIZE, SIZE), (0, 0), (SIZE, SIZE))


def _check_sides(height: int, width: int) -> None:
    if max(height, width) > LONGEST * min(height, width):
        raise LabError(
            f"expected a photograph at most ten times as long as wide; received {width}x{height} "
            "pixels; crop it"
        )


@dataclass(frozen=True)
class Crop:
    """One way to bring a picture to the size that is classified.

    Attributes:
        side: height and width of the result in pixels.
        function: RGB uint8 (h, w, 3) -> RGB uint8 (side, side, 3).
    """

    side: int
    function: Callable[[np.ndarray], np.ndarray]


CROPS = {
    "sign": Crop(SIGN, to_sign),
    "centre": Crop(SIZE, photograph),
    "squeeze": Crop(SIZE, squeeze),
}

"""The camera in a car: poses, exposure and focus of rendered signs.

Ranges without another source were set by comparison with GTSRB's training pictures, by eye and so
that brightness, contrast and sharpness have about the same percentiles.
"""

import numpy as np

from lab.drawn_signs.painting import MARGIN
from lab.drawn_signs.scenery import column

FINE = 2  # a scene has this many times the picture's pixels on each side


class Poses:
    """Where each of n signs stands in its picture; lengths are shares of the picture's side.

    GTSRB leaves a tenth of the sign around it, but at least five pixels: signs that were small in
    the camera's picture come with more around them, and blurred.
    """

    def __init__(self, n: int, rng: np.random.Generator):
        # Side in pixels of the original picture: GTSRB's has quartiles 35, 43, 58 and goes to 240.
        self.original = np.clip(26 + rng.gamma(1.1, 22, n), 26, 200)
        share = 1 - 2 * np.maximum(5, 0.095 * self.original) / self.original
        self.radius = 0.49 * share * np.exp(rng.normal(0, 0.045, n))
        # GTSRB's boxes include their last row and column, which moves signs by half a pixel.
        self.centre = 0.5 + 0.5 / self.original[:, None] + rng.normal(0, 0.022, (n, 2))
        angle = np.radians(rng.normal(0, 3.5, n) * np.where(rng.random(n) < 0.12, 3, 1))
        shear, squeeze = rng.normal(0, 0.03, n), np.exp(rng.normal(0, 0.04, n))
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.stack([cos, -sin, sin, cos], 1).reshape(n, 2, 2)
        skew = np.stack([squeeze, shear, np.zeros(n), 1 / squeeze], 1).reshape(n, 2, 2)
        self.matrix = turn @ skew  # from the sign, -1 to 1, to the picture, in radii
        self.tilt = rng.normal(0, 0.03, (n, 2))  # perspective: how much nearer one side is

    def maps(self, size: int) -> np.ndarray:
        """Pillow's perspective, float (n, 8): from pixels of a picture to those of its board."""
        n = len(self.radius)
        place = np.zeros((n, 3, 3))
        place[:, :2, :2] = self.matrix * self.radius[:, None, None] * size
        place[:, :2, 2] = self.centre * size
        place[:, 2, :2] = self.tilt
        place[:, 2, 2] = 1
        reach = 1 + MARGIN / 50  # of the board, in radii
        board = np.array([[2 * reach / size, 0, -reach], [0, 2 * reach / size, -reach], [0, 0, 1]])
        backwards = np.linalg.inv(board) @ np.linalg.inv(place)
        return (backwards / backwards[:, 2:, 2:]).reshape(n, 9)[:, :8]


def take(scene: np.ndarray, original: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Takes pictures of scenes: exposure, blur and noise.

    Args:
        scene: float32 (n, FINE * size, FINE * size, 3), sRGB 0 to 255 in daylight.
        original: (n,), side in pixels of the original pictures; the smaller, the more blurred.
        rng: draws everything else.

    Returns:
        uint8 (n, size, size, 3).
    """
    n, size = len(scene), scene.shape[1] // FINE
    # Exposure of the whole picture, and its colour: from blue shade to the orange of a low sun.
    gain = np.exp(np.clip(rng.normal(-0.6, 0.66, (n, 1)), -1.9, 0.4))
    warmth = rng.normal(0, 0.06, (n, 1)) * np.array([1, 0.1, -1]) + rng.normal(0, 0.02, (n, 3))
    scene = scene * (gain * np.exp(warmth)).astype(np.float32)[:, None, None]
    veil = np.where(rng.random(n) < 0.1, rng.uniform(0, 80, n), rng.uniform(0, 6, n))
    thin = np.where(veil > 6, rng.uniform(0.4, 0.85, n), 1)
    scene = np.minimum(scene, 255 * 1.3) * column(thin)[..., None] + column(veil)[..., None]
    soft = np.clip(18 / original, 0.1, 0.6) + rng.gamma(1.2, 0.14, n)  # pixels of 32
    moved = np.where(rng.random(n) < 0.1, rng.uniform(0.5, 2, n), 0)
    sideways = rng.random(n) < 0.6
    fringe = rng.normal(0, 0.18, (n, 1, 2)) * np.array([[1], [0], [-1]])  # red against blue
    rows = _lens(soft + moved * ~sideways, fringe[..., 0], size, rng)
    columns = _lens(soft + moved * sideways, fringe[..., 1], size, rng)
    seen = rows @ scene.transpose(0, 3, 1, 2) @ columns.transpose(0, 1, 3, 2)
    # Noise is nearly grey, since a colour camera works out two channels of three from neighbours.
    grey = rng.standard_normal((n, 1, size, size), np.float32)
    noise = column(rng.gamma(1.3, 1.3, n))[..., None]
    seen += noise * (grey + 0.4 * rng.standard_normal(seen.shape, np.float32))
    return np.clip(seen + 0.5, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _lens(blur: np.ndarray, shift: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Matrices (n, 3, size, FINE * size), one a channel, that blur and scale a line of pixels.

    blur, (n,), is the deviation of a Gaussian in pixels of a 32-pixel picture; shift, (n, 3), is in
    the same unit. From some, a wider Gaussian is subtracted: the halo of a camera that sharpens.
    """
    sigma = np.hypot(blur * size / 32, 0.24).astype(np.float32)[:, None, None, None]
    at = (np.arange(size) + 0.5)[:, None] + shift[..., None, None] * size / 32
    away = (np.arange(FINE * size) + 0.5) / FINE - at  # (n, 3, size, FINE * size)
    away = away.astype(np.float32)
    narrow = np.exp(-0.5 * (away / sigma) ** 2)
    wide = np.exp(-0.5 * (away / (2 * sigma)) ** 2)
    narrow /= narrow.sum(-1, keepdims=True)
    wide /= wide.sum(-1, keepdims=True)
    halo = np.maximum(0, rng.normal(0.25, 0.3, len(blur))).astype(np.float32)[:, None, None, None]
    return (1 + halo) * narrow - halo * wide

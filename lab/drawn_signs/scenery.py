"""What is around rendered signs: light and shadows on them, what is behind and beside them.

Lengths are shares of a picture's side. Ranges were set as those of camera.py.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike


def column(values: ArrayLike) -> np.ndarray:
    """One number for each picture, (n,), as float32 (n, 1, 1)."""
    return np.asarray(values, np.float32)[:, None, None]


def _clouds(n: int, size: int, cells: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth random fields (n, size, size), standard normal at their `cells` x `cells` knots."""
    knots = rng.standard_normal((n, cells, cells), np.float32)
    at = np.linspace(0, cells - 1, size)
    spread = np.maximum(0, 1 - abs(at[:, None] - np.arange(cells))).astype(np.float32)
    return spread @ knots @ spread.T


def _tints(n: int, rng: np.random.Generator) -> np.ndarray:
    """Logarithms (n, 3) of natural colours: from sky to earth, more or less green, never pink."""
    warm, green = rng.normal(0, 0.12, (n, 1)), abs(rng.normal(0, 0.07, (n, 1)))
    return warm * (1, 0, -1) + green * (-0.5, 1, -0.5)


def light(n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """The light on each sign, float32 (n, size, size, 1): smooth, with shadows of leaves."""
    whole = np.clip(rng.normal(0, 0.4, n), -0.6, 0.6)
    slope = np.exp(0.12 * _clouds(n, size, 2, rng) + column(whole))
    shaded = rng.random(n) < 0.12
    depth = column(np.where(shaded, rng.uniform(0.2, 0.7, n), 0))
    shadow = 1 / (1 + np.exp(-8 * _clouds(n, size, 5, rng)))
    return (slope * (1 - depth * shadow))[..., None]


def behind(
    size: int, centre: np.ndarray, radius: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """What is behind and around signs.

    Two tones, such as trees and sky, meet along a ragged edge; over them are texture, the sign's
    post, and sometimes a plate or another sign above or below.

    Args:
        size: height and width in pixels.
        centre, radius: float (n, 2) and (n,), where each sign is.
        rng: draws all of it.

    Returns:
        float32 (n, size, size, 3), sRGB 0 to 255 in daylight.
    """
    n = len(radius)
    y, x = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size
    dark, bright = (
        tone * np.exp(rng.normal(0, 0.75, (n, 1)) + _tints(n, rng)) for tone in (52, 200)
    )
    edge = _clouds(n, size, 3, rng) + 0.6 * _clouds(n, size, 11, rng) * column(rng.random(n))
    edge += column(rng.normal(0, 1.5, n)) * (0.5 - y) + column(rng.normal(-0.6, 1.6, n))
    share = 1 / (1 + np.exp(-np.clip(edge * column(rng.uniform(2, 14, n)), -30, 30)))
    dark, bright = dark.astype(np.float32), bright.astype(np.float32)
    scene = dark[:, None, None] + share[..., None] * (bright - dark)[:, None, None]
    rough = column(np.abs(rng.normal(0, 0.6, n))) * (1 - 0.6 * share)  # leaves more than the sky
    grain = rough * (0.6 * _clouds(n, size, 9, rng) + 0.9 * _clouds(n, size, 24, rng))
    tint = rough * _clouds(n, size, 6, rng)
    scene *= np.exp(grain[..., None] + tint[..., None] * np.array((0.15, 0, -0.15), np.float32))
    x, y = x - column(centre[:, 0]), y - column(centre[:, 1])
    for mask, colour in _neighbours(n, x / column(radius), y / column(radius), rng):
        scene += mask[..., None] * (colour[:, None, None] - scene)
    return scene


def _neighbours(
    n: int, x: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Masks (n, size, size) and colours (n, 3) of what is beside a sign; x, y in its radii."""

    def inside(distance: np.ndarray) -> np.ndarray:
        return np.clip(distance * 20 + 0.5, 0, 1)  # an edge a twentieth of a radius wide

    def often(share: float) -> np.ndarray:
        return column(rng.random(n) < share)

    def colour(*rgb: float) -> np.ndarray:
        return (np.array(rgb) * np.exp(rng.normal(0, 0.3, (n, 1)))).astype(np.float32)

    post = inside(column(rng.uniform(0.04, 0.12, n)) - abs(x - column(rng.normal(0, 0.05, n))))
    yield post * often(0.6) * np.maximum(y > 0, often(0.4)), colour(105, 108, 112)
    below = y - column(rng.uniform(1.02, 1.2, n))
    plate = inside(np.minimum(column(rng.uniform(0.5, 1, n)) - abs(x), below))
    yield plate * often(0.15), colour(205, 208, 212)
    where = np.where(rng.random(n) < 0.5, -1, 1) * rng.uniform(1.95, 2.2, n)
    distance = np.sqrt((x - column(rng.normal(0, 0.06, n))) ** 2 + (y - column(where)) ** 2)
    present = often(0.22)
    blue = rng.random((n, 1)) < 0.25
    yield present * inside(1 - distance), np.where(blue, colour(15, 60, 160), colour(165, 25, 30))
    disc = present * inside(0.77 - distance)
    yield disc, np.where(blue, colour(15, 60, 160), colour(215, 218, 222))

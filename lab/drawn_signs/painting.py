"""Paints traffic signs: strokes of sign_shapes.py -> pixels, and signs in their poses.

Light, background and camera are in other modules.
"""

import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from lab.drawn_signs import pictograms
from lab.drawn_signs.sign_shapes import Point, Strokes

PAINTINGS = 6  # of each sign, with the small differences of real manufacturers
COLOURS = np.array(  # of the paints in daylight, sRGB 0 to 255, from 1 on
    [
        (0, 0, 0),
        (226, 230, 235),
        (156, 38, 38),
        (28, 31, 36),
        (30, 70, 162),
        (222, 158, 56),
        (24, 130, 104),
        (92, 94, 98),
    ],
    np.float32,
)
# How far the board reaches beyond the sign on all sides, in hundredths of the sign: room to blur
# and turn its edge.
MARGIN = 2


def paint(
    strokes: Strokes,
    size: int,
    weight: float = 1.0,
    scale: float = 1.0,
    shift: Sequence[float] | np.ndarray = (0.0, 0.0),
) -> np.ndarray:
    """Paints strokes on a board.

    Args:
        strokes: as in sign_shapes.py.
        size: height and width of the board in pixels, its margin included.
        weight: factor of the width of lines.
        scale: factor of the size, about the board's middle.
        shift: right and down, in hundredths of the board.

    Returns:
        uint8 (size, size): the paint of each pixel, 0 where there is none.
    """
    unit = size / (100 + 2 * MARGIN)
    board = Image.new("L", (size, size))
    draw = ImageDraw.Draw(board)

    def place(points: Sequence[Point]) -> list[Point]:
        middle, (right, down) = 50 + MARGIN, shift
        return [
            ((middle + right + (x - 50) * scale) * unit, (middle + down + (y - 50) * scale) * unit)
            for x, y in points
        ]

    def disc(x: float, y: float, r: float, colour: int) -> None:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    for kind, colour, *rest in strokes:
        if kind == "fill":
            draw.polygon(place(rest[0]), fill=colour)
        elif kind == "line":
            width, points = rest[0] * scale * weight * unit, place(rest[1])
            draw.line(points, fill=colour, width=round(width))
            for x, y in points[1:-1]:  # Pillow's own round joints leave specks between short pieces
                disc(x, y, width / 2, colour)
        else:
            ((x, y),) = place([(rest[0], rest[1])])
            disc(x, y, rest[2] * scale * unit, colour)
    return np.asarray(board)


def painted(
    label: int,
    size: int,
    weight: float = 1.0,
    scale: float = 1.0,
    shift: Sequence[float] | np.ndarray = (0.0, 0.0),
) -> np.ndarray:
    """The share of each paint in each pixel of a sign: float32 (size, size, 8), no paint first.

    The pictogram is painted with this weight, scale and shift, see `paint`; the board stays.
    """
    board, pictogram = pictograms.SIGNS[label]
    base = paint(board, 4 * size)
    top = paint(pictogram, 4 * size, weight, scale, shift)
    paints = np.where(top > 0, top, base)
    shares = np.zeros((size, size, len(COLOURS)), np.float32)
    for number in np.flatnonzero(np.bincount(paints.ravel())):
        fine = (paints == number).view(np.uint8)
        rows = fine[0::4] + fine[1::4] + fine[2::4] + fine[3::4]
        shares[..., number] = rows.reshape(size, size, 4).sum(-1) / 16
    return shares


@functools.cache
def _painting(label: int, number: int, size: int) -> np.ndarray:
    """One of a sign's paintings, float32 (size * size, 8); all 0 where there is no paint."""
    rng = np.random.default_rng([label, number])
    weight, scale = np.exp(rng.normal(0, (0.12, 0.04)))
    shares = painted(label, size, weight, scale, rng.normal(0, 0.8, 2))
    shares[..., 0] = 0
    return shares.reshape(size * size, -1)


def _paints(n: int, rng: np.random.Generator) -> np.ndarray:
    """Paints of n signs, each a little off, some faded: float32 (n, 8, 4), 0 to 255 with alpha."""
    colours = np.repeat(COLOURS[None], n, 0)
    colours *= np.exp(rng.normal(0, 0.12, (n, 8, 1)) + rng.normal(0, 0.03, (n, 8, 3)))
    faded = np.where(rng.random(n) < 0.2, rng.uniform(0, 0.5, n), 0)[:, None, None]
    colours += faded * (colours[:, 1:2] * 0.8 - colours)
    alpha = np.full((n, 8, 1), 255)
    return np.concatenate([np.clip(colours, 0, 255), alpha], 2).astype(np.float32)


def hung(labels: np.ndarray, size: int, maps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signs in their poses, with nothing around them.

    Args:
        labels: whole numbers (n,), 0 to 42.
        size: height and width in pixels, of the board and of the result.
        maps: float (n, 8), Pillow's perspective: from pixels of the result to the board's.
        rng: draws paints and paintings.

    Returns:
        float32 (n, size, size, 4): RGB 0 to 255, multiplied by the alpha that comes last, 0 to 1.
    """
    colours = _paints(len(labels), rng)
    chosen = rng.integers(PAINTINGS, size=len(labels))
    out = np.empty((len(labels), size, size, 4), np.float32)
    for i, numbers in enumerate(maps):
        pixels = (_painting(int(labels[i]), int(chosen[i]), size) @ colours[i]).astype(np.uint8)
        board = Image.frombytes("RGBa", (size, size), pixels.tobytes())
        how = Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR
        out[i] = np.asarray(board.transform((size, size), *how))
    out[..., 3] /= 255
    return out

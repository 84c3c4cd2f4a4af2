"""What a painted sign is made of: strokes of paint, letters, arrows, and the boards under them.

Nothing here depends on pixels, light or files, or on which sign is which. Everything is made of
three kinds of strokes on a 100 x 100 board:
    ("fill", paint, points)           a polygon
    ("line", paint, width, points)    a line with round joints and straight ends
    ("disc", paint, x, y, radius)
x runs right and y down, and a sign reaches the board's edges, as the box around a sign does in
GTSRB: its triangles are as high as they are wide. Proportions follow the German catalogue of signs
(VzKat, 2017) and GTSRB's training pictures by eye.
"""

import math
from typing import Any

PAINTS = WHITE, RED, BLACK, BLUE, YELLOW, GREEN, GREY = range(1, 8)  # 0: not painted

Point = tuple[float, float]
Points = tuple[Point, ...]
Stroke = tuple[Any, ...]  # one of the three above
Strokes = tuple[Stroke, ...]


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Points:
    """Points along an ellipse, from one angle to another in degrees, 90 being down."""
    steps = max(2, round(abs(end - start) / 8))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return tuple((x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles)


# Digits and letters as lines in a unit box, after DIN 1451.
_ROUND = (*arc(0.5, 0.27, 0.5, 0.27, 180, 360), *arc(0.5, 0.73, 0.5, 0.27, 0, 180), (0, 0.26))
GLYPHS: dict[str, list[Points]] = {
    "0": [_ROUND],
    "1": [((0, 0.24), (0.52, 0), (0.52, 1))],
    "2": [(*arc(0.5, 0.28, 0.48, 0.28, 185, 395), (0, 1), (1.05, 1))],
    "3": [
        (*arc(0.47, 0.25, 0.45, 0.25, 195, 450), (0.35, 0.5)),
        arc(0.45, 0.74, 0.53, 0.26, 270, 525),
    ],
    "5": [((0.95, 0), (0.14, 0), (0.08, 0.45), *arc(0.47, 0.68, 0.52, 0.32, 218, 510))],
    "6": [arc(0.5, 0.68, 0.5, 0.32, 0, 368), ((0.72, 0), (0.3, 0.3), (0.01, 0.66))],
    "7": [((0, 0), (0.98, 0), (0.98, 0.06), (0.38, 1))],
    "8": [arc(0.5, 0.235, 0.43, 0.235, 0, 368), arc(0.5, 0.735, 0.5, 0.265, 0, 368)],
    "S": [(*arc(0.5, 0.25, 0.5, 0.25, -20, -250), *arc(0.5, 0.76, 0.5, 0.24, -75, 160))],
    "T": [((-0.18, 0), (1.18, 0)), ((0.5, 0), (0.5, 1))],
    "O": [_ROUND],
    "P": [((0, 1.1), (0, 0), *arc(0.5, 0.27, 0.5, 0.27, -90, 90), (0, 0.54))],
}
_WIDTHS = {"1": 0.52}


def text(
    string: str, paint: int, width: float, height: float, stroke: float, gap: float
) -> Strokes:
    """Letters in the middle of the board, each `width` wide, with `gap` between two of them."""
    widths = [width * _WIDTHS.get(character, 1) for character in string]
    x = 50 - (sum(widths) + (len(string) - 1) * (gap + stroke)) / 2
    strokes: list[Stroke] = []
    for character, its_width in zip(string, widths, strict=True):
        for line in GLYPHS[character]:
            points = tuple((x + u * width, 50 + (v - 0.5) * height) for u, v in line)
            strokes.append(("line", paint, stroke, points))
        x += its_width + gap + stroke
    return tuple(strokes)


def arrow(paint: int, width: float, head: float, points: Points) -> Strokes:
    """A line that ends in an arrow head, which is `head` wide either side of its tip."""
    (x0, y0), (x, y) = points[-2:]
    length = math.hypot(x - x0, y - y0)
    dx, dy = (x - x0) / length * head, (y - y0) / length * head
    barb = ((0, 0), (-1.1, 1), (-1.5, 0.95), (-0.85, 0.2))
    outline = (*barb, *((a, -b) for a, b in barb[:0:-1]))
    tip = tuple((x + a * dx - b * dy, y + a * dy + b * dx) for a, b in outline)
    stem = (*points[:-1], (x - 0.8 * dx, y - 0.8 * dy))
    return (("line", paint, width, stem), ("fill", paint, tip))


def mirrored(strokes: Strokes) -> Strokes:
    """The same strokes, left for right."""

    def flip(points: Points) -> Points:
        return tuple((100 - x, y) for x, y in points)

    return tuple(
        (kind, paint, 100 - rest[0], *rest[1:])
        if kind == "disc"
        else (kind, paint, *rest[:-1], flip(rest[-1]))
        for kind, paint, *rest in strokes
    )


def scaled(points: Points, by: float) -> Points:
    """The same points, nearer to the board's middle or farther from it."""
    return tuple((50 + (x - 50) * by, 50 + (y - 50) * by) for x, y in points)


def box(paint: int, left: float, top: float, right: float, bottom: float) -> Stroke:
    """An upright rectangle."""
    return ("fill", paint, ((left, top), (right, top), (right, bottom), (left, bottom)))


def car(paint: int, x: float, y: float) -> Strokes:
    """A car from behind, 27 wide, its bumper at (x, y)."""
    cabin = ((x - 11, y - 3), (x - 8, y - 10), (x + 8, y - 10), (x + 11, y - 3))
    return (
        ("line", paint, 2.2, cabin),
        ("fill", paint, ((x - 13, y - 4), (x + 13, y - 4), (x + 13.5, y + 4), (x - 13.5, y + 4))),
        box(paint, x - 12, y + 4, x - 7, y + 9),
        box(paint, x + 7, y + 4, x + 12, y + 9),
    )


def truck(paint: int, x: float, y: float) -> Strokes:
    """A truck from behind, 26 wide, its bumper at (x, y)."""
    return (
        box(paint, x - 13, y - 26, x + 13, y),
        box(paint, x - 12, y, x - 6, y + 4.5),
        box(paint, x + 6, y, x + 12, y + 4.5),
    )


# The boards. A triangle's corners are rounded by the line around it.
_TRIANGLE = ((50, 3.5), (96.5, 95), (3.5, 95), (50, 3.5), (96.5, 95))
_YIELD = ((4, 5), (96, 5), (50, 96.5), (4, 5), (96, 5))
_DIAMOND = ((50, 0), (100, 50), (50, 100), (0, 50))
_OCTAGON = tuple(
    (50 + 54.1 * math.cos(math.radians(a)), 50 + 54.1 * math.sin(math.radians(a)))
    for a in (22.5 + 45 * i for i in range(8))
)

PROHIBITION = (
    ("disc", WHITE, 50, 50, 50),
    ("disc", RED, 50, 50, 48.7),
    ("disc", WHITE, 50, 50, 37),
)
NO_ENTRY = (("disc", WHITE, 50, 50, 50), ("disc", RED, 50, 50, 48.5))
WARNING = (
    ("fill", WHITE, _TRIANGLE),
    ("line", WHITE, 7, _TRIANGLE),
    ("fill", RED, _TRIANGLE),
    ("line", RED, 4, _TRIANGLE),
    ("fill", WHITE, ((50, 19), (87, 87), (13, 87))),
)
YIELD = (
    ("line", WHITE, 8, _YIELD),
    ("fill", RED, _YIELD),
    ("line", RED, 5, _YIELD),
    ("fill", WHITE, ((16, 15), (84, 15), (50, 81))),
)
STOP = (("fill", WHITE, _OCTAGON), ("fill", RED, scaled(_OCTAGON, 0.92)))
PRIORITY = (
    ("fill", BLACK, _DIAMOND),
    ("fill", WHITE, scaled(_DIAMOND, 0.97)),
    ("fill", YELLOW, scaled(_DIAMOND, 0.58)),
)
MANDATORY = (("disc", WHITE, 50, 50, 50), ("disc", BLUE, 50, 50, 48.3))
END = (("disc", WHITE, 50, 50, 50), ("disc", BLACK, 50, 50, 49.3), ("disc", WHITE, 50, 50, 46))

"""The 43 German traffic signs as data: a board of sign_shapes.py each, and what is on it.

Class numbers are GTSRB's (Stallkamp et al., 2012). Some signs have older versions, and GTSRB
shows both; here is the one that most of its training pictures show. Drawings that classifiers of
real signs confused were compared with real pictures and corrected: the accuracy of a classifier of
real signs on rendered ones is a check of the drawings, not an independent measurement.
"""

import math

from lab.drawn_signs.sign_shapes import (
    BLACK,
    END,
    GREEN,
    GREY,
    MANDATORY,
    NO_ENTRY,
    PRIORITY,
    PROHIBITION,
    RED,
    STOP,
    WARNING,
    WHITE,
    YELLOW,
    YIELD,
    Strokes,
    arc,
    arrow,
    box,
    car,
    mirrored,
    text,
    truck,
)

# On round boards.


def _limit(number: str) -> Strokes:
    """The digits of a speed limit: three stand closer and narrower than two."""
    sizes = (13, 37, 5.2, 3.3) if len(number) == 3 else (20, 37, 6, 5)
    return text(number, BLACK, *sizes)


_BAND = tuple(  # five narrow stripes from the lower left to the upper right
    ("line", BLACK, 2.5, ((16.5 + d, 83.5 + d), (83.5 + d, 16.5 + d)))
    for d in (-6.2, -3.1, 0, 3.1, 6.2)
)
_NO_PASSING = (*car(RED, 33.5, 51), *car(BLACK, 66.5, 51))
_NO_TRUCKS_PASSING = (*truck(RED, 35.5, 60.5), *car(BLACK, 66, 56))
_TRUCK = (
    ("fill", BLACK, ((41, 37), (79, 36), (79, 60), (41, 62))),
    ("fill", BLACK, ((20, 64), (21, 56), (27, 44.5), (39, 43), (39, 65))),
    ("fill", WHITE, ((27.5, 47), (34.5, 46), (34.5, 52.5), (24.5, 53.5))),
    box(BLACK, 30, 60, 77, 63.5),
    ("disc", BLACK, 31, 64, 4.8),
    ("disc", BLACK, 67, 64, 4.8),
)
_END_LIMIT = (*text("80", GREY, 19, 38, 5.8, 5), *_BAND)
_END_NO_PASSING = (*car(BLACK, 32.5, 51), *car(BLACK, 67.5, 51), *_BAND)
_END_TRUCKS = (*truck(GREY, 35, 60), *car(BLACK, 67, 55.5), *_BAND)

_AHEAD = arrow(WHITE, 12, 24, ((50, 89), (50, 12)))
_TURN_RIGHT = arrow(WHITE, 10.5, 19, ((36, 86), (36, 52), (39, 42), (47, 36.5), (60, 36), (84, 36)))
_STRAIGHT_OR_RIGHT = (
    *arrow(WHITE, 9, 16, ((41, 88), (41, 12))),
    *arrow(WHITE, 8, 15, ((42, 74), (44, 63), (51, 57.5), (62, 56), (88, 56))),
)
_KEEP_RIGHT = arrow(WHITE, 11, 24, ((21, 24), (75, 76)))


def _roundabout() -> Strokes:
    """Three arrows that run anticlockwise."""
    strokes: Strokes = ()
    for start in (272, 152, 32):
        curve = arc(50, 50, 29, 29, start, start - 78)
        a = math.radians(start - 103)
        end = (50 + 28 * math.cos(a), 50 + 28 * math.sin(a))
        strokes += arrow(WHITE, 6, 11, (*curve, end))
    return strokes


# On triangles.
_THICK = ((42, 80), (41, 56), (44, 47), (49.5, 40), (55, 47), (58, 56), (57, 80), (49.5, 74))
_RIGHT_OF_WAY = (("fill", BLACK, _THICK), ("line", BLACK, 6, ((32, 61), (67, 61))))
_EXCLAMATION = (
    ("fill", BLACK, ((44.5, 33), (55.5, 33), (52.5, 70), (47.5, 70))),
    ("disc", BLACK, 50, 78, 4.6),
)
_LEFT_CURVE = (
    ("line", BLACK, 9.4, ((59.5, 80), (59.5, 69), (57.5, 62), (53, 57.5), (44, 55.5))),
    ("fill", BLACK, ((45, 50.6), (45, 60.4), (32, 57.5), (33, 51.5))),
)
_DOUBLE_CURVE = (("line", BLACK, 8.5, ((45, 41), (45, 65), (61, 59), (61, 80))),)
_LEFT_BUMP = ((27, 81), (28, 78), (33, 75), (36.5, 70), (39, 68.5), (42, 69.5), (46, 74))
_RIGHT_BUMP = ((54, 73.5), (58, 68.5), (61, 67.5), (64, 69.5), (68, 74.5), (72, 78), (73, 81))
_BUMPS = (("fill", BLACK, (*_LEFT_BUMP, (50, 75.5), *_RIGHT_BUMP)),)
_SKIDDING = (
    ("line", BLACK, 2.6, ((39, 50), (43.5, 41), (59, 44.5), (61.5, 55))),
    ("fill", BLACK, ((36, 48), (65, 54.5), (63, 64), (34, 57.5))),
    ("fill", BLACK, ((36, 57), (42, 58.5), (41, 64.5), (35, 63))),
    ("fill", BLACK, ((55, 61.5), (61, 63), (60, 69), (54, 67.5))),
    ("line", BLACK, 2.4, ((29, 71), (36, 69), (42, 72), (38, 76), (31, 79), (37, 82.5), (44, 81))),
    ("line", BLACK, 2.4, ((46, 71), (55, 74), (60, 78), (54, 80), (52, 82), (62, 83), (70, 80))),
)
_NARROW = (
    ("line", BLACK, 6, ((43, 41), (43, 82))),
    ("line", BLACK, 6, ((53.5, 41), (53.5, 54), (60.5, 66), (60.5, 82))),
)
_DIGGING = (
    ("disc", BLACK, 51.5, 45.5, 4),
    ("line", BLACK, 8.5, ((48.5, 49), (43, 63))),
    ("line", BLACK, 4.6, ((42.5, 61), (39, 72), (32.5, 83))),
    ("line", BLACK, 4.6, ((44, 61), (49.5, 72), (48.5, 83))),
    ("line", BLACK, 3.6, ((48, 51), (55, 60), (50, 65))),
    ("line", BLACK, 2.2, ((39, 57), (61, 76))),
    ("fill", BLACK, ((53, 84), (58, 75), (64, 68.5), (69, 69), (74.5, 75), (80, 84))),
)
_LIGHTS = (
    ("disc", RED, 50, 42, 6.6),
    ("disc", YELLOW, 50, 58.5, 6.6),
    ("disc", GREEN, 50, 75, 6.6),
)
_WALKING = (
    ("disc", BLACK, 47, 37.5, 4.2),
    ("fill", BLACK, ((44.5, 43), (52, 43), (52.5, 62), (46, 62))),
    ("line", BLACK, 3.6, ((45.5, 45), (39.5, 53), (37.5, 59))),
    ("line", BLACK, 3.6, ((51.5, 45), (56.5, 52), (60, 57))),
    ("line", BLACK, 4.5, ((47.5, 60), (45.5, 70), (37, 83))),
    ("line", BLACK, 4.5, ((50.5, 60), (56, 70), (63, 82.5))),
)
_CHILDREN = (
    ("disc", BLACK, 54.5, 49, 4),
    ("line", BLACK, 7, ((55, 53.5), (57, 67))),
    ("line", BLACK, 3.6, ((44, 62), (49, 57.5), (60, 57), (68, 61))),
    ("line", BLACK, 4.4, ((56, 65), (53.5, 74), (51, 84))),
    ("line", BLACK, 4.4, ((58, 65), (64, 73), (70, 79))),
    ("disc", BLACK, 36, 57.5, 3.5),
    ("line", BLACK, 6, ((36, 61.5), (37, 72))),
    ("line", BLACK, 3, ((29, 69), (33, 64), (39, 64), (44, 62))),
    ("line", BLACK, 3.6, ((36, 71), (33.5, 84))),
    ("line", BLACK, 3.6, ((38, 71), (41.5, 84))),
)
_BICYCLE = (
    ("line", BLACK, 2.2, arc(36, 75, 9, 9, 0, 370)),
    ("line", BLACK, 2.2, arc(65, 75, 9, 9, 0, 370)),
    ("line", BLACK, 1.8, ((65, 75), (57, 62), (41, 62), (51, 75), (65, 75))),
    ("line", BLACK, 1.8, ((51, 75), (58, 58))),
    ("line", BLACK, 1.8, ((36, 75), (42, 56), (37, 55))),
    ("line", BLACK, 2.6, ((62, 58), (54, 58))),
)


def _snowflake() -> Strokes:
    """Six arms, each with two branches that nearly meet their neighbours'."""
    strokes: Strokes = (("disc", BLACK, 50, 65.5, 4),)
    for angle in range(30, 390, 60):
        for turn, start, end in ((0, 0, 17), (29, 9, 15), (-29, 9, 15)):
            a, b = math.radians(angle), math.radians(angle + turn)
            ends = ((start, a), (end, b))
            points = tuple((50 + r * math.cos(t), 65.5 + r * math.sin(t)) for r, t in ends)
            strokes += (("line", BLACK, 3.7, points),)
    return strokes


_DEER = (
    ("fill", BLACK, ((38, 50), (45, 46), (49, 50), (50, 58), (47, 62), (42, 60), (44, 51))),
    ("fill", BLACK, ((50, 58), (60, 62), (66, 68), (62, 71), (46, 66), (42, 60))),
    ("line", BLACK, 2, ((46, 47), (41, 42), (43, 38))),
    ("line", BLACK, 2, ((47, 47), (49, 40), (46, 37))),
    ("line", BLACK, 3, ((46, 62), (40, 66), (37, 63))),
    ("line", BLACK, 2.6, ((48, 64), (42, 71))),
    ("line", BLACK, 3.6, ((62, 66), (70, 73), (76, 82))),
    ("line", BLACK, 2.6, ((60, 68), (66, 76), (70, 83))),
)

# Class number: (board, pictogram).
SIGNS: tuple[tuple[Strokes, Strokes], ...] = (
    *((PROHIBITION, _limit(n)) for n in ("20", "30", "50", "60", "70", "80")),
    (END, _END_LIMIT),
    *((PROHIBITION, _limit(n)) for n in ("100", "120")),
    (PROHIBITION, _NO_PASSING),
    (PROHIBITION, _NO_TRUCKS_PASSING),
    (WARNING, _RIGHT_OF_WAY),
    (PRIORITY, ()),
    (YIELD, ()),
    (STOP, text("STOP", WHITE, 12, 28, 6, 2.3)),
    (PROHIBITION, ()),
    (PROHIBITION, _TRUCK),
    (NO_ENTRY, (box(WHITE, 8, 42.5, 92, 57.5),)),
    (WARNING, _EXCLAMATION),
    (WARNING, _LEFT_CURVE),
    (WARNING, mirrored(_LEFT_CURVE)),
    (WARNING, _DOUBLE_CURVE),
    (WARNING, _BUMPS),
    (WARNING, _SKIDDING),
    (WARNING, _NARROW),
    (WARNING, _DIGGING),
    (WARNING, _LIGHTS),
    (WARNING, _WALKING),
    (WARNING, _CHILDREN),
    (WARNING, _BICYCLE),
    (WARNING, _snowflake()),
    (WARNING, _DEER),
    (END, _BAND),
    (MANDATORY, _TURN_RIGHT),
    (MANDATORY, mirrored(_TURN_RIGHT)),
    (MANDATORY, _AHEAD),
    (MANDATORY, _STRAIGHT_OR_RIGHT),
    (MANDATORY, mirrored(_STRAIGHT_OR_RIGHT)),
    (MANDATORY, _KEEP_RIGHT),
    (MANDATORY, mirrored(_KEEP_RIGHT)),
    (MANDATORY, _roundabout()),
    (END, _END_NO_PASSING),
    (END, _END_TRUCKS),
)

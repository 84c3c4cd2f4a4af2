"""Rendered traffic signs: a labelled data set that needs no download.

    python -m lab.rendered OUT.png      all 43 signs on one sheet
    python -m lab.rendered --examples   the pictures in examples/ once more

Each sign of lab/pictograms.py is painted large; every picture then shows it in a pose, light,
weather, neighbourhood and focus of its own, as a camera in a car sees it: cut out like GTSRB's
pictures, with about a tenth of the sign's size around it. All draws come from one seeded generator.
"""

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lab import command_line, files, pictures
from lab.data.dataset import class_names
from lab.drawn_signs import camera, painting, pictograms, scenery
from lab.errors import LabError

CLASSES = len(pictograms.SIGNS)
SIZE = 32
SOURCE = "rendered signs"  # what messages call the set
CHUNK = 64  # pictures made at once: 30 MB; larger ones leave the processor's cache

# The sheet: a cell a class, with the sign as it is painted, some of its pictures and its name.
COLUMNS, CELL = 9, (220, 286)  # width and height in pixels
PAINTED, SHOWN, TWICE = 150, 3, 2
PAPER = (206, 212, 206)  # white signs stand out from it

# File in examples/: class, size in pixels, seed. The seeds were chosen by eye, for six signs in
# plain sight; what a classifier makes of them had no part in it.
EXAMPLES = {
    "keep-right.png": (38, 96, 179),
    "priority-road.png": (12, 64, 95),
    "road-work.png": (25, 176, 82),
    "speed-limit-30.png": (1, 128, 149),
    "stop.png": (14, 200, 158),
    "yield.png": (13, 80, 81),
}


def signs(count: int, seed: int = 0, classes=None) -> tuple[np.ndarray, np.ndarray]:
    """Renders pictures of traffic signs, the classes in turn.

    Args:
        count: how many pictures, at least 1.
        seed: same seed, same pictures.
        classes: class numbers to draw from; default None, all 43.

    Returns:
        `(images, labels)`: uint8 (count, 32, 32, 3) RGB, int64 (count,).

    Raises:
        LabError: for a count below 1, no classes, or one that isn't from 0 to 42.
    """
    classes = np.arange(CLASSES) if classes is None else np.asarray(classes)
    if count < 1:
        raise LabError(f"the number of rendered signs must be at least 1. Received: {count}")
    known = classes.size > 0 and classes.dtype.kind in "iu"
    if not known or not np.isin(classes, range(CLASSES)).all():
        raise LabError(f"classes must be numbers from 0 to 42. Received: {classes.tolist()}")
    labels = np.resize(classes, count).astype(np.int64)
    rng = np.random.default_rng(seed)
    chunks = (labels[start : start + CHUNK] for start in range(0, count, CHUNK))
    return np.concatenate([photographs(chunk, SIZE, rng) for chunk in chunks]), labels


def photographs(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Pictures, uint8 (n, size, size, 3), of the signs with these labels."""
    n, fine = len(labels), camera.FINE * size
    poses = camera.Poses(n, rng)
    signs = painting.hung(labels, fine, poses.maps(fine), rng)  # (n, fine, fine, 4)
    # Half as fine: it is out of focus anyway, and otherwise most of the work.
    scene = scenery.behind(fine // 2, poses.centre, poses.radius, rng)
    scene = scene.repeat(2, axis=1).repeat(2, axis=2)
    scene *= 1 - signs[..., 3:]
    scene += signs[..., :3] * scenery.light(n, fine, rng)
    return camera.take(scene, poses.original, rng)


def sheet() -> np.ndarray:
    """All signs on one sheet, uint8 (h, w, 3): painted, in pictures at twice their size, named."""
    width, height = CELL
    rows = -(-CLASSES // COLUMNS)
    page = Image.new("RGB", (COLUMNS * width, rows * height), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    colours = painting.COLOURS.copy()
    colours[0] = PAPER
    images, _ = signs(SHOWN * CLASSES)
    images = images.repeat(TWICE, axis=1).repeat(TWICE, axis=2)
    for label, name in enumerate(class_names()):
        left, top = label % COLUMNS * width, label // COLUMNS * height
        sign = pictures.to_uint8(painting.painted(label, PAINTED) @ colours)
        page.paste(Image.fromarray(sign), (left + (width - PAINTED) // 2, top + 6))
        for i, image in enumerate(images[label::CLASSES]):
            across = left + 10 + i * (SIZE * TWICE + 4)
            page.paste(Image.fromarray(image), (across, top + PAINTED + 12))
        words = "\n".join(textwrap.wrap(f"{label}  {name}", 28))
        middle, below = left + width // 2, top + PAINTED + 12 + SIZE * TWICE + 6
        draw.multiline_text((middle, below), words, "black", font, "ma", 2, "center")
    return np.asarray(page)


def example(name: str) -> np.ndarray:
    """The picture in examples/ of that name, uint8 (size, size, 3)."""
    label, size, seed = EXAMPLES[name]
    return photographs(np.array([label]), size, np.random.default_rng(seed))[0]


@command_line.script
def main(argv=None):
    """Draws the sheet, or the examples; prints the files."""
    parser = command_line.Parser(__doc__)
    parser.prog = "python -m lab.rendered"
    parser.add_argument("sheet", nargs="?", metavar="OUT.png", help="where to put the sheet")
    parser.add_argument("--examples", action="store_true", help="draw examples/ once more")
    args = parser.parse_args(argv)
    if (args.sheet is None) != args.examples:
        parser.error("expected either OUT.png or --examples")
    if args.examples:
        for name in EXAMPLES:
            pictures.write_png(files.EXAMPLES / name, example(name))
            print(files.EXAMPLES / name)
        return
    if Path(args.sheet).suffix.lower() != ".png":
        parser.error(f"expected a file that ends in .png; received {args.sheet}")
    pictures.write_png(args.sheet, sheet())
    print(args.sheet)


if __name__ == "__main__":
    raise SystemExit(main())

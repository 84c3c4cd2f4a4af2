"""The drawn signs for people: all of them on one sheet, or the pictures in examples/ once more.

python benchmarks/drawn_signs.py OUT.png
python benchmarks/drawn_signs.py --examples
"""

import sys
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import command_line, files, pictures
from lab.data import CLASSES, class_names
from lab.drawn_signs import painting
from lab.drawn_signs.photographs import photographs, signs

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
            across = left + 10 + i * (pictures.SIGN * TWICE + 4)
            page.paste(Image.fromarray(image), (across, top + PAINTED + 12))
        words = "\n".join(textwrap.wrap(f"{label}  {name}", 28))
        middle, below = left + width // 2, top + PAINTED + 12 + pictures.SIGN * TWICE + 6
        draw.multiline_text((middle, below), words, "black", font, "ma", 2, "center")
    return np.asarray(page)


def example(name: str) -> np.ndarray:
    """The picture in examples/ of that name, uint8 (size, size, 3)."""
    label, size, seed = EXAMPLES[name]
    return photographs(np.array([label]), size, np.random.default_rng(seed))[0]


@command_line.script
def main(argv: list[str]) -> None:
    """Draws the sheet, or the examples; prints the files."""
    parser = command_line.Parser(__doc__)
    parser.prog = "python benchmarks/drawn_signs.py"
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

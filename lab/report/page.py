"""Pieces of an HTML page that needs no other file: pictures as data, tables, numbers in words."""

import base64
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

# The page loads and runs nothing; should a name ever slip through unescaped, it stays that way.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def percent(share: float) -> str:
    """A share in percent: one decimal, and more where 0.0% or 100.0% would hide a picture."""
    if not np.isfinite(share):
        return "–"
    if share in (0, 1):
        return f"{100 * share:.0f}%"
    decimals = next((d for d in range(1, 5) if 0 < round(100 * share, d) < 100), 5)
    return f"{100 * share:.{decimals}f}%"


def png(pixels: np.ndarray) -> str:
    """A picture, uint8 (h, w, 3) or (h, w, 4), as the data address of a PNG."""
    data = imageio.imwrite("<bytes>", pixels, extension=".png")
    return "data:image/png;base64," + base64.b64encode(data).decode()


def image(pixels: np.ndarray, alt: str) -> str:
    """An `img` element of a picture, with the words that stand for it."""
    height, width = pixels.shape[:2]
    return f'<img src="{png(pixels)}" width="{width}" height="{height}" alt="{html.escape(alt)}">'


def inline_svg(
    svg: str, label: str, size: tuple[int, int], variables: Mapping, tips: Mapping
) -> str:
    """Makes an SVG file a part of a page.

    Args:
        svg: the file's text.
        label: what a screen reader says in its place.
        size: width and height of its view box; on the page it is about as wide, or narrower where
            there is less room, down to three quarters if it is wider than a phone.
        variables: colour in the file -> the page's variable that takes its place.
        tips: id of a group -> its tooltip. All other groups lose their ids, which every figure of
            a page has in common.
    """
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.S)
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var(--{variable})")

    def group(found: re.Match) -> str:
        tip = tips.get(found[1])
        return f"<g><title>{html.escape(tip)}</title>" if tip else "<g>"

    svg = re.sub(r'<g id="([^"]*)">', group, svg[svg.index("<svg") :])
    width, height = size
    least = f"min-width:{0.75 * width:.0f}px;" if width > 500 else ""
    head = (
        f'<svg role="img" aria-label="{html.escape(label)}" viewBox="0 0 {width} {height}" '
        f'style="{least}max-width:{1.1 * width:.0f}px">'
    )
    return re.sub(r"\s*\n\s*", "\n", head + svg[svg.index(">") + 1 :])


def section(anchor: str, heading: str, *parts: str) -> str:
    """A section with its heading; the parts are HTML."""
    return (
        f'<section id="{anchor}"><h2>{html.escape(heading)}</h2>\n'
        + "\n".join(parts)
        + "</section>"
    )


def facts(recipe: Mapping) -> str:
    """A two-column table of names and values; a value that is a dict is written out in one cell."""
    rows = (
        f'<tr><th scope="row">{html.escape(str(name).replace("_", " "))}</th>'
        f"<td>{html.escape(_words(value))}</td></tr>"
        for name, value in recipe.items()
    )
    return '<table class="facts">' + "\n".join(rows) + "</table>"


def document(title: str, sections: Sequence[str], head: str = "") -> str:
    """The whole page.

    Args:
        title: plain text.
        sections: HTML.
        head: more style than report.css has.
    """
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    body = "\n".join(sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{html.escape(title)}</title>
<style>
{style}{head}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(part) for part in value)
    return "–" if value is None else str(value)

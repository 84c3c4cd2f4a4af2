"""The report's figures, drawn by matplotlib as SVG with the colours and the font of its page.

Arrays in, SVG out, safe to put into the page; the only importer of matplotlib.
"""

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lab.report.wording import percent

# Figures, and figures.mplstyle, use these colours as placeholders. Each is replaced by the page's
# variable of that name, which differs between light and dark: see report.css.
INK, MUTED, LINE = "#010101", "#010102", "#010103"
FIRST, SECOND, WRONG = "#010104", "#010105", "#010106"
VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line"}
VARIABLES |= {FIRST: "first", SECOND: "second", WRONG: "wrong"}
STYLE = Path(__file__).with_suffix(".mplstyle")
STEPS = (1, 2, 5, 10)  # between ticks, times a power of ten
HALF = (460, 290)  # figures of half the page's width, in its pixels
CELL = 0.92  # side of a cell of the confusion matrix, which stand 1 apart
NAME_LENGTH = 34  # of a class's name beside the confusion matrix, in letters


def curve(history: Sequence[Mapping], key: str, label: str) -> Markup:
    """One number of each epoch; empty where there is none.

    Args:
        history: dicts with "epoch" and `key`; an epoch whose number is None or not finite is
            left out.
        key: which number.
        label: what it is called; a key that ends in "accuracy" is shown in percent.
    """
    numbers = ((row["epoch"], row.get(key)) for row in history)
    points = [(epoch, x) for epoch, x in numbers if x is not None and np.isfinite(x)]
    share = key.endswith("accuracy")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*zip(*points, strict=True), marker="o", color=SECOND if share else FIRST)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        # From 0, or rounding would fill the height of a flat curve.
        _in_percent(axes) if share else axes.set_ylim(bottom=0)
        axes.set_xlabel("epoch")
        axes.set_title(label, loc="left")

    return _svg(f"{label} by epoch", HALF, draw) if points else Markup()


def confusion(matrix: np.ndarray, names: Sequence[str]) -> Markup:
    """The confusion matrix of the classes that occur, each cell with its numbers as a tooltip.

    A cell's colour is as strong as the square root of its share of the row, so that a few mistakes
    among hundreds are visible.

    Args:
        matrix: int (classes, classes), rows are true.
        names: the classes' names.
    """
    shown = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1)).tolist()
    totals = matrix.sum(axis=1)
    tips = {}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row, true in enumerate(shown):
            for column in np.flatnonzero(matrix[true, shown]):
                predicted, count = shown[column], matrix[true, shown[column]]
                share, tip = count / totals[true], f"cell-{true}-{predicted}"
                pair = f"{names[true]}, predicted as {names[predicted]}"
                tips[tip] = f"{pair}: {count} of {totals[true]}"
                colour, alpha = FIRST if true == predicted else WRONG, 0.25 + 0.75 * share**0.5
                place = (column - CELL / 2, row - CELL / 2)
                cell = Rectangle(place, CELL, CELL, facecolor=colour, alpha=alpha, gid=tip)
                axes.add_patch(cell)
        ticks = np.arange(len(shown))
        size = 9 if len(shown) > 20 else 11
        axes.set_xticks(ticks, [str(label) for label in shown], fontsize=size)
        axes.set_yticks(ticks, [f"{_short(names[i])}  {i}" for i in shown], fontsize=size)
        axes.tick_params(length=0)
        axes.set_xlim(-0.5, len(shown) - 0.5)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_aspect("equal", anchor="W")
        axes.set_xlabel("predicted class")
        axes.grid(linewidth=0.4)
        axes.spines[:].set_visible(False)

    side = min(680, 80 + 34 * len(shown))
    return _svg("Confusion matrix", (side + 230, side + 40), draw, tips)


def classes(counts: np.ndarray, accuracy: np.ndarray, names: Sequence[str]) -> Markup:
    """Accuracy over the number of training pictures, one point a class.

    Args:
        counts: int (classes,), training pictures.
        accuracy: float (classes,), NaN where a class has no picture here.
        names: the classes' names.
    """
    shown = np.flatnonzero(np.isfinite(accuracy) & (counts > 0)).tolist()
    tips = {
        f"class-{i}": f"{names[i]}: {percent(accuracy[i])}, {counts[i]:,} training pictures"
        for i in shown
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for i in shown:
            axes.plot(counts[i], accuracy[i], "o", color=FIRST, alpha=0.7, ms=7, gid=f"class-{i}")
        _in_percent(axes)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlim(left=0)
        axes.set_xlabel("training pictures of the class")
        axes.set_title("Accuracy of each class", loc="left")

    return _svg("Accuracy over class size", HALF, draw, tips) if shown else Markup()


def reliability(lines: Sequence[tuple[str, np.ndarray, np.ndarray, np.ndarray]]) -> Markup:
    """Accuracy over confidence, and below it where the confidences lie.

    The more pictures behind a point, the larger it is: one made of three says little.

    Args:
        lines: (what it is called, count, confidence, accuracy), the three as
            `lab.judging.metrics.reliability` gives them; two at most.
    """

    def draw(figure: Figure) -> None:
        top, bottom = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        top.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for number, (name, count, confidence, accuracy) in enumerate(lines):
            colour, nonempty = (FIRST, SECOND)[number], count > 0
            top.plot(
                confidence[nonempty], accuracy[nonempty], color=colour, linewidth=1.2, label=name
            )
            area = 8 + 90 * (count[nonempty] / count.sum()) ** 0.5
            top.scatter(confidence[nonempty], accuracy[nonempty], area, colour, clip_on=False)
            edges = np.arange(len(count) + 1) / len(count)
            bottom.stairs(count / count.sum(), edges, color=colour, linewidth=1.5)
        top.set_title("Share classified correctly", loc="left")
        top.set_ylim(0, 1)
        top.legend(loc="best")
        bottom.set_title("Share of all pictures", loc="left")
        bottom.set_xlabel("probability of the predicted class")
        bottom.set_xlim(0, 1.01)
        bottom.xaxis.set_major_formatter(PercentFormatter(1))
        for axes in (top, bottom):
            _in_percent(axes)
        bottom.yaxis.set_major_locator(MaxNLocator(3))

    return _svg("Reliability diagram", (460, 460), draw)


def groups(title: str, label: str, rows: Sequence[tuple[str, int, float, tuple]]) -> Markup:
    """Accuracy of groups of pictures, each with its 95% interval.

    Args:
        title, label: above the figure, and below it.
        rows: (the group's name, pictures, accuracy, (low, high)); (0.0, 1.0) is no interval.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for i, (_, _, accuracy, (low, high)) in enumerate(rows):
            if (low, high) != (0.0, 1.0):
                axes.plot((i, i), (low, high), color=FIRST, alpha=0.45, solid_capstyle="butt")
            axes.plot(i, accuracy, "o", color=FIRST, markersize=7)
        ticks = [f"{name}\n{count:,}" for name, count, *_ in rows]
        axes.set_xticks(range(len(rows)), ticks, fontsize=10.5)
        axes.set_xlim(-0.6, len(rows) - 0.4)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
        _in_percent(axes)
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(f"{label}; below it, pictures")
        axes.set_title(title, loc="left")

    return _svg(title, HALF, draw)


def _svg(label: str, size: tuple[int, int], draw: Callable, tips: dict | None = None) -> Markup:
    """Draws a figure as SVG, to be put into a page.

    Args:
        label: what a screen reader says; differs from figure to figure.
        size: width and height; on the page it is about as wide, or narrower where there is less
            room, down to three quarters if it is wider than a phone.
        draw: function of the figure.
        tips: gid of a part -> its tooltip; `draw` may still fill it.
    """
    # With its own salt, each figure gets other ids: all figures are in one page.
    with matplotlib.rc_context({"svg.hashsalt": label}, STYLE), warnings.catch_warnings():
        # matplotlib measures with its own font; the browser has glyphs that are missing there.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    least = f"min-width:{0.75 * size[0]:.0f}px;" if size[0] > 500 else ""
    head = (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {size[0]} {size[1]}" '
        f'style="{least}max-width:{1.1 * size[0]:.0f}px">'
    )
    return Markup(head + _inside(buffer.getvalue(), tips or {}))


def _inside(file: str, tips: Mapping[str, str]) -> str:
    """What an SVG file holds, in the page's colours, with tooltips.

    Args:
        file: its text.
        tips: id of a group -> its tooltip. All other groups lose their ids, which every figure of
            a page has in common.
    """
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", file, flags=re.S)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")

    def group(found: re.Match) -> str:
        tip = tips.get(found[1])
        return f"<g><title>{escape(tip)}</title>" if tip else "<g>"

    inside = svg[svg.index(">", svg.index("<svg")) + 1 :]
    return re.sub(r"\s*\n\s*", "\n", re.sub(r'<g id="([^"]*)">', group, inside))


def _in_percent(axes: Axes) -> None:
    # Margins reach below 0% and above 100%, where no share can be.
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))
    axes.yaxis.set_major_formatter(
        lambda share, _: f"{100 * share:.4g}%" if -1e-9 < share < 1 + 1e-9 else ""
    )


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1].rstrip() + "…"

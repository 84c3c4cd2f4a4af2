"""The report's sections: each takes an evaluation and gives HTML. All text in it is escaped."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np

from lab.judging import metrics
from lab.judging.evaluation import Evaluation
from lab.report import feature_map as maps
from lab.report import figures, page
from lab.report.page import image, percent, section

SIZES = (25, 35, 50, 75, 100)  # pixels, the shorter side of the original picture
LIGHT = (32, 64, 96, 128, 160, 192)  # mean luma, of 255


def learning(e: Evaluation) -> str:
    """Loss and validation accuracy by epoch; empty where nothing was learned."""
    curves = [
        figures.curve(e.history or (), "loss", "Loss"),
        figures.curve(e.history or (), "validation_accuracy", "Validation accuracy"),
    ]
    if not any(curves):
        return ""
    took = sum(row.get("seconds") or 0 for row in e.history)
    return section(
        "learning",
        "Learning curve",
        f"<p>{_count(len(e.history), 'epoch')}{f', {took:,.1f} seconds' if took else ''}.</p>",
        _pair(*curves),
    )


def confusion(e: Evaluation, icons: dict[int, str]) -> str:
    """The confusion matrix and its commonest pairs."""
    pairs = metrics.confused_pairs(e.matrix)
    rows = (
        f'<tr><td class="icons">{icons.get(t, "")}</td><th scope="row">{escape(e.names[t])}</th>'
        f'<td class="icons">{icons.get(g, "")}</td><td>{escape(e.names[g])}</td>'
        f'<td class="number">{count} of {e.matrix[t].sum()}</td></tr>'
        for t, g, count in pairs
    )
    table = (
        "<h3>The commonest mistakes</h3><table><thead><tr><td></td><th>sign</th><td></td>"
        '<th>named</th><th class="number">pictures</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    return section(
        "confusion",
        "Confusion matrix",
        "<p>Rows are the signs, columns the names they were given: blue is right, red is wrong. "
        "Strong is a large share of its row. Point at a cell for its numbers.</p>",
        f'<figure class="wide" tabindex="0">{figures.confusion(e.matrix, e.names)}</figure>',
        table if pairs else "<p>No mistakes.</p>",
    )


def classes(e: Evaluation, icons: dict[int, str]) -> str:
    """Each class's accuracy and size, the worst first."""
    accuracy, here = metrics.accuracy_by_class(e.matrix), e.matrix.sum(axis=1)
    shown = np.flatnonzero(here)
    shown = shown[np.argsort(accuracy[shown], kind="stable")]
    sizes, unit, scatter = here, "pictures", ""
    words = "The blue bar is the number of the class’s pictures here."
    if e.class_counts is not None:
        sizes, unit = np.asarray(e.class_counts), "trained on"
        words = "The blue bar is the number of pictures that the class was trained on."
        scatter = figures.classes(sizes, accuracy, e.names)

    def row(i: int) -> str:
        size = 100 * sizes[i] / max(sizes.max(), 1)
        return (
            f'<tr><td class="icons">{icons.get(i, "")}</td>'
            f'<th scope="row">{escape(e.names[i])}</th>'
            f'<td class="number bar" title="{e.matrix[i, i]} of {here[i]}">{percent(accuracy[i])}'
            f'<i class="wrong" style="width:{100 - 100 * accuracy[i]:.1f}%"></i></td>'
            f'<td class="number bar">{sizes[i]:,}<i style="width:{size:.1f}%"></i></td></tr>'
        )

    half = -(-len(shown) // 2) if len(shown) > 12 else len(shown)
    header = (
        '<thead><tr><td></td><th>class</th><th class="number">right</th>'
        f'<th class="number">{unit}</th></tr></thead>'
    )
    tables = (
        f"<table>{header}<tbody>{''.join(map(row, part))}</tbody></table>"
        for part in (shown[:half], shown[half:])
        if len(part)
    )
    return section(
        "classes",
        "Accuracy by class, beside class size",
        '<div class="pair"><p>The worst class first. The red bar is the share named wrong. '
        f"{words}</p>{scatter and f'<figure>{scatter}</figure>'}</div>",
        f'<div class="pair">{"".join(tables)}</div>',
    )


def mistakes(e: Evaluation) -> str:
    """The 24 wrong answers that the classifier was surest of."""
    worst = metrics.surest_mistakes(e.probabilities, e.labels)
    if not len(worst):
        return section("mistakes", "The surest mistakes", "<p>No mistakes.</p>")
    cards = []
    for i in worst:
        true, given = e.names[e.labels[i]], e.names[e.predicted[i]]
        sure = percent(e.probabilities[i, e.predicted[i]])
        place = str(e.index[i]) if e.named else f"row {e.index[i]}"
        cards.append(
            f"<li>{image(e.images[i], f'{true}, named {given}')}<div>{escape(true)}</div>"
            f'<div class="given">named {escape(given)}, {sure}</div>'
            f'<div class="muted" title="{escape(place)}">{escape(Path(place).name)}</div></li>'
        )
    words = f"The {_count(len(worst), 'wrong name')} that the classifier was surest of: the sign, "
    words += "the name it was given and its probability, and where the picture is."
    if e.tracks is not None:
        words += f" They show {_count(len(np.unique(np.asarray(e.tracks)[worst])), 'sign')}."
    return section(
        "mistakes",
        "The surest mistakes",
        f"<p>{words}</p>",
        f'<ul class="mistakes">{"".join(cards)}</ul>',
    )


def calibration(e: Evaluation) -> str:
    """The reliability diagram, before and after the temperature where both are known."""
    lines, words = [], []
    for name, p in (("uncalibrated", e.uncalibrated), ("calibrated", e.probabilities)):
        if p is not None:
            lines.append((name, *metrics.reliability(p, e.labels)))
            words.append(percent(metrics.expected_calibration_error(p, e.labels)))
    if len(lines) == 1:
        lines = [("these pictures", *lines[0][1:])]
    return section(
        "calibration",
        "Calibration",
        '<div class="pair"><div><p>Of the signs that it names with a probability of 90%, it should '
        "name 90% right: the dashed line. Below the line it is too sure, above it too modest.</p>"
        f"<p>Expected calibration error, the mean distance from the line: "
        f"<strong>{' before the temperature, '.join(words)}"
        f"{' after it' if len(words) > 1 else ''}</strong>.</p></div>"
        f"<figure>{figures.reliability(lines)}</figure></div>",
    )


def light(e: Evaluation) -> str:
    """Accuracy by original size, where it is known, and by brightness."""
    light = _groups(e, metrics.brightness(e.images), LIGHT)
    drawn = [figures.groups("Accuracy by brightness", "mean luma of the picture, of 255", light)]
    if e.sizes is not None:
        size = _groups(e, np.min(e.sizes, axis=1), SIZES)
        label = "shorter side of the original picture, in pixels"
        drawn.insert(0, figures.groups("Accuracy by original size", label, size))
    return section(
        "light",
        "Size and light" if e.sizes is not None else "Light",
        "<p>Lines are 95% intervals, by the same bootstrap.</p>",
        _pair(*drawn),
    )


def _groups(e: Evaluation, values: np.ndarray, edges: Sequence[int]) -> list[tuple]:
    names = [f"< {edges[0]}", *(f"{a}–{b - 1}" for a, b in pairwise(edges))]
    names.append(f"≥ {edges[-1]}")
    bins = metrics.accuracy_by_bin(values, edges, e.correct, e.tracks)
    return [(names[number], *rest) for number, *rest in bins]


def feature_map(e: Evaluation) -> str:
    """The map of the features; empty where there are none, or a single picture."""
    if e.features is None or len(e.labels) < 2:
        return ""
    some = maps.sample(len(e.labels))
    drawn = maps.draw(maps.positions(e.features[some]), e.images[some], ~e.correct[some])
    of = "" if len(some) == len(e.labels) else f" of {len(e.labels):,}, drawn at random"
    by = "t-SNE" if len(some) >= maps.FEWEST_TSNE else "their two principal components"
    return section(
        "map",
        "A map of the features",
        f"<p>{len(some):,} pictures{of}, placed by {by}: what the network finds alike lies "
        "together. Directions and distances between groups mean nothing. Red is named wrong.</p>",
        f'<figure class="wide" tabindex="0">{image(drawn, "Map of the features")}</figure>',
    )


def icons(e: Evaluation) -> tuple[str, dict[int, str]]:
    """A picture of each class, a well-lit one among those named right most surely, as one strip.

    Returns:
        The strip's style, and for each class that has pictures the element that shows its own.
    """
    own = e.probabilities[np.arange(len(e.labels)), e.labels]
    glare = np.abs(metrics.brightness(e.images) - 128)
    strip, elements = [], {}
    for label in np.unique(e.labels):
        here = np.flatnonzero(e.labels == label)
        surest = here[np.argsort(-own[here], kind="stable")[: -(-len(here) // 4)]]
        place = -24 * len(strip)
        elements[int(label)] = f'<i class="icon" style="background-position:{place}px 0"></i>'
        strip.append(e.images[surest[glare[surest].argmin()]])
    style = f".icon {{ background-image: url({page.png(np.concatenate(strip, axis=1))}); }}\n"
    return style, elements


def _pair(*drawn: str) -> str:
    figures = (f"<figure>{svg}</figure>" for svg in drawn if svg)
    return f'<div class="pair">{"".join(figures)}</div>'


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

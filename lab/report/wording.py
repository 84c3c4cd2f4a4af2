"""Values as a person reads them, and what to call what pictures show."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np

from lab.drawn_signs import RENDERED
from lab.judging import Judgement


def percent(share: float) -> str:
    """A share in percent: one decimal, and more where 0.0% or 100.0% would hide a picture."""
    if not np.isfinite(share):
        return "–"
    if share in (0, 1):
        return f"{100 * share:.0f}%"
    decimals = next((d for d in range(1, 5) if 0 < round(100 * share, d) < 100), 5)
    return f"{100 * share:.{decimals}f}%"


def count(number: int, noun: str) -> str:
    """A number of things: "1 picture", "1,200 pictures"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def fact(value: object, name: str = "") -> str:
    """A fact's value: numbers of three digits, "yes" and "no", dicts and lists in one line.

    Args:
        value: anything; None within a list or dict is a dash.
        name: of the fact; a fraction whose name says accuracy or error is shown in percent.
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {fact(part, name)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return (" to " if "interval" in name else ", ").join(fact(part, name) for part in value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{value:,}"
    if isinstance(value, Real):
        number = float(value)
        if "accuracy" in name or "error" in name:
            return percent(number)
        return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
    return str(value)


def rendered(judgement: Judgement) -> bool:
    """Whether the pictures are rendered: each shows a sign of its own, and none was filmed."""
    return judgement.data.source == RENDERED


def unit(judgement: Judgement) -> str:
    """What the pictures of one track show: a filmed sign, or what a CSV calls a group."""
    return "sign" if judgement.data.crop == "sign" else "group"


def filmed(judgement: Judgement, rows: np.ndarray | slice) -> int | None:
    """How many filmed signs (tracks) these pictures show; None if it is not known."""
    tracks = judgement.data.tracks
    return None if tracks is None or rendered(judgement) else len(np.unique(tracks[rows]))

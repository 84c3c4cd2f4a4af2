"""Values as a person reads them: shares in percent, numbers of three digits, lists in words."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np


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

"""What became of a training or an evaluation, for people: report.html and predictions.csv."""

from html import escape
from pathlib import Path

import numpy as np

from lab import files
from lab.judging import metrics
from lab.judging.evaluation import Evaluation
from lab.report import page
from lab.report.page import percent

PAGE, TABLE = "report.html", "predictions.csv"
# What recipe["split"] may say; any other text is shown as it is.
SPLITS = {
    "random": "A random split: frames of the same signs are on both sides. The figure does not say "
    "how the classifier does on signs it has never met; a split by track does.",
    "track": "A split by track: no sign in these pictures was seen in training.",
}


def write(folder: str | Path, evaluation: Evaluation) -> None:
    """Writes report.html and predictions.csv, each whole or not at all.

    report.html loads nothing from elsewhere: it can be mailed, or opened without a network.

    Args:
        folder: where to; made where it is missing.
        evaluation: what to report.

    Raises:
        LabError: they cannot be put there.
    """
    import pandas as pd  # it and the figures take a second to import: nobody else waits for them

    e = evaluation
    names = np.asarray(e.names, object)
    rows = {
        "file" if e.named else "index": [str(i) for i in e.index],
        "true": e.labels,
        "true_name": names[e.labels],
        "predicted": e.predicted,
        "predicted_name": names[e.predicted],
        "probability": np.max(e.probabilities, axis=1),
    }
    with files.atomic(Path(folder) / TABLE) as part:
        pd.DataFrame(rows).to_csv(part, index=False, float_format="%.6f")
    text = html(e)
    with files.atomic(Path(folder) / PAGE) as part:
        part.write_text(text, encoding="utf-8")


def html(evaluation: Evaluation) -> str:
    """The page that `write` writes. Sections that nothing is known for are left out."""
    from lab.report import sections

    e = evaluation
    style, icons = sections.icons(e)
    parts = (
        _head(e),
        sections.learning(e),
        sections.confusion(e, icons),
        sections.classes(e, icons),
        sections.mistakes(e),
        sections.calibration(e),
        sections.light(e),
        sections.feature_map(e),
        page.section("recipe", "Recipe", page.facts(e.recipe)) if e.recipe else "",
    )
    return page.document(e.title, [part for part in parts if part], style)


def _head(e: Evaluation) -> str:
    accuracy, n, wrong = e.correct.mean(), len(e.labels), int((~e.correct).sum())
    split = str(e.recipe.get("split") or "")
    classes = metrics.accuracy_by_class(e.matrix)
    calibration = metrics.expected_calibration_error(e.probabilities, e.labels)
    numbers = {
        "mistakes": f"{wrong:,} of {n:,}",
        "mean of the classes’ accuracies": percent(np.nanmean(classes)),
        "classes in these pictures": f"{np.isfinite(classes).sum()} of {len(e.names)}",
        "expected calibration error": percent(calibration),
    }
    if e.tracks is not None:
        numbers["signs filmed (tracks)"] = f"{len(np.unique(e.tracks)):,}"
    cells = (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers.items())
    return (
        f"<header><h1>{escape(e.title)}</h1>\n"
        f'<p class="headline"><strong>{percent(accuracy)}</strong>'
        f"<span>of {n:,} {'picture' if n == 1 else 'pictures'} named right<br>"
        f"{_interval(e)}</span></p>\n"
        f'<p class="split">{escape(SPLITS.get(split, split))}</p>\n'
        f'<dl class="numbers">{"".join(cells)}</dl></header>'
    )


def _interval(e: Evaluation) -> str:
    count = len(e.labels) if e.tracks is None else len(np.unique(e.tracks))
    what = "pictures, as their tracks are not known" if e.tracks is None else "tracks"
    if count < 2:
        return "no interval: one sign says nothing about others"
    low, high = metrics.track_interval(e.correct, e.tracks)
    if low == high:
        return f"no interval: the bootstrap over {count:,} {what} sees no spread"
    return f"95% interval {percent(low)} to {percent(high)}, by bootstrap over {count:,} {what}"

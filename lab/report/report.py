"""Writes a judgement as report.html, which template.html lays out, and as predictions.csv."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import imageio.v3 as imageio
import jinja2
import numpy as np
import pandas as pd

from lab import files, runs
from lab.judging import Judgement
from lab.report import sections, single_pictures, wording

TABLE = "predictions.csv"
FILE_NAMES = "surrogateescape"  # a name that is not UTF-8 is written as it is on disk


def write(
    folder: str | Path,
    judgement: Judgement,
    *,
    title: str,
    facts: Mapping[str, object],
    history: Sequence[Mapping] | None = None,
    class_counts: np.ndarray | None = None,
    notices: Sequence[str] = (),
) -> None:
    """Writes report.html and predictions.csv, each all or nothing.

    report.html loads nothing from elsewhere: it can be mailed, or opened without a network.

    Args:
        folder: where to; made where it is missing.
        judgement: what to report.
        title: the report's, plain text.
        facts: names and values, shown as a table, without those that are None. "split" is also
            explained at the top of the page: see `lab.report.sections.split`; so is, beside what it
            concerns, "fitted_on_judged": see `lab.training.trained.Trained`.
        history: dicts {"epoch", "seconds", "loss", "validation_accuracy"}, of a training.
        class_counts: int (classes,), each class's training pictures, where they are known.
        notices: restrictions, shown beside the accuracy.

    Raises:
        LabError: they cannot be written there.
    """
    names = np.asarray(judgement.names, object)
    named = isinstance(judgement.index[0], str)
    columns = {
        "file" if named else "index": [str(place) for place in judgement.index],
        "true": judgement.labels,
        "true_name": names[judgement.labels],
        "predicted": judgement.predicted,
        "predicted_name": names[judgement.predicted],
        "probability": judgement.probabilities.max(axis=1),
    }
    with files.atomic(Path(folder) / TABLE) as part:
        pd.DataFrame(columns).to_csv(part, index=False, float_format="%.6f", errors=FILE_NAMES)
    text = page(judgement, title, facts, history or (), class_counts, notices)
    with files.atomic(Path(folder) / runs.REPORT) as part:
        part.write_text(text, encoding="utf-8", errors=FILE_NAMES)


def page(
    judgement: Judgement,
    title: str,
    facts: Mapping[str, object],
    history: Sequence[Mapping] = (),
    class_counts: np.ndarray | None = None,
    notices: Sequence[str] = (),
) -> str:
    """The HTML that `write` writes. Sections without data are left out."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # class names, files and facts are shown as text, whatever they hold
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent,
        "count": wording.count,
        "fact": wording.fact,
        "png": png,
    }
    return environment.get_template("template.html").render(
        title=title,
        facts=facts,
        notices=[notice for notice in (sections.split(judgement, facts), *notices) if notice],
        judgement=judgement,
        unit=wording.unit(judgement),
        icons=sections.icons(judgement),
        head=sections.head(judgement),
        learning=sections.learning(history),
        confusion=sections.confusion(judgement),
        classes=sections.classes(judgement, class_counts),
        mistakes=single_pictures.mistakes(judgement),
        strangers=single_pictures.strangers(judgement),
        calibration=sections.calibration(judgement),
        light=sections.light(judgement),
        map=sections.feature_map(judgement),
    )


def png(pixels: np.ndarray) -> str:
    """A picture, uint8 (h, w, 3) or (h, w, 4), as the data address of a PNG."""
    data = imageio.imwrite("<bytes>", pixels, extension=".png")
    return "data:image/png;base64," + base64.b64encode(data).decode()

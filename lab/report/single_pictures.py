"""Single pictures that the report shows: the surest mistakes, and those of no known class."""

import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from lab import explanation
from lab.features.batches import batches
from lab.judging import Judgement, metrics
from lab.pictures import SIGN, resize_crop
from lab.report.wording import filmed

LARGE = 114  # pixels, side of a photograph
STRANGERS = 12  # pictures shown of those that are answered "none of these"
EXPLAINED = 12  # mistakes, the surest: each adds 20 kB to the page


def mistakes(judgement: Judgement) -> dict:
    """The wrong answers that the classifier was surest of, each with the place of its picture."""
    data, tracks = judgement.data, judgement.data.tracks
    surest = metrics.surest_mistakes(judgement.probabilities, judgement.labels, tracks)
    rows = [
        {
            "picture": thumbnails(judgement, [i], LARGE)[0],
            "why": why,
            "true": judgement.names[judgement.labels[i]],
            "predicted": judgement.names[judgement.predicted[i]],
            "probability": judgement.probabilities[i].max(),
        }
        | _place(judgement.index[i], data.source)
        for i, why in zip_longest(surest, _why(judgement, surest[:EXPLAINED]))
    ]
    return {"rows": rows, "signs": filmed(judgement, surest)}


def strangers(judgement: Judgement) -> dict | None:
    """The pictures that are answered "none of these", the least known first; None: not measured."""
    if judgement.turned_away is None or judgement.novelty is None:
        return None
    rows = np.flatnonzero(judgement.turned_away)
    rows = rows[np.argsort(-judgement.novelty[rows], kind="stable")]
    shown = rows[:STRANGERS]
    return {
        "count": len(rows),
        "right": int(judgement.correct[rows].sum()),
        "rows": [
            {"picture": picture, "true": judgement.names[judgement.labels[i]]}
            | _place(judgement.index[i], judgement.data.source)
            for i, picture in zip(shown, thumbnails(judgement, shown, LARGE), strict=True)
        ],
    }


def _why(judgement: Judgement, rows: np.ndarray) -> list[np.ndarray]:
    """Where the predicted class of these pictures comes from, uint8 (114, 114, 3) each."""
    if judgement.trunk is None or len(rows) == 0:
        return []
    images, predicted = judgement.data.images[rows], judgement.predicted[rows]
    drawn: dict[int, np.ndarray] = {}
    for classifier, places in judgement.answered_by(rows):
        maps = explanation.heat_maps(classifier, judgement.trunk, images[places], predicted[places])
        for place, heat in zip(places, maps, strict=True):
            # A quarter of the pixels is as many as the page shows.
            drawn[place] = explanation.heated(images[place], heat, classifier.recipe)[::2, ::2]
    return [drawn[place] for place in range(len(rows))]


def _place(where: str | int, source: str) -> dict[str, str]:
    """Where a picture is: words, all of them, and the address of its file, if it has one."""
    if isinstance(where, str):  # in an archive there is no file of its own
        address = Path(where).resolve().as_uri() if os.path.isfile(where) else ""
        return {"anchor": "", "words": Path(where).name, "all_words": where, "address": address}
    row = {"anchor": f"row-{where}", "words": f"row {where} of {Path(source).name}"}
    return row | {"all_words": f"row {where} of {source}", "address": ""}


def thumbnails(
    judgement: Judgement, rows: Sequence[int] | np.ndarray, side: int = SIGN
) -> np.ndarray:
    """uint8 (m, s, s, 3): pictures made small; s is at most `side`, and 32 for signs."""
    images = judgement.data.subset(np.asarray(rows, np.int64)).images
    side = min(side, images.shape[1])
    large = (image for batch in batches(images) for image in batch)  # 2,000 photographs: 300 MB
    small = [resize_crop(image, (side, side), (0, 0), (side, side)) for image in large]
    return np.array(small, np.uint8).reshape(-1, side, side, 3)

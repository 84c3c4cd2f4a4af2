"""What the scripts print on stdout: answers, epochs, what was measured."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lab import files
from lab.errors import shown
from lab.progress import show, tell


def top(
    probabilities: np.ndarray,
    names: Sequence[str],
    count: int,
    paths: Sequence[Path],
    known: Sequence[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Each picture's likeliest classes.

    Args:
        probabilities: float (n, classes).
        names: of the classes.
        count: how many classes for each picture.
        paths: of the n pictures.
        known: further entries of each picture's answer, known and score, or none at all.

    Returns:
        A dict for each picture: file, what is known, and top, a list of dicts of class, index and
        probability.
    """
    order = (-probabilities).argsort(axis=1, kind="stable")[:, :count]
    return [
        {
            "file": str(path),
            **more,
            "top": [
                {"class": names[i], "index": int(i), "probability": round(float(of_picture[i]), 6)}
                for i in row
            ],
        }
        for path, of_picture, row, more in zip(
            paths, probabilities, order, known or [{}] * len(paths), strict=True
        )
    ]


def show_answers(
    answers: list[dict[str, Any]], seconds: float, weights: Path, as_json: bool, **also: Any
) -> None:
    """Prints what `top` gives, in the lab's form or as one JSON object.

    Args:
        answers: as `top` gives them. Of a picture with an entry "known" that is False, it is said
            before its list that it shows none of the classes.
        seconds: how long they took.
        weights: the weights file that they come from.
        as_json: whether as JSON.
        also: further entries of the JSON object.
    """
    if as_json:
        show_json(also | {"weights": str(weights), "pictures": answers, "seconds": seconds})
        return
    for number, answer in enumerate(answers):
        show(f"Image {number} {shown(files.relative(Path(answer['file'])))}")
        if not answer.get("known", True):
            show(f"none of these {answer['classes']} (nearest: {shown(answer['top'][0]['class'])})")
        for row in answer["top"]:
            show(f"{shown(row['class'])}: {row['probability']:.3f}")
        show("")
    show(f"Time: {seconds:.3f} seconds")


def show_evaluation(result: dict[str, Any], source: str, as_json: bool) -> None:
    """Prints what `lab.report.evaluate` gives, of the data set `source`."""
    if as_json:
        show_json(result)
        return
    away = result["turned_away"]
    more = "" if away is None else f"; {away:,} would be answered with none of these"
    show(f"Accuracy: {result['accuracy']:.4f} ({result['images']:,} pictures of {source}{more})")
    for notice in result["notices"]:
        show(f"But {notice}")


def show_json(result: dict[str, Any]) -> None:
    """Prints one JSON object on stdout, and nothing else."""
    show(json.dumps(result, indent=2))


def show_epoch(held_out: str, record: dict[str, Any]) -> None:
    """Prints the lab's three lines of an epoch, and what its accuracy is of."""
    show(f"EPOCH {record['epoch']} ...")
    show(f"Time: {record['seconds']:.3f} seconds")
    show(f"Validation Accuracy: {record['validation_accuracy']:.3f} of {held_out}\n")


def show_end(metrics: dict[str, Any], files_of: str) -> None:
    """Prints what was measured besides the epochs, and where everything is.

    Args:
        metrics: what metrics.json holds.
        files_of: the run's folder and its files, in words.
    """
    if metrics["feature_seconds"]:
        tell(f"features: {metrics['images_per_second']:.0f} pictures/s, now on disk")
    if metrics["accuracy_interval"] and (
        metrics["split"] != "random" or metrics["train"] != "head"
    ):
        low, high = metrics["accuracy_interval"]  # equal where the bootstrap sees no spread
        interval = f" (95%: {low:.3f} to {high:.3f})" if low < high else ""
        show(f"Accuracy: {metrics['accuracy']:.4f}{interval} of {metrics['judged_on']}")
    if metrics["test_accuracy"] is not None:
        less = metrics["test_images_left_out"]
        note = f", without {less:,} that were trained on" if less else ""
        count = f"{metrics['test_images']:,} pictures of --test{note}"
        show(f"Test Accuracy: {metrics['test_accuracy']:.4f} ({count})")
    tell(files_of)

"""Which pictures a network or a head has seen: no figure may be had on those.

A picture is known by its pixels, and by its class with the place of the sign in the original
picture: whoever shrinks GTSRB's originals by another rule gets other pixels of the same signs.
"""

import numpy as np

from lab.data import dataset
from lab.errors import LabError

COPY = 0.8  # share of a set's pictures that are known by class, size and box if it is a copy


def fingerprints(data: dataset.Dataset) -> np.ndarray:
    """Fingerprints of a set's pictures.

    Returns:
        uint64 (n, 1), of the pixels, or (n, 2), also of label, original size and box, where known.
    """
    columns = [dataset.picture_hashes(data.images)]
    if data.sizes is not None and data.coords is not None:
        places = np.column_stack([data.labels, data.sizes, data.coords]).astype("<i8")
        columns.append(dataset.picture_hashes(places))
    return np.stack(columns, axis=1)


def seen(prints: np.ndarray, trained_on: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """bool (n,): which pictures were trained on.

    Class, size and box are shared by chance too: by 39% of GTSRB's frames with some frame of other
    tracks (measured on train.p's test tracks). So they decide about a set as a whole: where nearly
    all of it is known by one or the other, it is a copy, and each picture's place counts.

    Args:
        prints: as `fingerprints` gives them.
        trained_on, held_out: uint64 (m,); pixels that were held out are never seen.
    """
    known = np.isin(prints, trained_on)  # (n, 1) or (n, 2)
    held = np.isin(prints[:, 0], held_out)
    copy = np.mean(known.any(axis=1) | held) >= COPY
    return (known.any(axis=1) if copy else known[:, 0]) & ~held


def joined(*known: np.ndarray) -> np.ndarray:
    """The union of some fingerprints."""
    return np.unique(np.concatenate([part.ravel() for part in known]))


def seen_by(weights, data: dataset.Dataset) -> np.ndarray:
    """bool (n,): which of a set's pictures some weights were trained on.

    Args:
        weights: anything with trained_on and held_out, uint64 (m,).
        data: the set.

    Raises:
        LabError: all of them: no figure may be had.
    """
    if not len(weights.trained_on):
        return np.zeros(len(data), bool)
    result = seen(fingerprints(data), weights.trained_on, weights.held_out)
    if result.all():
        raise LabError(
            f"{data.source}: expected pictures that the network was not trained on; it was trained "
            f"on all {len(data)}, and no figure may be had on those: take another set, or train.p "
            "as a whole, of which the test tracks are then judged"
        )
    return result

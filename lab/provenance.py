"""Which pictures a network or a head has seen: no figure may be had on those.

A picture is known by its pixels, and by its class with the place of the sign in the original
picture: whoever shrinks GTSRB's originals by another rule gets other pixels of the same signs.
"""

import numpy as np

from lab import signs
from lab.storage import LabError


def fingerprints(data: signs.Signs) -> np.ndarray:
    """Fingerprints of a set's pictures.

    Returns:
        uint64 (n, 1), of the pixels, or (n, 2), also of label, original size and box, where known.
    """
    columns = [signs.picture_hashes(data.images)]
    if data.sizes is not None and data.coords is not None:
        places = np.column_stack([data.labels, data.sizes, data.coords]).astype("<i8")
        columns.append(signs.picture_hashes(places))
    return np.stack(columns, axis=1)


def seen(prints: np.ndarray, trained_on: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """bool (n,): whether a picture, or another one of the same sign and place, was trained on.

    Args:
        prints: as `fingerprints` gives them.
        trained_on, held_out: uint64 (m,). Of train.p's frames a third share size and box with one
            of another sign; pixels that were held out settle it.
    """
    return np.isin(prints, trained_on).any(axis=1) & ~np.isin(prints[:, 0], held_out)


def seen_by(weights, data: signs.Signs) -> np.ndarray:
    """bool (n,): which of a set's pictures some weights, or a classifier's head, were trained on.

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

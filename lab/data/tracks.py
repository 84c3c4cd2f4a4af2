"""Where one physical sign ends and the next begins, in pictures that are in GTSRB's order.

A pickle like train.p names no tracks. Its order shows them: 30 consecutive frames of a class are
one sign filmed while driving by, so it comes nearer. In shuffled data it does not.
"""

import numpy as np

FRAMES = 30  # of a track in GTSRB's training set, see Stallkamp et al. (2012), section 3

# From frame to frame the sign comes nearer and its box grows. In 0.7% of the 1,307 real tracks, and
# in at most 8% of any class's, the box's area loses more than a quarter at once, and the median
# track ends with 13 times the area it began with. In shuffled data every block of 30 loses as
# much, and the median does not grow.
SUDDEN = np.log(4 / 3)
MOST_SUDDEN, MOST_SUDDEN_OF_A_CLASS, LEAST_GROWTH = 0.1, 0.5, 1.5


def find(
    labels: np.ndarray, sizes: np.ndarray | None, coords: np.ndarray | None
) -> tuple[np.ndarray | None, str]:
    """Finds the tracks of pictures that are in GTSRB's order: within a class track by track.

    Args:
        labels: int64 (n,).
        sizes, coords: as in `Dataset`.

    Returns:
        tracks int64 (n,) from 0, numbered by class, then order, and ""; or None and the reason.
    """
    if coords is not None:
        area = np.prod(np.maximum(coords[:, 2:] - coords[:, :2], 1), axis=1)
    elif sizes is not None:
        area = np.prod(np.maximum(sizes, 1), axis=1)
    else:
        return None, "it has neither sizes nor coords, which show where a track begins"
    tracks = np.empty(len(labels), np.int64)
    sudden: list[bool] = []
    growth: list[float] = []
    for label in np.unique(labels):
        index = np.flatnonzero(labels == label)
        blocks = np.split(np.log(area[index]), cuts(np.log(area[index])))
        of_class = [bool((np.diff(block) < -SUDDEN).any()) for block in blocks]
        if 1 < sum(of_class) > MOST_SUDDEN_OF_A_CLASS * len(blocks):
            return None, f"its order is not GTSRB's: class {label} shows no sign coming nearer"
        tracks[index] = len(sudden) + np.repeat(np.arange(len(blocks)), [len(b) for b in blocks])
        sudden += of_class
        growth += [block[-1] - block[0] for block in blocks]
    if np.mean(sudden) > MOST_SUDDEN or np.median(growth) < np.log(LEAST_GROWTH):
        return None, "its order is not GTSRB's: blocks of 30 do not show a sign coming nearer"
    return tracks, ""


def cuts(area: np.ndarray) -> np.ndarray:
    """Cuts one class's pictures into as few tracks of at most 30 frames as possible.

    Where frames are missing (GTSRB's class 33 lacks one, in its twentieth track), the cuts are
    where the sign's box shrinks most in total, since the next sign begins far away.

    Args:
        area: float (n,), logarithm of the box's area, picture by picture.

    Returns:
        int (tracks - 1,): the first picture of each track but the first.
    """
    count = -(-len(area) // FRAMES)
    missing = FRAMES * count - len(area)
    # ends[j, u]: where track j ends if the first j + 1 tracks lack u frames
    ends = FRAMES * np.arange(1, count)[:, None] - np.arange(missing + 1)
    costs = np.diff(area)[ends - 1] if count > 1 else np.empty(ends.shape)
    for j in range(1, count - 1):  # u never falls from track to track
        costs[j] += np.minimum.accumulate(costs[j - 1])
    result = np.empty(count - 1, np.int64)
    last = missing
    for j in reversed(range(count - 1)):
        last = int(costs[j, : last + 1].argmin())
        result[j] = ends[j, last]
    return result

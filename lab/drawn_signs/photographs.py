"""Pictures of drawn signs, as a camera in a car would take them: a set without a download.

Each sign of pictograms.py is painted large; every picture then shows it in a pose, light,
weather, neighbourhood and focus of its own, as a camera in a car sees it: cut out like GTSRB's
pictures, with about a tenth of the sign's size around it. All draws come from one seeded generator.
"""

from collections.abc import Sequence

import numpy as np

from lab import pictures
from lab.data import CLASSES
from lab.drawn_signs import camera, painting, scenery
from lab.errors import LabError

CHUNK = 64  # pictures made at once: 30 MB; larger ones leave the processor's cache


def signs(
    count: int, seed: int = 0, classes: Sequence[int] | np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Renders pictures of traffic signs, the classes in turn.

    Args:
        count: how many pictures, at least 1.
        seed: same seed, same pictures.
        classes: class numbers to draw from; default None, all.

    Returns:
        `(images, labels)`: uint8 (count, 32, 32, 3) RGB, int64 (count,).

    Raises:
        LabError: for a count below 1, no classes, or one that is none of theirs.
    """
    classes = np.arange(CLASSES) if classes is None else np.asarray(classes)
    if count < 1:
        raise LabError(f"the number of rendered signs must be at least 1. Received: {count}")
    known = classes.size > 0 and classes.dtype.kind in "iu"
    if not known or not np.isin(classes, range(CLASSES)).all():
        raise LabError(
            f"classes must be numbers from 0 to {CLASSES - 1}. Received: {classes.tolist()}"
        )
    labels = np.resize(classes, count).astype(np.int64)
    rng = np.random.default_rng(seed)
    chunks = (labels[start : start + CHUNK] for start in range(0, count, CHUNK))
    return np.concatenate([photographs(chunk, pictures.SIGN, rng) for chunk in chunks]), labels


def photographs(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Pictures, uint8 (n, size, size, 3), of the signs with these labels."""
    n, fine = len(labels), camera.FINE * size
    poses = camera.Poses(n, rng)
    signs = painting.hung(labels, fine, poses.maps(fine), rng)  # (n, fine, fine, 4)
    # Half as fine: it is out of focus anyway, and otherwise most of the work.
    scene = scenery.behind(fine // 2, poses.centre, poses.radius, rng)
    scene = scene.repeat(2, axis=1).repeat(2, axis=2)
    scene *= 1 - signs[..., 3:]
    scene += signs[..., :3] * scenery.light(n, fine, rng)
    return camera.take(scene, poses.original, rng)

"""Pictures of rendered signs, as a camera in a car would take them.

Each sign of pictograms.py is painted large; every picture then shows it in a pose, light,
weather, neighbourhood and focus of its own, cut out like GTSRB's pictures, with about a tenth of
the sign's size around it. All draws come from one seeded generator.
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
        LabError: a count below 1, no classes, or an unknown one.
    """
    classes = np.arange(CLASSES) if classes is None else np.asarray(classes)
    if count < 1:
        raise LabError(
            f"expected at least 1 rendered sign; received a count of {count}; give a larger one"
        )
    known = classes.size > 0 and classes.dtype.kind in "iu"
    if not known or not np.isin(classes, range(CLASSES)).all():
        raise LabError(
            f"expected classes from 0 to {CLASSES - 1}; received {classes.tolist()}; use those "
            "of signnames.csv"
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
    # At half the resolution: it is out of focus anyway, and would take most of the time.
    scene = scenery.behind(fine // 2, poses.centre, poses.radius, rng)
    scene = scene.repeat(2, axis=1).repeat(2, axis=2)
    scene *= 1 - signs[..., 3:]
    scene += signs[..., :3] * scenery.light(n, fine, rng)
    return camera.take(scene, poses.original, rng)

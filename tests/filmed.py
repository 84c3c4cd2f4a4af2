"""Labelled pictures for tests, as GTSRB's are filmed; and what a picture is at 32x32."""

import numpy as np


def noise(n, seed=0):
    """Pictures uint8 (n, 32, 32, 3) that show nothing."""
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), np.uint8)


def drive(numbers, frames=30, seed=0):
    """labels, tracks, sizes and coords of signs coming nearer: numbers[c] tracks of class c."""
    rng = np.random.default_rng(seed)
    labels, ids, sides = [], [], []
    for label, number in enumerate(numbers):
        for _ in range(number):
            first, last = rng.uniform(18, 30), rng.uniform(60, 200)
            side = np.geomspace(first, last, frames) * rng.uniform(0.97, 1.03, frames)
            sides.append(np.round(side).astype(int))
            labels.append(np.full(frames, label))
            ids.append(np.full(frames, len(ids)))
    labels, ids, sides = (np.concatenate(part) for part in (labels, ids, sides))
    coords = np.stack([0 * sides + 5, 0 * sides + 5, sides + 5, sides + 5], axis=1)
    return labels, ids, np.stack([sides + 10, sides + 10], axis=1), coords


def at_32(pixels):
    """The rule for signs, unrounded (32, 32, 3): a long side is averaged, a short one interpolated.

    An average is a difference of the running sum, which is linear within each pixel.
    """

    def line(values):
        old = len(values)
        if old > 32:
            total = np.interp(np.linspace(0, old, 33), np.arange(old + 1), np.cumsum([0, *values]))
            return np.diff(total) * 32 / old
        return np.interp((np.arange(32) + 0.5) * old / 32 - 0.5, np.arange(old), values)

    return np.apply_along_axis(line, 1, np.apply_along_axis(line, 0, pixels.astype(float)))

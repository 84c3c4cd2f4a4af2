"""Features that float16 can hold: what is larger would make every loss and answer no number."""

import numpy as np

from lab.errors import LabError

INFINITE = np.uint16(0x7C00)  # the exponent of float16's infinities and NaN
BLOCK = 2**18  # numbers that are checked at a time: they stay in the processor's cache
OTHERWISE = (  # what to do in a training
    "take --layer best or photographs, which scale each picture's, --precision float32, or other "
    "weights"
)


class Overflow(LabError):
    """Features that float16 cannot hold: the same run would end so again."""


def all_finite(bits: np.ndarray) -> bool:
    """Whether none of float16's numbers, given as uint16 (n,), is infinite or NaN."""
    parts = (bits[i : i + BLOCK] for i in range(0, len(bits), BLOCK))
    return all(np.bitwise_and(part, INFINITE).max() != INFINITE for part in parts)


def checked(features: np.ndarray, advice: str = OTHERWISE) -> np.ndarray:
    """The features, float16 (n, d).

    Args:
        features: of some pictures.
        advice: what to do where they cannot be used.

    Raises:
        Overflow: one of them is infinite or NaN.
    """
    if all_finite(np.ascontiguousarray(features, np.float16).reshape(-1).view(np.uint16)):
        return features
    raise Overflow(
        "expected features up to 65,504, the most that float16 holds; received larger ones, or "
        f"what is no number: {advice}"
    )

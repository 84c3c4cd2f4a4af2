"""The rules for resizing pictures.

Area averaging makes pictures smaller, bilinear interpolation with half-pixel centres makes them
larger: one rule for signs and photographs. The old lab's rule is here too. Pillow's BOX filter
is no average by area: it takes whole pixels alone.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np

Rule = Callable[..., np.ndarray]  # old side, new side, zoom -> matrix (new, old)
# For each new pixel the numbers of the old ones that it is made of, int (new, k), and the share of
# each, float32 (new, k). Of a matrix (new, old) nearly all would be 0.
Taps = tuple[np.ndarray, np.ndarray]
STRIP = 2**17  # numbers that are scaled at a time: half a megabyte, which a core's cache holds


def resize(images: np.ndarray, size: int, rule: Rule) -> np.ndarray:
    """Scales pictures by bilinear interpolation.

    Args:
        images: uint8 or float (n, h, w, 3).
        size: the new height and width.
        rule: `half_pixel`, as `tf.image.resize` has it, or `corner`, as TensorFlow 1 had it.

    Returns:
        float32 (n, size, size, 3), in the range of images.
    """
    rows, columns = (rule(side, size) for side in images.shape[1:3])
    n, height, width, channels = images.shape
    images = images.astype(np.float32).reshape(n, height, width * channels)
    images = (rows @ images).reshape(n, size, width, channels)
    return columns @ images  # (n, size, size, 3)


def resize_crop(
    picture: np.ndarray, new: Sequence[int], corner: tuple[int, int], size: tuple[int, int]
) -> np.ndarray:
    """Scales a whole picture, by area averaging if it gets smaller, and cuts a part out.

    Args:
        picture: RGB uint8 (h, w, 3).
        new: height and width of the whole after scaling.
        corner: the part's first row and column.
        size: the part's height and width.

    Returns:
        RGB uint8 (*size, 3).
    """
    ribbon, steps = picture.shape[1] > 10 * picture.shape[0], []
    sides = zip(picture.shape[:2], new, corner, size, strict=True)
    for axis, (old, whole, start, length) in enumerate(sides):
        part = slice(start, start + length)
        if whole == old:  # cut out, and nothing to scale
            picture = picture[part] if axis == 0 else picture[:, part]
            continue
        rule = _area if whole < old else _bilinear
        pixels, shares = (taps[part] for taps in rule(old, whole))
        if axis == 1:  # nor what is beside the part
            picture, pixels = picture[:, pixels.min() : pixels.max() + 1], pixels - pixels.min()
        steps.append((axis, pixels, shares))
    if ribbon:  # its short side would become a giant
        steps.reverse()
    if not steps:
        return picture.copy()
    scaled = picture
    for axis, pixels, shares in steps:
        scaled = _mixed(scaled.swapaxes(0, axis), pixels, shares).swapaxes(0, axis)
    return to_uint8(scaled)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Rounds a picture from 0 to 255, halves up, to uint8."""
    return np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=256)
def half_pixel(old: int, new: int, zoom: float = 1.0) -> np.ndarray:
    """Bilinear interpolation by pixel centres, as a matrix (new, old).

    Args:
        old: the picture's side.
        new: the result's.
        zoom: share of the picture's side that the result shows, from its middle.
    """
    return _matrix(*_bilinear(old, new, zoom), old)


@functools.lru_cache(maxsize=256)
def corner(old: int, new: int, zoom: float = 1.0) -> np.ndarray:
    """TensorFlow 1's `resize_images`, without half-pixel centres, as a matrix (new, old).

    New pixel i is taken at i * (old / new): the picture moves up and left by half a pixel of its
    own, less half a new one, and its last row and column are repeated.
    """
    position = np.arange(new) * (zoom * old / new) + old * (1 - zoom) / 2
    return _matrix(*_between(position, old), old)


def _matrix(pixels: np.ndarray, shares: np.ndarray, old: int) -> np.ndarray:
    matrix = np.zeros((len(pixels), old), np.float32)
    np.add.at(matrix, (np.arange(len(pixels))[:, None], pixels), shares)
    return matrix


@functools.lru_cache(maxsize=256)
def _area(old: int, new: int) -> Taps:
    edges = np.arange(new + 1) * (old / new)
    pixels = edges[:-1, None].astype(int) + np.arange(int(old / new) + 2)  # (new, k)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares = np.where(pixels < old, np.maximum(shared, 0), 0)
    shares /= shares.sum(axis=1, keepdims=True)
    return np.minimum(pixels, old - 1), shares.astype(np.float32)


@functools.lru_cache(maxsize=256)
def _bilinear(old: int, new: int, zoom: float = 1.0) -> Taps:
    margin = old * (1 - zoom) / 2
    return _between((np.arange(new) + 0.5) * (zoom * old / new) - 0.5 + margin, old)


def _between(position: np.ndarray, old: int) -> Taps:
    position = np.clip(position, 0, old - 1)
    lower = np.floor(position).astype(int)
    shares = np.stack([1 - (position - lower), position - lower], axis=1).astype(np.float32)
    return np.stack([lower, np.minimum(lower + 1, old - 1)], axis=1), shares


def _mixed(picture: np.ndarray, pixels: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Scales the rows of (h, w, 3) by taps: float32 (new, w, 3).

    A few new rows at a time, so that they stay in the processor's cache: of 12 million pixels that
    takes a quarter of the time.
    """
    rows = picture.reshape(len(picture), -1)
    result = np.zeros((len(pixels), rows.shape[1]), np.float32)
    step = max(1, STRIP // rows.shape[1])
    for start in range(0, len(pixels), step):
        part = result[start : start + step]
        product = np.empty_like(part)
        taps = pixels[start : start + step].T, shares[start : start + step].T
        for tap, share in zip(*taps, strict=True):
            if share.any():
                part += np.multiply(rows[tap], share[:, None], out=product)
    return result.reshape(-1, *picture.shape[1:])

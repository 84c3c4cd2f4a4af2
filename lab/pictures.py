"""Any picture file -> RGB as a person sees it, and the rules for resizing pictures.

Area averaging makes pictures smaller, bilinear interpolation with half-pixel centres makes them
larger: one rule for signs and photographs. The old lab's rule is here too.
"""

import functools
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lab import files
from lab.errors import LabError

SIGN = 32  # pixels: height and width of train.p's pictures

Rule = Callable[..., np.ndarray]  # old side, new side, zoom -> matrix (new, old)

# Pillow reads more formats, but some start other programs (EPS runs Ghostscript).
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def read(path: str | Path) -> np.ndarray:
    """Reads a picture file.

    Grey, palette, CMYK and 16-bit pictures become 8-bit RGB, what is transparent becomes white,
    and a photograph that was taken sideways is turned upright. Of an animation, the first frame is
    read.

    Args:
        path: PNG, JPEG, PPM, BMP, GIF, TIFF or WebP, up to 89 million pixels.

    Returns:
        RGB uint8 (h, w, 3).

    Raises:
        LabError: it is missing, no picture, cut short or too large.
    """
    path = Path(path)
    if path.is_dir():
        raise LabError(f"{_expected(path)}; received a folder; name a file in it")
    try:
        with open(path, "rb") as file:
            return decode(file, str(path))
    except FileNotFoundError:
        raise LabError(f"{_expected(path)}; there is no such file; check its name") from None
    except OSError as error:
        raise LabError(f"{_expected(path)}; {error.strerror}; check the file") from None


def decode(file: BinaryIO, name: str) -> np.ndarray:
    """Reads a picture from an open file; see `read`.

    Args:
        file: opened for reading, at its beginning.
        name: what to call it in messages.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about odd files that it reads anyway
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                return _rgb(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        most = f"of at most {Image.MAX_IMAGE_PIXELS:,} pixels"
        raise LabError(f"{_expected(name)} {most}; received a larger one; scale it down") from None
    except UnidentifiedImageError:
        received = "something else" if file.seek(0, 2) else "an empty file"
        raise LabError(f"{_expected(name)}; received {received}; give a picture") from None
    except Exception as error:  # decoders raise a dozen types on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LabError(
            f"{_expected(name)}; this one is damaged or of an unknown kind ({reason}); get it again"
        ) from None


def _expected(name: object) -> str:
    return f"{name}: expected a picture (PNG, JPEG, PPM, BMP, GIF, TIFF or WebP)"


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        grey = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > 65535:
            raise ValueError("its pixels have more than 16 bits")
        grey = ((grey + 128) // 257).astype(np.uint8)  # 65535 / 257 = 255
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Writes a picture, uint8 (h, w, 3) or (h, w), as PNG; the file is whole or not there."""
    import imageio.v3 as iio

    with files.atomic(Path(path)) as temporary:
        iio.imwrite(temporary, picture, plugin="pillow", extension=".png")


def to_sign(picture: np.ndarray) -> np.ndarray:
    """Brings a picture of a sign, wherever it comes from, to the size of train.p's.

    A side that is longer is averaged, one that is shorter is interpolated. The rule of train.p
    averages nothing; on rendered signs of 45 to 250 pixels it costs the classifier in trained/ 0.7%
    (0.2 to 1.2), a linear conv4 head neither gains nor loses: benchmarks/resize_rule.py.

    Args:
        picture: RGB uint8 (h, w, 3); height and width are scaled each by its own factor.

    Returns:
        RGB uint8 (32, 32, 3).
    """
    return resize_crop(picture, (SIGN, SIGN), (0, 0), (SIGN, SIGN))


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
    return _scale_all(images, rows, columns)


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
    matrices = []
    for old, whole, start, length in zip(picture.shape[:2], new, corner, size, strict=True):
        rule = _area if whole < old else half_pixel
        matrices.append(rule(old, whole)[start : start + length])
    return to_uint8(_scale(picture, *matrices))


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Rounds a picture from 0 to 255, halves up, to uint8."""
    return np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)


# Each rule is a matrix (new size, old size): one for the rows, one for the columns of a picture.


def _area(old: int, new: int) -> np.ndarray:
    edges = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.maximum(shared, 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@functools.lru_cache(maxsize=256)
def half_pixel(old: int, new: int, zoom: float = 1.0) -> np.ndarray:
    """Bilinear interpolation by pixel centres, as a matrix (new, old).

    Args:
        old: the picture's side.
        new: the result's.
        zoom: share of the picture's side that the result shows, from its middle.
    """
    margin = old * (1 - zoom) / 2
    return _between((np.arange(new) + 0.5) * (zoom * old / new) - 0.5 + margin, old)


@functools.lru_cache(maxsize=256)
def corner(old: int, new: int, zoom: float = 1.0) -> np.ndarray:
    """TensorFlow 1's `resize_images`, without half-pixel centres, as a matrix (new, old).

    New pixel i is taken at i * (old / new): the picture moves up and left by half a pixel of its
    own, less half a new one, and its last row and column are repeated.
    """
    return _between(np.arange(new) * (zoom * old / new) + old * (1 - zoom) / 2, old)


def _between(position: np.ndarray, old: int) -> np.ndarray:
    position = np.clip(position, 0, old - 1)
    lower = np.floor(position).astype(int)
    weights = np.zeros((len(position), old), np.float32)
    np.add.at(weights, (np.arange(len(position)), lower), 1 - (position - lower))
    upper = np.minimum(lower + 1, old - 1)
    np.add.at(weights, (np.arange(len(position)), upper), position - lower)
    return weights


def _scale(picture: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    lines = np.empty((picture.shape[1], len(rows), 3), np.float32)
    for i, weights in enumerate(rows):  # a whole photograph as float32 could take 1 GB
        first, *_, last = np.flatnonzero(weights).repeat(2)
        used = slice(first, last + 1)
        lines[:, i] = np.tensordot(weights[used], picture[used].astype(np.float32), 1)
    result = columns @ lines.reshape(len(lines), -1)
    return result.reshape(len(columns), len(rows), 3).swapaxes(0, 1)


def _scale_all(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    n, height, width, channels = images.shape
    images = images.astype(np.float32).reshape(n, height, width * channels)
    images = (rows @ images).reshape(n, len(rows), width, channels)
    return columns @ images  # (n, new height, new width, 3)

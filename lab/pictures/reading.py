"""Any picture file -> RGB as a person sees it."""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lab import files
from lab.errors import LabError

# Pillow reads more formats, but some start other programs (EPS runs Ghostscript).
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".gif", ".tif", ".tiff", ".webp")

# Pillow's, about odd files that it reads anyway. Not around each file: threads read files at the
# same time, and `catch_warnings` of one would undo another's.
warnings.filterwarnings("ignore", module=r"PIL\.")


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
    try:
        if path.is_dir():
            raise LabError(f"{_expected(path)}; received a folder; name a file in it")
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
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or np.inf):
                raise Image.DecompressionBombError
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

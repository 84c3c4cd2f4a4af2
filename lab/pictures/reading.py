"""Any picture file -> RGB as a person sees it."""

import ctypes
import io
import logging
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lab import files, untrusted
from lab.errors import shown
from lab.untrusted import Broken, parse

# Pillow reads more formats, but some start other programs (EPS runs Ghostscript).
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP")
JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
SUFFIXES = (".png", *JPEG, ".ppm", ".bmp", ".gif", ".tif", ".tiff", ".webp")
# Of files that lie beside pictures: tables, notes, licences, what Windows puts there.
COMPANIONS = (".csv", ".db", ".ini", ".json", ".md", ".tsv", ".txt", ".xml", ".yaml", ".yml")
MOST_KINDS = 5  # suffixes that a notice names
EXPECTED = "a picture (PNG, JPEG, PPM, BMP, GIF, TIFF or WebP)"

MOST_BYTES = 2**29  # of a file
MOST_PIXELS = 100_000_000
MOST_OBLONG = 100  # times as long as wide
MOST_PACKED = 10_000  # pixels a byte; PNG packs black and white to 8,000
# Of a progressive JPEG, with about ten scans: each goes over all pixels, however short it is.
SCAN, MOST_SCANS, MOST_SCANNED = b"\xff\xda", 100, 10 * MOST_PIXELS

# What Pillow has to say about odd TIFFs is not for the user's screen: one line of ours is. Its
# libtiff writes to file descriptor 2 by itself, until the copy in Pillow's wheel is told not to.
logging.getLogger("PIL").addHandler(logging.NullHandler())
for _library in Path(Image.__file__).parents[1].glob("pillow.libs/libtiff-*"):
    _libtiff = ctypes.CDLL(str(_library))
    _libtiff.TIFFSetErrorHandler(None)
    _libtiff.TIFFSetWarningHandler(None)

# Before the pixels: Pillow reads a header in Python, byte by byte where a JPEG is padded, adds each
# Exif to those before, unpacks each colour profile and makes an object of each strip.
MOST_READS, MOST_STRIPS = 20_000, 20_000
MOST_PARTS = {b"Exif\0\0": 200, b"iCCP": 20}  # in the whole file
PROGRESSIVE = b"\xff\xc2"  # in a TIFF: its scans are not limited as those of a JPEG are
MOST_DEEP = 40_000_000  # pixels of 16 bits a channel: PNG's filters take 5 ns a byte

# Pillow's decoders in C. Those in Python (PPM as text or of 100 levels, packed BMP) are slow.
DECODERS = ("raw", "zip", "jpeg", "gif", "libtiff")
STRIP = 2**17  # pixels that are converted at a time: they stay in the processor's cache

Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # of more it warns, and of twice as many it makes no room
# Pillow's, about odd files that it reads anyway. Not around each file: threads read files at the
# same time, and `catch_warnings` of one would undo another's.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def other_kinds(names: Iterable[str]) -> str:
    """Counts the files that are no pictures by their names, and that nobody expects to be any.

    Args:
        names: of files; hidden ones, and those with a suffix of `COMPANIONS`, do not count.

    Returns:
        Such as "9 .heic, 2 .mov", the most frequent suffixes first; "" for none.
    """
    known = SUFFIXES + COMPANIONS
    left = [name for name in names if name[0] != "." and not name.lower().endswith(known)]
    kinds = Counter(Path(name).suffix.lower() or "without a suffix" for name in left)
    words = [f"{count:,} {shown(kind, 20)}" for kind, count in kinds.most_common(MOST_KINDS)]
    rest = len(left) - sum(count for _, count in kinds.most_common(MOST_KINDS))
    return ", ".join(words + [f"{rest:,} others"] * (rest > 0))


class _Header(io.BytesIO):
    """A file that may be read a limited number of times, until `left` is raised."""

    left = MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise Broken(f"a picture with a header of more than {MOST_READS:,} parts")
        return super().read(size)


def read(path: str | Path) -> np.ndarray:
    """Reads a picture file.

    Grey, palette, CMYK and 16-bit pictures become 8-bit RGB, what is transparent becomes white,
    and a photograph that was taken sideways is turned upright. Of an animation, the first frame is
    read.

    Args:
        path: PNG, JPEG, PPM, BMP, GIF, TIFF or WebP, up to 100 million pixels, at most 100 times as
            long as wide.

    Returns:
        RGB uint8 (h, w, 3).

    Raises:
        LabError: it is missing, no picture, cut short or too large.
    """
    with untrusted.opened(path, EXPECTED, "give a whole picture") as file:
        return _decoded(file)


def decode(file: BinaryIO, name: str) -> np.ndarray:
    """Reads a picture from an open file; see `read`.

    Args:
        file: opened for reading, at its beginning.
        name: what to call it in messages.
    """
    with untrusted.reading(name, EXPECTED, "give a whole picture"):
        return _decoded(file)


def _decoded(file: BinaryIO) -> np.ndarray:
    content = file.read(MOST_BYTES + 1)
    if not content:
        raise Broken("an empty file")
    if len(content) > MOST_BYTES:
        raise Broken(f"a file of more than {files.human_size(MOST_BYTES)}")
    if any(content.count(part) > most for part, most in MOST_PARTS.items()):
        raise Broken("a picture with more about it than there is to say")
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        _judge_tiff(content)
    file = _Header(content)
    try:
        image = parse(Image.open, file, formats=FORMATS)
    except Broken as broken:
        if isinstance(broken.__cause__, UnidentifiedImageError):
            raise Broken("something else") from None
        if isinstance(broken.__cause__, Image.DecompressionBombError):
            raise Broken(f"one of far more than {MOST_PIXELS:,} pixels") from None
        raise
    file.left = sys.maxsize
    with image:
        _judge(image, content)
        parse(ImageOps.exif_transpose, image, in_place=True)
        return parse(_rgb, image)


def _judge(image: Image.Image, content: bytes) -> None:
    """Judges a picture by its header, before it is decoded."""
    pixels, (short, long) = image.width * image.height, sorted(image.size)
    size = f"one of {image.width}x{image.height} pixels"
    if pixels > MOST_PIXELS:
        raise Broken(f"{size}, where at most {MOST_PIXELS:,} are read")
    if not pixels or long > MOST_OBLONG * short:
        raise Broken(f"{size}, where at most {MOST_OBLONG} times as long as wide is read")
    if pixels > MOST_PACKED * len(content):
        raise Broken(f"{size} in {files.human_size(len(content))}")
    decoders = [tile[0] for tile in getattr(image, "tile", []) if tile[0] not in DECODERS]
    if decoders:
        raise Broken(f"a picture packed in a way that is not read here ({decoders[0]})")
    if content[:4] == b"\x89PNG" and content[24] == 16 and pixels > MOST_DEEP:
        raise Broken(f"{size} of 16 bits, where at most {MOST_DEEP:,} are read")
    jpeg_in_tiff = image.format == "TIFF" and "jpeg" in str(image.info.get("compression"))
    if jpeg_in_tiff and PROGRESSIVE in content:
        raise Broken("a TIFF of progressive JPEGs")
    scans = content.count(SCAN) if image.format in ("JPEG", "MPO") else 1
    if scans > MOST_SCANS or scans * pixels > MOST_SCANNED:
        raise Broken(f"{size} in {scans} scans, where about ten are usual")


def _judge_tiff(content: bytes) -> None:
    """Judges how many strips or tiles a TIFF's first picture has; Pillow makes a tuple of each."""
    order, big = "<" if content[:1] == b"I" else ">", b"+" in content[2:4]
    start, count, entry = ("Q", "Q", "HHQ") if big else ("L", "H", "HHL")
    try:
        (place,) = struct.unpack_from(order + start, content, 8 if big else 4)
        (entries,) = struct.unpack_from(order + count, content, place)
        place += struct.calcsize(order + count)
        for _ in range(min(entries, MOST_READS)):
            tag, _, length = struct.unpack_from(order + entry, content, place)
            if tag in (273, 324) and length > MOST_STRIPS:
                raise Broken(f"a TIFF of more than {MOST_STRIPS:,} strips")
            place += 20 if big else 12
    except (struct.error, OverflowError):  # cut short, as Pillow will say, or a place past 2^63
        return


def _rgb(image: Image.Image) -> np.ndarray:
    """RGB uint8 (h, w, 3), made in strips: a picture of 100 million pixels has 400 MB already."""
    width, height = image.size
    result = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        result[top : top + rows] = _strip(strip)
    return result


def _strip(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        grey = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > 65535:
            raise Broken("pixels of more than 16 bits")
        return ((grey + 128) // 257)[..., None]  # 65535 / 257 = 255
    if image.mode == "F":
        raise Broken("pixels that are floating-point numbers of no known range")
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):  # most alpha channels are opaque
            # The same pixels as `Image.alpha_composite` on white, in half the time.
            page = Image.new("RGB", image.size, "white")
            page.paste(image, mask=image)
            return np.asarray(page)
    return np.asarray(image.convert("RGB"))


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Writes a picture, uint8 (h, w, 3) or (h, w), as PNG; the file is whole or not there."""
    import imageio.v3 as iio

    with files.atomic(Path(path)) as temporary:
        iio.imwrite(temporary, picture, plugin="pillow", extension=".png")

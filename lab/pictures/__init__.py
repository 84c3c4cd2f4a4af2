"""Pictures: any file -> RGB as a person sees it -> what the network takes.

reading    PNG, JPEG, PPM, BMP, GIF, TIFF, WebP -> RGB; writing PNG
resizing   the rules for resizing pictures
crops      how a picture becomes one of the size that is classified
"""

from lab.pictures.crops import CROPS, PHOTOGRAPH, SIGN, SIZE, Crop, photograph, squeeze, to_sign
from lab.pictures.reading import SUFFIXES, decode, other_kinds, read, write_png
from lab.pictures.resizing import Rule, corner, half_pixel, resize, resize_crop, to_uint8

__all__ = [
    "CROPS", "PHOTOGRAPH", "SIGN", "SIZE", "SUFFIXES", "Crop", "Rule", "corner", "decode",
    "half_pixel", "other_kinds", "photograph", "read", "resize", "resize_crop", "squeeze",
    "to_sign", "to_uint8", "write_png",
]  # fmt: skip

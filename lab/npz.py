"""NumPy's .npy and .npz without NumPy's readers, which evaluate a header as a Python expression.

Of the formats only what arrays of numbers take is read, and text in an array of one item, as
which this lab keeps JSON.
"""

import io
import re
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from lab import untrusted, zips
from lab.files import human_size
from lab.untrusted import MOST_JSON, Broken, array_size, parse

MAGIC = b"\x93NUMPY"
MOST_DIRECTORY = 2**16  # bytes of a zip's directory: 600 arrays
# As NumPy writes it, under Python 2 with an L behind long numbers.
HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[a-zA-Z]\d{0,7})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}L?, ?)*(?:\d{1,18}L?)?)\),? ?\} *\n?"
)
NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
TEXT = {"<U": "utf-32-le", ">U": "utf-32-be"}


class Header(NamedTuple):
    """What an .npy declares: shape, whether in Fortran order, and a type such as <f4."""

    shape: tuple[int, ...]
    fortran: bool
    kind: str


def header(file: BinaryIO) -> Header:
    """Reads the header of an .npy.

    Raises:
        Broken: it is none, or one that arrays of numbers do not need.
    """
    start = file.read(10)
    if start[:8] != MAGIC + b"\x01\x00":
        raise Broken(f"an .npy in a format that is not read here; it starts with {start[:8]!r}")
    found = HEADER.fullmatch(file.read(int.from_bytes(start[8:], "little")))
    if not found:
        raise Broken("an .npy whose header is damaged")
    kind, fortran, shape = (group.decode() for group in found.groups())
    lengths = tuple(int(length.rstrip("L")) for length in shape.replace(",", " ").split())
    return Header(lengths, fortran == "True", kind)


def array(data: bytes | bytearray) -> np.ndarray | str:
    """What a whole .npy holds: numbers, on its bytes and not copied, or one text.

    Raises:
        Broken: it is damaged, or holds anything else.
    """
    file = io.BytesIO(data[: len(MAGIC) + 4 + 2**16])  # a header is no longer
    declared = header(file)
    start = file.tell()
    room = len(data) - start
    wrong = f"an array of {declared.kind} {declared.shape} in {room} bytes"
    if declared.kind[:2] in TEXT:
        if declared.shape != () or room != 4 * int(declared.kind[2:] or 0) or room > 4 * MOST_JSON:
            raise Broken(wrong)
        return parse(data[start:].decode, TEXT[declared.kind[:2]]).rstrip("\0")
    if not NUMBERS.fullmatch(declared.kind):
        raise Broken(f"an array of {declared.kind}, where only numbers are read")
    dtype = np.dtype(declared.kind)
    if array_size(declared.shape, dtype, len(data)) != room:
        raise Broken(wrong)
    order: Any = "F" if declared.fortran else "C"
    return np.ndarray(declared.shape, dtype, data, start, order=order)


def read(
    file: BinaryIO, most_bytes: int, described: str, methods: Sequence[int] = tuple(zips.METHODS)
) -> tuple[dict[str, np.ndarray], dict[str, Any] | None]:
    """Reads a whole .npz.

    Args:
        file: the open file.
        most_bytes: that all arrays together may have.
        described: name of the only text, a JSON object.
        methods: of compression that are read; what this lab writes is stored.

    Returns:
        Name, without .npy -> array of numbers; and the JSON object, or None where there is none.

    Raises:
        Broken: it is damaged, or holds anything else.
    """
    with zips.opened(file, most_bytes, MOST_DIRECTORY, methods) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        if size > most_bytes:
            raise Broken(f"an .npz that unpacks to {human_size(size)}")
        entries = {
            member.filename.removesuffix(".npy"): array(zips.content(archive, member))
            for member in members
        }
    text = entries.pop(described, None)
    numbers = {name: entry for name, entry in entries.items() if isinstance(entry, np.ndarray)}
    if len(numbers) < len(entries) or isinstance(text, np.ndarray):
        raise Broken(f"an .npz whose text is not in {described}, or something else is")
    return numbers, None if text is None else untrusted.json_object(text)

"""Zip files: only what is stored or deflated, and never more of it than was declared and allowed.

zipfile itself unpacks bz2 and LZMA beyond the size that a member declares, makes an object of each
entry of a directory of any size, and raises ten types of errors.
"""

import struct
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

from lab.files import human_size
from lab.untrusted import Broken, parse

METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
MOST_SHRUNK = 1032  # bytes that deflate makes of one
ENCRYPTED = 0x1 | 0x40 | 0x2000  # flag bits
END, LOCATOR = b"PK\x05\x06", b"PK\x06\x07"  # of the directory; of the end of a larger one
PIECE = 2**20  # bytes that are unpacked at a time
END_SIZE, MOST_COMMENT = 22, 2**16


def opened(
    file: BinaryIO,
    most_bytes: int,
    most_directory: int,
    methods: Sequence[int] = tuple(METHODS),
) -> zipfile.ZipFile:
    """Opens a zip and judges all its members; none is unpacked.

    Args:
        file: the open file.
        most_bytes: that a member may have, unpacked.
        most_directory: bytes of the zip's directory; an entry takes 100, in memory 700.
        methods: of compression.

    Raises:
        Broken: it is damaged, or has members that are not read here.
    """
    size = file.seek(0, 2)
    if _directory(file, size) > most_directory:
        raise Broken("a zip with too many members")
    archive = parse(zipfile.ZipFile, file)
    names, packed = set(), 0
    for member in archive.infolist():
        name = member.filename
        if not name or name.startswith("/") or ".." in name.replace("\\", "/").split("/"):
            raise Broken(f"a zip with {name[:80]!r}, which lies outside of it")
        if "//" in name:  # `posixpath` takes it for another name
            raise Broken(f"a zip with {name[:80]!r}, in a folder without a name")
        if name in names:
            raise Broken(f"a zip with two members named {name[:80]!r}")
        if member.flag_bits & ENCRYPTED:
            raise Broken("a zip that is encrypted")
        if member.compress_type not in methods:
            known = " or ".join(METHODS[method] for method in methods)
            raise Broken(f"a zip with {name[:80]!r} in another form than {known}")
        if member.file_size > min(most_bytes, MOST_SHRUNK * (member.compress_size + 1)):
            raise Broken(f"a zip that claims {human_size(member.file_size)} for {name[:80]!r}")
        names.add(name)
        packed += member.compress_size
    if packed > size:
        raise Broken("a zip whose members overlap")
    return archive


def content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytearray:
    """Unpacks a member of a zip that `opened` has judged.

    Raises:
        Broken: it is damaged, or holds more or less than it declares.
    """
    data, have = bytearray(member.file_size), 0  # in pieces: zlib joins what it unpacks at once
    with parse(archive.open, member) as file:
        while piece := parse(file.read, min(PIECE, member.file_size + 1 - have)):
            if have + len(piece) > member.file_size:
                raise Broken(f"a zip that is damaged in {member.filename[:80]!r}")
            data[have : have + len(piece)] = piece
            have += len(piece)
    if have != member.file_size:
        raise Broken(f"a zip that is damaged in {member.filename[:80]!r}")
    return data


def _directory(file: BinaryIO, size: int) -> int:
    """Bytes of the directory, found where zipfile finds them."""
    file.seek(max(0, size - MOST_COMMENT - END_SIZE))
    tail = file.read()
    end = len(tail) - END_SIZE
    if end < 0 or tail[end : end + 4] != END or tail[-2:] != b"\0\0":
        end = tail.rfind(END)
    if end < 0 or len(tail) < end + END_SIZE:
        raise Broken("a zip that is cut short or none")
    if tail[max(0, end - 20) : end].startswith(LOCATOR):
        raise Broken("a zip of more than 4 GB or 65,535 members")
    return struct.unpack_from("<L", tail, end + 12)[0]

"""A simple mutator of files, which knows that zips have members, text a length, and a PNG sums."""

import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from seeds import saved, zipped

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
TOKENS = [b"-1", b"0", b"99999999999", b"1e999", b"NaN", b"[]", b"{}", b'""', b"null", b"true"]
TOKENS += [b"[" * 30 + b"]" * 30]  # nested too deep
VALUE = re.compile(rb'(?<=": )[^,}\]]+')  # of JSON
TOKENS += [struct.pack("<I", n) for n in (0, 2**31 - 1, 2**31, 2**32 - 1)] + [b"U0", b"|O", b"\0"]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A file with a few changes; of a zip also of its members, of a PNG with right sums."""
    kind = chance.random()
    if content.startswith(b"PK") and kind < 0.7:
        return within_zip(content, lambda member: changed(member, chance), chance)
    result = changed(content, chance)
    return with_sums(result) if content.startswith(b"\x89PNG") and kind < 0.7 else result


def changed(content: bytes, chance: random.Random) -> bytes:
    """Bytes with one to four changes."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 4, 16, 64))
        match chance.randrange(6):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(data):
                data[place] = chance.choice(INTERESTING)
            case 2:
                data[place:place] = chance.choice(TOKENS)
            case 3:
                token = chance.choice(TOKENS)
                data[place : place + len(token)] = token
            case 4 if values := list(VALUE.finditer(data)):
                start, end = chance.choice(values).span()
                data[start:end] = chance.choice(TOKENS)
            case 4:
                del data[place : place + length]
            case _:
                other = chance.randrange(len(data) + 1)
                data[place:place] = data[other : other + length]
    return bytes(data)


def within_zip(content: bytes, change: Callable[[bytes], bytes], chance: random.Random) -> bytes:
    """The zip with one of its members, or a name, changed; what is no zip any more stays."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = [info for info in archive.infolist() if info.file_size < 2**20]
            members = {info.filename: archive.read(info) for info in infos}
            method = infos[0].compress_type
        name = chance.choice(list(members))
        if chance.random() < 0.1:
            members[change(name.encode()).decode("latin1")] = members.pop(name)
        else:
            members[name] = within_text(members[name], change)
        return zipped(members, method if method in (0, 8) else 0)
    except Exception:  # of any type
        return content


def within_text(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """An .npy changed; if it holds text, the text, of the length that its header then says."""
    if b"'<U" not in content[:40]:
        return change(content)
    text = content[128:].decode("utf-32-le").encode()
    return saved(np.save, np.array(change(text).decode("utf-8", "replace")))


def with_sums(content: bytes) -> bytes:
    """A PNG whose parts have the right sums again."""
    result, position = bytearray(content), 8
    while position + 12 <= len(result):
        (length,) = struct.unpack_from(">I", result, position)
        end = position + 8 + length
        if end + 4 > len(result):
            break
        struct.pack_into(">I", result, end, zlib.crc32(result[position + 4 : end]))
        position = end + 4
    return bytes(result)

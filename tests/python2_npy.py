"""Writes weights byte for byte as NumPy under Python 2 saved bvlc-alexnet.npy, for the tests.

`np.save` of a dict went through cPickle, protocol 2. What a Python 3 pickler writes differs: array
data as `bytes`, which Python 2 does not have, other opcodes, other module names. The opcodes below
are those of the genuine file, read with `pickletools.dis`.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"


def write(path: str | Path, layers: Mapping[str, Sequence[np.ndarray]]) -> Path:
    """Writes layers, name -> [kernel, bias] of float32, and gives the path back."""
    with open(path, "wb") as file:
        file.writelines(pieces(layers))
    return Path(path)


def pieces(layers: Mapping[str, Sequence[np.ndarray]]) -> Iterator[bytes]:
    """The file's bytes in pieces; an array's data is only made when its piece is asked for."""
    yield b"\x93NUMPY\x01\x00" + struct.pack("<H", 70) + HEADER.ljust(69) + b"\n"
    yield b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02"
    yield b"K\x00\x85U\x01b\x87Rq\x03(K\x01)cnumpy\ndtype\nq\x04U\x02O8K\x00K\x01\x87Rq\x05"
    yield b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]q\x06}q\x07("
    memo, dtype = 8, None
    for name, arrays in layers.items():
        yield b"X" + struct.pack("<I", len(name)) + name.encode() + _put(memo)
        yield b"]" + _put(memo + 1) + b"("
        memo += 2
        for array in arrays:
            yield b"h\x01h\x02K\x00\x85U\x01b\x87R" + _put(memo) + b"(K\x01" + _shape(array.shape)
            memo += 1
            if dtype is None:  # later arrays refer to the first one's
                dtype = memo
                yield b"h\x04U\x02f4K\x00K\x01\x87R" + _put(dtype)
                yield b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
                memo += 1
            else:
                yield b"h" + bytes([dtype])
            yield b"\x89" + (b"T" if array.nbytes > 255 else b"U")
            yield struct.pack("<I" if array.nbytes > 255 else "<B", array.nbytes)
            yield array.astype("<f4").tobytes() + b"tb"
        yield b"e"
    yield b"uatb."


def _put(index: int) -> bytes:
    return b"q" + bytes([index])


def _shape(shape: tuple[int, ...]) -> bytes:
    sizes = [b"K" + bytes([n]) if n < 256 else b"M" + struct.pack("<H", n) for n in shape]
    if len(sizes) > 3:
        return b"(" + b"".join(sizes) + b"t"
    return b"".join(sizes) + {1: b"\x85", 2: b"\x86", 3: b"\x87"}[len(sizes)]

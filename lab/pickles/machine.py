"""The machine that runs a pickle: a stack, marks on it, and a memory for short things."""

import codecs
import pickletools
import re
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from lab import untrusted
from lab.pickles import arrays
from lab.pickles.arrays import DAMAGED, SHORT
from lab.untrusted import Broken, parse

MOST_STEPS = 800_000  # opcodes; 39,209 rows of lists take 600,000
MOST_KEYS = 1000  # of a dict: 60,000 numbers of one hash would take half a minute
LONG_LINE = 40  # digits of a number in text
BEYOND_LATIN = re.compile(rb"[\xc4-\xff]|\\U|\\u(?!00)")  # in UTF-8, or escaped


def read(file: BinaryIO) -> Any:
    """Reads a pickle from where the file stands.

    Returns:
        dict, list, tuple, str, bytes, int, float, bool, None and NumPy arrays of numbers, nested.
        Arrays share the memory that the file was read into and are read-only. A 0-d array of
        objects is given as its object. Dict keys that Python 2 wrote as `str` are str.

    Raises:
        Broken: it is empty, cut short, no pickle, or asks for more.
    """
    return _Machine(file).run()


class _Machine:
    """The stack, the marks on it, and what is kept to be used again."""

    def __init__(self, file: BinaryIO):
        start = file.tell()
        self._file, self._left = file, file.seek(0, 2) - start
        if not self._left:
            raise Broken("an empty file")
        file.seek(start)
        self._size = self._left
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(MOST_STEPS):
            code = self.take(1)
            if code in VALUES:
                self.stack.append(VALUES[code](self))
            elif code in ACTIONS:
                ACTIONS[code](self)
            elif code == b".":
                return self._finished(self.pop())
            else:
                raise Broken(f"a pickle with {_opcode(code)}, which such data has no use for")
        raise Broken(f"a pickle of more than {MOST_STEPS:,} steps, which such data does not take")

    def _finished(self, result: Any) -> Any:
        parts = arrays.Name | arrays.Dtype | arrays.Empty
        if any(isinstance(leaf, parts) for leaf in untrusted.leaves(result)):
            raise Broken("a pickle that leaves an array unfinished")
        return result

    def take(self, count: int) -> bytes:
        if count > self._left:
            raise Broken(DAMAGED)
        self._left -= count
        return self._file.read(count)

    def number(self, count: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "little", signed=signed)

    def long(self) -> int:
        count = self.number(1)
        if count > 9:
            raise Broken("a pickle with a number of more than 64 bits")
        return self.number(count, signed=True)

    def counted(self, digits: int) -> bytes:
        return self.take(self.number(digits))

    def text(self, digits: int) -> str:
        return _decoded(self.counted(digits), "utf-8")

    def line(self) -> bytes:
        line = self._file.readline()
        self._left -= len(line)
        if not line.endswith(b"\n"):
            raise Broken(DAMAGED)
        return line[:-1]

    def digits(self, kind: Callable[[bytes], Any]) -> Any:
        line = self.line()
        if len(line) > LONG_LINE:
            raise Broken("a pickle with a number of too many digits")
        return parse(kind, line.removesuffix(b"L"))

    def quoted(self) -> bytes:
        line = self.line().strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise Broken(DAMAGED)
        return parse(codecs.escape_decode, line[1:-1])[0]

    def pop(self) -> Any:
        if len(self.stack) <= (self._marks[-1] if self._marks else 0):
            raise Broken(DAMAGED)
        return self.stack.pop()

    def mark(self) -> None:
        self._marks.append(len(self.stack))

    def marked(self) -> list[Any]:
        """Takes all that lies above the last mark."""
        if not self._marks:
            raise Broken(DAMAGED)
        mark = self._marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def last(self, count: int) -> tuple[Any, ...]:
        return tuple([self.pop() for _ in range(count)][::-1])

    def put(self, index: int) -> None:
        value = self.pop()
        self.stack.append(value)
        short = isinstance(value, str | bytes) and len(value) <= SHORT
        self._memo[index] = (
            value if short or isinstance(value, arrays.Name | arrays.Dtype) else arrays.Empty
        )

    def memoize(self) -> None:
        self.put(len(self._memo))

    def get(self, index: int) -> Any:
        value = self._memo.get(index)
        if value is arrays.Empty:
            raise Broken("a pickle that holds one object in two places, which is not read here")
        if value is None:
            raise Broken(DAMAGED)
        return value

    def target(self, kind: type) -> Any:
        container = self.pop()
        if type(container) is not kind:
            raise Broken(DAMAGED)
        self.stack.append(container)
        return container

    def extend(self, items: list[Any]) -> None:
        self.target(list).extend(items)

    def update(self, items: list[Any]) -> None:
        container = self.target(dict)
        if len(items) % 2 or len(container) + len(items) // 2 > MOST_KEYS:
            raise Broken(f"a pickle with a dict of more than {MOST_KEYS:,} keys, or half of one")
        for key, value in zip(items[::2], items[1::2], strict=True):
            name = key.decode("latin1") if isinstance(key, bytes) else key
            if type(name) not in (str, int) or (isinstance(name, str) and len(name) > SHORT):
                raise Broken("a pickle whose keys are no short names")
            container[name] = value

    def collect(self, kind: type) -> None:
        """A list or a dict of protocol 0, out of all above the mark."""
        items = self.marked()
        self.stack.append(kind())
        (self.extend if kind is list else self.update)(items)

    def stack_name(self) -> None:
        self.stack.append(arrays.name(*self.last(2)))

    def reduce(self) -> None:
        function, arguments = self.last(2)
        self.stack.append(arrays.called(function, arguments, self._size))

    def build(self) -> None:
        target, state = self.last(2)
        self.stack.append(arrays.completed(target, state, self._size))


def _decoded(raw: bytes, encoding: str) -> str:
    """Text; a long one holds an array's data, where a character beyond a byte would widen all."""
    if len(raw) > 2**16 and BEYOND_LATIN.search(raw):
        raise Broken("a pickle with a long text")
    return parse(raw.decode, encoding)


def _opcode(code: bytes) -> str:
    names = [opcode.name for opcode in pickletools.opcodes if opcode.code == code.decode("latin1")]
    return f"the opcode {names[0]}" if names else f"an unknown opcode ({code!r})"


# Opcodes that put a value on the stack.
VALUES: dict[bytes, Callable[[_Machine], Any]] = {
    b"N": lambda m: None,
    b"\x88": lambda m: True,
    b"\x89": lambda m: False,
    b"K": lambda m: m.number(1),
    b"M": lambda m: m.number(2),
    b"J": lambda m: m.number(4, signed=True),
    b"\x8a": lambda m: m.long(),
    b"I": lambda m: m.digits(int),  # True and False, too: 01 and 00
    b"L": lambda m: m.digits(int),
    b"F": lambda m: m.digits(float),
    b"G": lambda m: struct.unpack(">d", m.take(8))[0],
    b"S": lambda m: m.quoted(),
    b"U": lambda m: m.counted(1),  # Python 2's str, and bytes
    b"T": lambda m: m.counted(4),
    b"C": lambda m: m.counted(1),
    b"B": lambda m: m.counted(4),
    b"\x8e": lambda m: m.counted(8),
    b"\x96": lambda m: m.counted(8),
    b"V": lambda m: _decoded(m.line(), "raw-unicode-escape"),
    b"X": lambda m: m.text(4),
    b"\x8c": lambda m: m.text(1),
    b")": lambda m: (),
    b"]": lambda m: [],
    b"}": lambda m: {},
    b"t": lambda m: tuple(m.marked()),
    b"\x85": lambda m: m.last(1),
    b"\x86": lambda m: m.last(2),
    b"\x87": lambda m: m.last(3),
    b"g": lambda m: m.get(m.digits(int)),
    b"h": lambda m: m.get(m.number(1)),
    b"j": lambda m: m.get(m.number(4)),
    b"c": lambda m: arrays.name(*(_decoded(m.line(), "latin1") for _ in range(2))),
}
# Opcodes that change what lies there.
ACTIONS: dict[bytes, Callable[[_Machine], Any]] = {
    b"\x80": lambda m: m.take(1),  # the protocol
    b"\x95": lambda m: m.take(8),  # a frame's length
    b"(": lambda m: m.mark(),
    b"a": lambda m: m.extend([m.pop()]),
    b"e": lambda m: m.extend(m.marked()),
    b"s": lambda m: m.update(list(m.last(2))),
    b"u": lambda m: m.update(m.marked()),
    b"l": lambda m: m.collect(list),
    b"d": lambda m: m.collect(dict),
    b"p": lambda m: m.put(m.digits(int)),
    b"q": lambda m: m.put(m.number(1)),
    b"r": lambda m: m.put(m.number(4)),
    b"\x94": lambda m: m.memoize(),
    b"\x93": lambda m: m.stack_name(),
    b"R": lambda m: m.reduce(),
    b"b": lambda m: m.build(),
}

"""The metadata of a GGUF file, read without the model's weights.

The layout is that of GGUF versions 2 and 3, little-endian: magic, version, the number of tensors,
the number of entries, and then each entry as key, type and value.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

MAGIC = b"GGUF"

_VERSIONS = (2, 3)
_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _ARRAY = 8, 9


class DamagedGguf(ValueError):
    """The file is not a GGUF file, or cannot be read."""


def read_metadata(path: Path) -> dict[str, Any]:
    """Every entry of the file, arrays as lists; bytes that are not UTF-8 as surrogates.

    Raises:
        DamagedGguf: the file is of another kind or version, or ends early.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DamagedGguf("is no GGUF file")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data).metadata()


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = len(MAGIC)

    def metadata(self) -> dict[str, Any]:
        version = self._number("I")
        if version not in _VERSIONS:
            raise DamagedGguf(f"has GGUF version {version}, and only 2 and 3 can be read")
        _tensors, entries = self._number("Q"), self._number("Q")
        return {self._text(): self._value(self._number("I")) for _ in range(entries)}

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind == _ARRAY:
            return self._array(self._number("I"), self._number("Q"))
        return self._number(self._form(kind))

    def _array(self, kind: int, length: int) -> list[Any]:
        if kind == _TEXT:
            return [self._text() for _ in range(length)]
        form = self._form(kind)
        size = struct.calcsize(form) * length
        return [number for (number,) in struct.iter_unpack(f"<{form}", self._take(size))]

    def _form(self, kind: int) -> str:
        if kind not in _NUMBERS:
            raise DamagedGguf(f"is damaged: there is no value of type {kind}")
        return _NUMBERS[kind]

    def _number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self._take(struct.calcsize(form)))[0]

    def _text(self) -> str:
        return self._take(self._number("Q")).decode("utf-8", "surrogateescape")

    def _take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise DamagedGguf("is damaged: it ends within its metadata")
        return self._data[start : self._at]

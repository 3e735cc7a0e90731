"""Fast reading of server-sent events from a byte stream."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

BOM = b"\xef\xbb\xbf"
LAST = b"\n\n"
"""Fed at the end of a stream, as its last event may lack its line ends."""

_SAY_NOTHING = (b":", b"event:", b"id:", b"retry:")
_NAMES = (b"data:", b"event:", b"id:", b"retry:")


class Unframed(bytes):
    """Lines outside any event field: an error's body, a page, or a piece of a token."""


class EventLines:
    """Bytes in, the data of events out.

    Lines end with LF, CR or both. The ``data:`` lines of one event are joined, unless the lines so
    far are whole JSON already: some servers leave out the blank line between events. Comments
    (which keep a connection alive), other fields and empty data are skipped. All other lines are
    returned as :class:`Unframed`. Chunks may end anywhere, even inside a line or a character.
    """

    __slots__ = ("_begun", "_data", "_rest", "_skips", "_strays")

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._skips = False
        self._data: list[bytes] = []
        self._strays: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that ``data`` completes."""
        if self._skips and data:
            data = data.removeprefix(b"\n")
            self._skips = False
        if b"\r" in data:
            self._skips = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._rest:
            data = self._rest + data
        *lines, self._rest = data.split(b"\n")
        if lines and not self._begun:
            lines[0] = lines[0].removeprefix(BOM)
            self._begun = True
        for line in lines:
            if line.startswith(b"data:"):
                if self._data and _is_whole(self._data):
                    yield from self._event()
                self._data.append(line[5:])
            elif not line:
                yield from self._event()
            elif not line.startswith(_SAY_NOTHING) and not _is_bare(line):
                self._strays.append(line)

    def _event(self) -> Iterator[bytes]:
        if self._data:
            lines, self._data = self._data, []
            if payload := b"\n".join(lines).strip():
                yield payload
        if self._strays:
            strays, self._strays = self._strays, []
            if payload := b"\n".join(strays).strip():
                yield Unframed(payload)


def _is_bare(line: bytes) -> bool:
    """Whether a field has no value, or the stream broke off within its name."""
    return any(name.startswith(line) for name in _NAMES)


def _is_whole(lines: list[bytes]) -> bool:
    try:
        msgspec.json.decode(b"\n".join(lines), type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return b"\n".join(lines).strip() == b"[DONE]"
    return True

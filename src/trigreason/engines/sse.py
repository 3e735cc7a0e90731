"""Server-sent events out of a byte stream, as fast as Python reads them."""

from __future__ import annotations

from collections.abc import Iterator

_SAY_NOTHING = (b":", b"event:", b"id:", b"retry:")


class EventLines:
    """Bytes in, ``data:`` payloads out.

    Left out are comments, which keep a connection alive, the other fields that there are, and
    empty ones. A line that is none of these is given out as it is, for its reader to refuse: it
    may have been a token. Chunks may end anywhere, also inside a line or a character.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that ``data`` completes."""
        if self._rest:
            data = self._rest + data
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                if payload := line[5:].strip():
                    yield payload
            elif not line.startswith(_SAY_NOTHING) and (stray := line.strip()):
                yield stray

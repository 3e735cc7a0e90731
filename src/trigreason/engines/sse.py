"""Server-sent events out of a byte stream, as fast as Python reads them."""

from __future__ import annotations

from collections.abc import Iterator


class EventLines:
    """Bytes in, ``data:`` payloads out; all else is left out.

    That is comments, which keep a connection alive, event names, and blank or empty lines.
    Chunks may end anywhere, also inside a line or a character.
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
            if line.startswith(b"data:") and (payload := line[5:].strip()):
                yield payload

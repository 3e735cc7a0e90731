"""uvicorn's connections, with the bounds that uvicorn leaves to a reverse proxy.

A connection is closed if a request's head is late or too large, or if a body still arrives
``REST_SECONDS`` after its request was answered.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
"""From the opening of a connection, or a head's first byte, to the head's end."""

HEAD_BYTES = 64 * 2**10

REST_SECONDS = 10.0
"""For the rest of a body whose request has already been answered."""


class BoundedConnection(HttpToolsProtocol):
    """A connection whose heads are bounded in bytes and in time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._head_bytes = 0
        self._in_head = True
        self._in_body = False
        self._late: asyncio.TimerHandle | None = None
        self._close_in(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._close_in(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        self._in_time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body:
            self._close_in(REST_SECONDS)

    def _close_in(self, seconds: float) -> None:
        self._in_time()
        self._late = self.loop.call_later(seconds, self._close)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

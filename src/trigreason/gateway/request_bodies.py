"""Request bodies: read once the client is authenticated, parsed off the event loop.

key    checked from the headers, before a byte of the body is read
bytes  a large body waits until the source's previous one has been read and until it fits into
       ``ROOM``; meanwhile the client's connection is not read from
time   at most ``PATIENCE``, and a second more for every ``SLOWEST`` bytes
JSON   its values are counted before it is parsed, because a few bytes each make large objects;
       parsed in a single thread, so that at most one body at a time holds the interpreter
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from email.message import Message
from typing import Any
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request

from trigreason.gateway.admission import Admission
from trigreason.gateway.errors import ApiError, invalid

SMALL = 64 * 2**10
"""A body of at most so many bytes does not wait; a connection buffers as many unread."""

ROOM = 16 * 2**20
"""Bytes of larger bodies that are read at a time; more if a single body may be larger."""

PATIENCE = 20.0
"""Seconds."""

SLOWEST = 64 * 2**10
"""Bytes per second."""

VALUES = 20_000
"""JSON values that a body may hold; more if the configuration allows many messages."""

VALUES_PER_MESSAGE = 20

VALUES_PER_TRACE = 250_000
"""JSON values of a body that holds a recorded run: a few for each token."""


class Bodies:
    """Reads and parses the bodies of one gateway; ``largest`` is in bytes."""

    def __init__(self, largest: int, messages: int) -> None:
        self._largest = largest
        self._messages = messages
        self._values = max(VALUES, VALUES_PER_MESSAGE * messages)
        self._room = Admission(max(ROOM, largest), 2**62)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._parser = ThreadPoolExecutor(1, "bodies")

    async def value(self, request: Request, source: str, most: int = 0) -> Any:
        """A request's body, parsed; it may hold ``most`` values if that is more than usual.

        Raises:
            ApiError: it is not JSON, holds too much, or does not arrive in time.
        """
        if not _is_json(request.headers.get("content-type", "")):
            raise _no_json()
        async with self._place(source, self._size(request)):
            data = await self._read(request)
            loop = asyncio.get_running_loop()
            parsed = loop.run_in_executor(self._parser, self.parsed, data, most)
            del data
            return await parsed

    def parsed(self, data: bytes, most: int = 0) -> Any:
        """Parse a body. Raises ApiError if it is not a JSON object, or holds too much."""
        most = max(most, self._values)
        if many := _values(data, most):
            raise invalid(f"The body holds {many}; at most {most:,} can be read.", "body")
        try:
            value = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise _no_json() from None
        if not isinstance(value, dict):
            raise _no_json()
        for name in ("messages", "input"):
            if isinstance(value.get(name), list) and len(value[name]) > self._messages:
                what = f"at most {self._messages} messages, not {len(value[name])}"
                raise invalid(what, name)
        for where, text in _texts(value):
            if not text.isascii() and _has_surrogate(text):
                what = "holds half a character (a lone surrogate)"
                raise invalid(f"{where[:200]}: {what}", where[:200])
        return value

    def close(self) -> None:
        self._parser.shutdown(wait=False, cancel_futures=True)

    def _size(self, request: Request) -> int:
        announced = request.headers.get("content-length", "")
        return min(int(announced), self._largest) if announced.isdigit() else self._largest

    @asynccontextmanager
    async def _place(self, source: str, size: int) -> AsyncIterator[None]:
        """Hold room for a body of ``size`` bytes."""
        if size <= SMALL:
            yield
            return
        turn = self._turns.setdefault(source, asyncio.Lock())
        async with turn, self._room.place(source, size):
            yield

    async def _read(self, request: Request) -> bytes:
        data = bytearray()
        try:
            async with asyncio.timeout(PATIENCE + self._size(request) / SLOWEST):
                async for chunk in request.stream():
                    data += chunk
        except ClientDisconnect:
            raise ApiError(400, "The client went away.", code="client_gone") from None
        except TimeoutError:
            raise ApiError(
                408, "The body did not come in time. Send it again.", code="body_timeout"
            ) from None
        return bytes(data)


def _is_json(content_type: str) -> bool:
    header = Message()
    header["content-type"] = content_type or "none"
    kind, sub = header.get_content_maintype(), header.get_content_subtype()
    return kind == "application" and (sub == "json" or sub.endswith("+json"))


def _no_json() -> ApiError:
    return invalid("The body must be a JSON object sent as application/json.", "body")


def _values(data: bytes, most: int) -> str | None:
    """What a JSON text has more of than ``most``, as words; None if it is within bounds.

    Outside of strings, every value follows a comma or a bracket. Each step takes a few
    milliseconds for megabytes, whatever they hold.
    """
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = plain.count(b'"')
    if quotes > 2 * most:
        return f"{quotes // 2:,} texts"
    outside = b"".join(plain.split(b'"')[::2])
    values = outside.count(b",") + outside.count(b"[") + outside.count(b"{")
    return f"{values:,} values" if values > most else None


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every string in a value, keys included, with its path."""
    rest: list[tuple[str, Any]] = [("", value)]
    while rest:
        where, part = rest.pop()
        if isinstance(part, str):
            yield where, part
        elif isinstance(part, list):
            rest += [(f"{where}[{index}]", item) for index, item in enumerate(part)]
        elif isinstance(part, dict):
            for key, item in part.items():
                name = _printable(key)
                rest.append((f"{where}.{name}" if where else name, item))
                if not key.isascii():
                    yield rest[-1][0], key


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _printable(key: str) -> str:
    return key.encode(errors="backslashreplace").decode()

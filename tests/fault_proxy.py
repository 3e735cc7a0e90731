"""A proxy between an engine and a server that lets things go wrong at a chosen byte.

HTTP is spoken by hand on the client's side: a library would mend what is to be broken here. Each
request takes the next fault of the plan, and after the plan's end all is well.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import aiohttp

How = Literal["reset", "close", "stall", "slow", "truncate", "garbage", "error"]
"""What happens to a stream; how it goes on after that is in ``Delivery``.

reset     the connection is torn (RST)
close     the connection is closed politely (FIN), with the answer unfinished
stall     nothing more comes, and the connection stays
slow      the next bytes come one at a time, and then all is well
truncate  the body ends as if that were all of it; HTTP sees nothing wrong
garbage   bytes of no meaning come in between
error     an event comes in between that reports an error, and the body ends
"""

GARBAGE = b"\x00\xff\xfe{"
ERROR_EVENT = b'\n\ndata: {"error":{"code":500,"message":"out of memory"}}\n\n'
SLOW_BYTES = 40
PASSED_ON = ("content-type", "authorization")
HTML = b"<!DOCTYPE html>\n<html><body><h1>It works!</h1>\n</body></html>\n"


@dataclass(frozen=True, slots=True)
class Break:
    """The stream breaks as soon as ``after`` bytes of it are delivered.

    They are bytes of the body, or with ``raw`` bytes on the wire, which are also those of the
    status line, the headers and the sizes of the chunks. Where the answer is shorter, nothing
    happens to it.
    """

    how: How
    after: int = 0
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Instead:
    """An answer in the place of the server's, which is not asked at all."""

    status: int
    body: bytes = b'{"error":{"message":"as told"}}'
    headers: Mapping[str, str] = field(default_factory=dict)


Fault = Break | Instead
Plan = Iterable[Fault | None]
"""The faults of the requests in the order of their arrival; None for a healthy one."""


class Ended(Exception):
    """No more of this answer is to be delivered."""


class Call(NamedTuple):
    """A client's request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(eq=False)
class FaultProxy:
    """Made by :func:`faulty`. ``url`` is up to and including ``/v1``.

    ``asked`` are the bodies of all requests, ``happened`` the faults that were reached. ``clients``
    are the connections open on the client's side, idle ones included; ``calls`` the requests that
    are being answered, and ``upstreams`` those of them that wait for the server or listen to it.
    """

    session: aiohttp.ClientSession
    upstream: str
    plan: Iterator[Fault | None]
    asked: list[bytes] = field(default_factory=list)
    happened: list[Fault] = field(default_factory=list)
    clients: int = 0
    calls: int = 0
    upstreams: int = 0
    url: str = ""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        return not (self.calls or self.upstreams)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, to its end."""
        assert isinstance(reader, Reader)
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.clients += 1
        reader.when_left = task.cancel
        writer.transport.set_write_buffer_limits(high=0)
        try:
            while True:
                await self._answer(await _read_call(reader), writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError, Ended):
            pass  # either side has left; a cancelled task would be reported by asyncio
        finally:
            writer.close()
            self.clients -= 1
            self.tasks.discard(task)

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> None:
        fault = next(self.plan, None)
        self.asked.append(call.body)
        self.calls += 1
        try:
            if isinstance(fault, Instead):
                self.happened.append(fault)
                await _tell(fault, writer)
            else:
                await self._pass_on(call, Delivery(writer, fault, self.happened))
        finally:
            self.calls -= 1

    async def _pass_on(self, call: Call, delivery: Delivery) -> None:
        self.upstreams += 1
        try:
            posting = self.session.post(
                self.upstream + call.path, data=call.body, headers=call.headers
            )
            async with posting as response:
                await delivery.begin(response.status, response.content_type)
                async for data in response.content.iter_any():
                    if not await delivery.body(data):
                        break
                await delivery.end()
        finally:
            self.upstreams -= 1


class Delivery:
    """An answer on its way to the client, in chunks, with the fault at its byte."""

    def __init__(
        self, writer: asyncio.StreamWriter, fault: Break | None, happened: list[Fault]
    ) -> None:
        self._writer = writer
        self._fault = fault
        self._happened = happened
        self._until_fault: float = fault.after if fault else math.inf
        self._slow_bytes = 0

    async def begin(self, status: int, content_type: str) -> None:
        await self._write(
            f"HTTP/1.1 {status} As Upstream\r\nContent-Type: {content_type}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    async def body(self, data: bytes) -> bool:
        """Deliver a part of the body; False where the body ends with it."""
        cut = self._reached(data, raw=False)
        if self._fault is None or cut is None:
            await self._chunk(data)
            return True
        await self._chunk(data[:cut])
        inserted, goes_on = await self._happen(self._fault)
        await self._chunk(inserted)
        if goes_on:
            await self._chunk(data[cut:])
        return goes_on

    async def end(self) -> None:
        await self._write(b"0\r\n\r\n")

    async def _chunk(self, data: bytes) -> None:
        if data:
            await self._write(b"%x\r\n%b\r\n" % (len(data), data))

    async def _write(self, data: bytes) -> None:
        cut = self._reached(data, raw=True)
        if self._fault is not None and cut is not None:
            await self._send(data[:cut])
            inserted, _ = await self._happen(self._fault)
            data = inserted + data[cut:]
        await self._send(data)

    def _reached(self, data: bytes, *, raw: bool) -> int | None:
        """After how many of these bytes the fault happens; None where it does not."""
        if self._fault is None or self._fault.raw is not raw:
            return None
        if len(data) < self._until_fault:
            self._until_fault -= len(data)
            return None
        return int(self._until_fault)

    async def _happen(self, fault: Break) -> tuple[bytes, bool]:
        """Let the fault happen: what it puts into the stream, and whether that then goes on."""
        self._until_fault = math.inf
        self._happened.append(fault)
        await _let_the_client_read()
        match fault.how:
            case "reset":
                _linger_not(self._writer)
                self._writer.transport.abort()
                raise Ended
            case "close":
                raise Ended
            case "stall":
                await asyncio.Event().wait()
            case "slow":
                self._slow_bytes = SLOW_BYTES
            case "truncate":
                return b"", False
            case "garbage":
                return GARBAGE, True
            case "error":
                return ERROR_EVENT, False
        return b"", True

    async def _send(self, data: bytes) -> None:
        slow = data[: self._slow_bytes]
        self._slow_bytes -= len(slow)
        for index in range(len(slow)):
            self._writer.write(slow[index : index + 1])
            await self._writer.drain()
            await _let_the_client_read()
        self._writer.write(data[len(slow) :])
        await self._writer.drain()


class Reader(asyncio.StreamReader):
    """Tells at once when the client has left, also while nothing is read from it."""

    when_left: Callable[[], object] = staticmethod(lambda: None)

    def feed_eof(self) -> None:
        super().feed_eof()
        self.when_left()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.when_left()


async def _read_call(reader: asyncio.StreamReader) -> Call:
    """The next request on a connection. Raises IncompleteReadError where there is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.rstrip().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers["content-length"]))
    kept = {name: value for name, value in headers.items() if name in PASSED_ON}
    return Call(request.split()[1], kept, body)


async def _tell(answer: Instead, writer: asyncio.StreamWriter) -> None:
    headers = {"Content-Length": str(len(answer.body)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} As Told\r\n{lines}\r\n".encode() + answer.body)
    await writer.drain()


async def _let_the_client_read() -> None:
    """The client lives in this loop: a few rounds, and it has read all that was sent.

    Without them a torn connection would also take from it what is not read yet.
    """
    for _ in range(5):
        await asyncio.sleep(0)


def _linger_not(writer: asyncio.StreamWriter) -> None:
    """Make the coming close a reset instead of a farewell."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def faulty(upstream: str, plan: Plan = ()) -> AsyncIterator[FaultProxy]:
    """A proxy to ``upstream``, a URL up to and including ``/v1``."""
    loop = asyncio.get_running_loop()
    root = upstream.removesuffix("/v1")
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        proxy = FaultProxy(session, root, iter(plan))
        server = await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(Reader(), proxy.serve, loop=loop), "127.0.0.1", 0
        )
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield proxy
        finally:
            server.close()
            left = list(proxy.tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left)

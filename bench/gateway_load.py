"""Clients of a chat completions endpoint, for ``bench.gateway``: raw sockets, nothing parsed.

    python -m bench.gateway_load http://127.0.0.1:8000/v1 MODEL open --rate 20 --seconds 9
    python -m bench.gateway_load http://127.0.0.1:8000/v1 MODEL streams --clients 64 --answers 4

prints one JSON object. ``open`` sends requests by the clock, whether or not others have been
answered, each on a connection that is open already, and tells for each the milliseconds to the
first byte of its body and to the first text in it. ``streams`` has clients ask again and again,
and tells how many answers came to their end in how many seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
from argparse import ArgumentParser
from collections import deque
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import uvloop

_FIRST_TEXT = re.compile(rb'"(?:reasoning_content|content)":\s*"[^"]')
_DONE = b"data: [DONE]"
_END_OF_BODY = b"0\r\n\r\n"
_TAIL = 64
SECONDS = 120.0
"""No answer takes longer."""


class Seen(NamedTuple):
    """One answer, in seconds from its request."""

    first_byte: float
    first_text: float


class Client:
    """A kept-alive connection."""

    def __init__(self, url: str, model: str, max_tokens: int | None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        body = json.dumps(
            {
                "model": model,
                "messages": [{"role": "user", "content": "Why is it so?"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            }
            | ({} if max_tokens is None else {"max_tokens": max_tokens})
        ).encode()
        head = (
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    @property
    def is_open(self) -> bool:
        """Whether the server has left it open; servers close those that idle."""
        return not self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()

    async def ask(self) -> Seen:
        """Ask once and read to the end. Raises RuntimeError where that is not a whole answer."""
        began = perf_counter()
        self._writer.write(self._request)
        async with asyncio.timeout(SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"refused: {head.decode()}{await self._reader.read(2000)!r}")
            data = await self._reader.read(2**18)
            first_byte = perf_counter() - began
            read = data
            while not _FIRST_TEXT.search(read):
                data = await self._more()
                read += data
            first_text = perf_counter() - began
            tail = read[-_TAIL:]
            while not (tail.endswith(_END_OF_BODY) and _DONE in tail):
                tail = (tail + await self._more())[-_TAIL:]
        return Seen(first_byte, first_text)

    async def _more(self) -> bytes:
        if data := await self._reader.read(2**18):
            return data
        raise RuntimeError("the answer broke off")


async def by_the_clock(
    url: str, model: str, rate: float, seconds: float, max_tokens: int
) -> dict[str, Any]:
    """Requests at even distances."""
    free: deque[Client] = deque()
    loop = asyncio.get_running_loop()

    async def one() -> Seen:
        while free and not free[0].is_open:
            free.popleft().close()
        client = free.popleft() if free else await opened(url, model, max_tokens)
        seen = await client.ask()
        free.append(client)
        return seen

    free.extend([await opened(url, model, max_tokens) for _ in range(8)])
    start = loop.time()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(start + number / rate - loop.time())
        tasks.append(asyncio.create_task(one()))
    seen = await asyncio.gather(*tasks)
    for client in free:
        client.close()
    return {
        "first_byte_ms": [1000 * each.first_byte for each in seen],
        "first_text_ms": [1000 * each.first_text for each in seen],
    }


async def streams(url: str, model: str, clients: int, answers: int) -> dict[str, Any]:
    """All clients at once, each until it has had its answers."""
    opened_clients = [await opened(url, model) for _ in range(clients)]

    async def each(client: Client) -> None:
        for _ in range(answers):
            await client.ask()

    start = perf_counter()
    async with asyncio.TaskGroup() as group:
        for client in opened_clients:
            group.create_task(each(client))
    seconds = perf_counter() - start
    for client in opened_clients:
        client.close()
    return {"answers": clients * answers, "seconds": seconds}


async def opened(url: str, model: str, max_tokens: int | None = None) -> Client:
    client = Client(url, model, max_tokens)
    await client.open()
    return client


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("url")
    arguments.add_argument("model")
    modes = arguments.add_subparsers(dest="mode", required=True)
    clock = modes.add_parser("open")
    clock.add_argument("--rate", type=float, required=True, help="requests per second")
    clock.add_argument("--seconds", type=float, required=True)
    clock.add_argument("--max-tokens", type=int, required=True, help="of an answer")
    many = modes.add_parser("streams")
    many.add_argument("--clients", type=int, required=True)
    many.add_argument("--answers", type=int, required=True, help="of each client")
    chosen = vars(arguments.parse_args())
    run = by_the_clock if chosen.pop("mode") == "open" else streams
    print(json.dumps(uvloop.run(run(**chosen))))


if __name__ == "__main__":
    main()

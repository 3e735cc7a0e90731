"""A network and a busier server in front of a real llama.cpp, in a process of its own.

    python -m bench.delay_proxy --round-trip 0.08 --first-token 1

prints its address; a request to ``ADDRESS/HOST:PORT/v1/completions`` goes on to HOST:PORT. What it
makes of one request, with t = 0 when the request arrives here:

    0                       the upstream reads the prompt at once, by a request of one token: a real
                            server bills a prompt, and has it cached, from its arrival on
    round trip              the client learns how much of its prompt was cached (only counted)
    round trip + first token + uncached prompt tokens / prefill rate
                            the upstream is asked to write; from here on its tokens pass through,
                            each when it comes, or no faster than the token rate
    closed by the client    the request is closed upstream at once

The round trip stands before the first token as a whole, so nothing is written upstream that the
client, having closed, would still be sent. The connection counts as open already: no handshake.
Cached tokens are those that the upstream found when the prompt arrived.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import aiohttp
from aiohttp import web

from trigreason.engines.base import Usage
from trigreason.engines.sse import EventLines
from trigreason.engines.wire import decode_chunk, tokens_of

COMPLETIONS = "completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What lies between a client and a model. Seconds, and tokens per second; None is no limit."""

    round_trip: float = 0.0
    first_token: float = 0.0
    token_rate: float | None = None
    prefill_rate: float | None = None

    def first_token_after(self, usage: Usage) -> float:
        """Seconds from a request's arrival to its first token."""
        uncached = (usage.prompt_tokens or 0) - (usage.cached_tokens or 0)
        reading = uncached / self.prefill_rate if self.prefill_rate else 0.0
        return self.round_trip + self.first_token + reading

    def token_after(self, index: int) -> float:
        """Seconds from the first token to the one at ``index`` at the earliest."""
        return index / self.token_rate if self.token_rate else 0.0


def upstream_session() -> aiohttp.ClientSession:
    """A client without limits, and without kept-alive connections, which llama.cpp drops."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))


class DelayProxy:
    """Passes completions on to whatever upstream their path names."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/{upstream}/v1/" + COMPLETIONS, self._complete)
        application.cleanup_ctx.append(self._connected)
        return application

    async def _connected(self, _: web.Application) -> AsyncIterator[None]:
        async with upstream_session() as self._session:
            yield

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        arrived = perf_counter()
        url = f"http://{request.match_info['upstream']}/v1/{COMPLETIONS}"
        body = await request.json()
        usage = await self._read_prompt(url, body)
        if usage is None:
            return await self._pass_refusal(url, body)
        await _until(arrived + self.network.round_trip)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        with suppress(ConnectionResetError):  # the client has left
            await answer.prepare(request)
            await answer.write(_event(_progress(usage)))
            await _until(arrived + self.network.first_token_after(usage))
            await self._pass_tokens(url, body, usage, answer)
        return answer

    async def _read_prompt(self, url: str, body: dict[str, Any]) -> Usage | None:
        """Let the upstream read the prompt; None where it refuses to."""
        usage: Usage | None = None
        asked = body | {"max_tokens": 1, "stream": True, "return_progress": True}
        async with aclosing(self._payloads(url, asked)) as payloads:
            async for payload in payloads:
                usage = usage or Usage()
                decode_chunk(payload, url).add_to(usage)
        return usage

    async def _pass_refusal(self, url: str, body: dict[str, Any]) -> web.Response:
        assert self._session is not None
        async with self._session.post(url, json=body) as response:
            return web.Response(
                status=response.status,
                body=await response.read(),
                content_type=response.content_type,
            )

    async def _pass_tokens(
        self, url: str, body: dict[str, Any], usage: Usage, answer: web.StreamResponse
    ) -> None:
        first: float | None = None
        passed = 0
        async with aclosing(self._payloads(url, body)) as payloads:
            async for payload in payloads:
                chunk = decode_chunk(payload, url)
                if chunk.prompt_progress is not None:
                    continue  # told already, as it was when the prompt arrived
                if tokens := sum(len(tokens_of(choice)) for choice in chunk.choices or ()):
                    first = perf_counter() if first is None else first
                    await _until(first + self.network.token_after(passed))
                    passed += tokens
                await answer.write(_event(_billed(payload, usage) if chunk.usage else payload))
        await answer.write(_event(b"[DONE]"))

    async def _payloads(self, url: str, body: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """The events of a completion without its ``[DONE]``; none where it is refused."""
        assert self._session is not None
        lines = EventLines()
        async with self._session.post(url, json=body) as response:
            if response.status != 200:
                return
            async for data in response.content.iter_any():
                for payload in lines.feed(data):
                    if payload != b"[DONE]":
                        yield payload


@contextmanager
def proxied(network: Network) -> Iterator[str]:
    """The address of a proxy in a process of its own, which ends with the context."""
    settings = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in asdict(network).items()
        if value is not None
    ]
    command = [sys.executable, "-m", "bench.delay_proxy", *settings]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


async def serve(network: Network) -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    runner = web.AppRunner(
        DelayProxy(network).application(), handler_cancellation=True, access_log=None
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print("http://{}:{}".format(*runner.addresses[0][:2]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def _until(moment: float) -> None:
    """Wait for a reading of ``perf_counter``, in seconds."""
    if (left := moment - perf_counter()) > 0:
        await asyncio.sleep(left)


def _event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def _progress(usage: Usage) -> bytes:
    told = {"total": usage.prompt_tokens or 0, "cache": usage.cached_tokens or 0}
    return json.dumps({"choices": [], "prompt_progress": told}).encode()


def _billed(payload: bytes, usage: Usage) -> bytes:
    """The upstream's last event with the cached tokens of the prompt's arrival."""
    event = json.loads(payload)
    event.pop("timings", None)
    event["usage"]["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens or 0}
    return json.dumps(event).encode()


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--round-trip", type=float, default=0.0, help="seconds")
    arguments.add_argument("--first-token", type=float, default=0.0, help="seconds")
    arguments.add_argument("--token-rate", type=float, help="tokens per second")
    arguments.add_argument("--prefill-rate", type=float, help="uncached tokens per second")
    asyncio.run(serve(Network(**vars(arguments.parse_args()))))


if __name__ == "__main__":
    main()

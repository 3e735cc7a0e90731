"""What the doubles of inference servers have in common: a model of a few words, and bad manners.

A double stands in for a server that cannot run here. It is built from the published schema, and
is strict where the server is: it refuses what the server would refuse.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

from tests.scripted_server import listening

Body = dict[str, Any]
STOP = "\n\n"
END_OF_TURN = 7


class Said(NamedTuple):
    """A token, and the probability (before temperature) of all that could have stood here."""

    text: str
    probabilities: dict[str, float]

    def logprobs(self, temperature: float = 1.0) -> dict[str, float]:
        """Of all candidates, likeliest first, after temperature; 0 is greedy, told as raw."""
        powers = {
            text: math.log(p) / (temperature or 1.0) for text, p in self.probabilities.items()
        }
        norm = math.log(sum(map(math.exp, powers.values())))
        ranked = sorted(powers.items(), key=lambda item: item[1], reverse=True)
        return {text: power - norm for text, power in ranked}


def said(text: str, p: float, *others: str) -> Said:
    rest = (1 - p) / max(1, len(others))
    return Said(text, {text: p, **dict.fromkeys(others, rest)})


SCRIPT = (
    said("So", 0.6, "Wait", "First"),
    said(" x", 0.9, " y"),
    said(" is", 0.5, " was", " may", " can"),
    said(" é", 0.7, " e"),
    said(".\n\n", 0.8, ".", ",\n\n"),
    said("Then", 0.3, "Now", "But"),
    said(" 4", 0.99, " 5"),
    said("\n\n", 0.75, "."),
    said("</think>", 0.95, "Wait"),
    said("\n\n", 0.9, " "),
    said("4", 0.85, "5"),
)
TEXT = "".join(each.text for each in SCRIPT)


class Spoken(NamedTuple):
    """What a request comes to: tokens, the text that each adds, and why it ends there."""

    tokens: tuple[Said, ...]
    texts: tuple[str, ...]
    finish: str
    stop: str | None


def speak(max_tokens: int, stop: Sequence[str], *, keeps_stop: bool) -> Spoken:
    """The script as far as the limits go, with the stop string kept or cut off."""
    texts: list[str] = []
    for token in SCRIPT[:max_tokens]:
        before = "".join(texts)
        places = [(before + token.text).find(each) for each in stop]
        found = min((place for place in places if place >= 0), default=-1)
        cut = found >= 0 and not keeps_stop
        texts.append(token.text[: found - len(before)] if cut else token.text)
        if found >= 0:
            return Spoken(SCRIPT[: len(texts)], tuple(texts), "stop", STOP)
    finish = "length" if max_tokens < len(SCRIPT) else "stop"
    return Spoken(SCRIPT[: len(texts)], tuple(texts), finish, None)


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How a double behaves, good or bad.

    ``then`` is what becomes of the stream after ``after`` tokens; ``status`` refuses at once.
    """

    per_chunk: int = 1
    keep_alives: bool = False
    sentinel_at: int | None = None
    drip: int = 0
    pause: float = 0.0
    context: int = 4096
    cached: int = 3
    status: int = 200
    then: str = ""
    after: int = 2


@dataclass
class Double:
    """A server with one model; see :func:`serve`."""

    manners: Manners = field(default_factory=Manners)
    bodies: list[Body] = field(default_factory=list)
    open_streams: int = 0
    disconnects: int = 0
    root: str = ""

    def app(self) -> web.Application:
        raise NotImplementedError

    async def events(self, body: Body) -> AsyncIterator[Body | str]:
        """What the stream holds, without its frame."""
        raise NotImplementedError
        yield {}

    def refusal(self, body: Body) -> web.Response | None:
        """What is answered instead of a stream."""
        raise NotImplementedError

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        if (refused := self.refusal(body)) is not None:
            return refused
        self.open_streams += 1
        try:
            return await self._stream(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.disconnects += 1
            raise
        finally:
            self.open_streams -= 1

    async def _stream(self, request: web.Request, body: Body) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for event in self.events(body):
            if self.manners.pause:
                await asyncio.sleep(self.manners.pause)
            if self.manners.keep_alives:
                await self._write(response, ": keep-alive\n\ndata:\n\n")
            told = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
            end = "\r\n\r\n" if self.manners.keep_alives else "\n\n"
            await self._write(response, f"data: {told}{end}")
        await self._write(response, "data: [DONE]\n\n")
        return response

    async def _write(self, response: web.StreamResponse, text: str) -> None:
        data = text.encode()
        size = self.manners.drip or len(data)
        for start in range(0, len(data), size):
            await response.write(data[start : start + size])
            if self.manners.drip:
                await asyncio.sleep(0)

    def chunks(self, spoken: Spoken) -> list[range]:
        size = self.manners.per_chunk
        count = len(spoken.tokens)
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def logprob(self, index: int, value: float) -> float:
        return -9999.0 if index == self.manners.sentinel_at else value


@asynccontextmanager
async def serve(double: Double) -> AsyncIterator[Double]:
    async with listening(double.app()) as root:
        double.root = root
        yield double

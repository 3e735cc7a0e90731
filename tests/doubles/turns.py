"""Doubles of APIs that go on with a turn: what they have in common.

Each knows one turn of one model, thinking, ``</think>`` and answer. It takes a request apart as
its API's reference says, refuses what the API would, finds how much of the turn the request
already holds, and goes on from exactly there: a character lost or doubled on the way is a request
that the turn does not begin with, and is answered with status 418.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, ClassVar, NamedTuple, TypeVar

from aiohttp import web

from tests.scripted_server import listening

Body = dict[str, Any]

KEY = "sk-double"
END = "</think>"


class Refused(Exception):
    """The API answers with a status of its own and a body of its own shape."""

    def __init__(self, status: int, body: Body) -> None:
        super().__init__(body)
        self.status = status
        self.body = body


class Fields(NamedTuple):
    """A piece of the turn in the field that it is sent in."""

    thinking: str = ""
    answer: str = ""


@dataclass(eq=False, kw_only=True)
class TurnDouble(ABC):
    """One model behind one API; start it with :func:`serving`.

    Attributes:
        turn: all that the model would write, from inside ``<think>``.
        sizes: lengths of its tokens in characters, over and over.
        per_chunk: tokens in one event.
        sorts: thinking and answer come in different fields, the tag between in none.
        restarts: it begins its stream with ``<think>``, whether or not that is open.
        keep_alive: comments come before and between the events.
        finish: a finish reason in place of the true one.
        error: what it says in place of its last event.
        pause: seconds between events.
    """

    turn: str
    sizes: Sequence[int] = (3, 1, 4, 1, 5)
    per_chunk: int = 1
    sorts: bool = False
    restarts: bool = False
    keep_alive: bool = False
    finish: str | None = None
    error: Body | None = None
    pause: float = 0.0
    bodies: list[Body] = field(default_factory=list)
    open_streams: int = 0
    disconnects: int = 0
    url: str = ""

    path: ClassVar[str] = "/chat/completions"
    root: ClassVar[str] = "/v1"
    media: ClassVar[str] = "text/event-stream"
    trims: ClassVar[bool] = True
    """Where it sorts, an answer comes without the line ends before it."""

    @abstractmethod
    def check(self, request: web.Request, body: Body) -> None:
        """Raise Refused for what the API would not take."""

    @abstractmethod
    def written(self, body: Body) -> str:
        """The turn as far as the request holds it, from inside ``<think>``."""

    @abstractmethod
    def limit(self, body: Body) -> int:
        """How many tokens it may write."""

    @abstractmethod
    def events(self, body: Body, pieces: Sequence[Fields], finish: str) -> Iterator[bytes]:
        """The stream as the API sends it, an event at a time."""

    def stops(self, body: Body) -> bool:
        return "stop" in body

    def echo(self, body: Body) -> list[Fields]:
        """What is said again before the turn goes on."""
        return []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        try:
            if request.headers.get("Authorization") not in (None, f"Bearer {KEY}"):
                raise Refused(401, {"error": {"message": "wrong key", "type": "auth"}})
            self.check(request, body)
            written = self.written(body)
            if not self.turn.startswith(written):
                raise Refused(418, {"error": {"message": f"strayed: {written[-40:]!r}"}})
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        self.open_streams += 1
        try:
            return await self._stream(request, body, written)
        except (asyncio.CancelledError, ConnectionError):
            self.disconnects += 1
            raise
        finally:
            self.open_streams -= 1

    async def _stream(self, request: web.Request, body: Body, written: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": self.media})
        await response.prepare(request)
        pieces, finish = self._pieces(body, written)
        for event in self.events(body, [*self.echo(body), *pieces], self.finish or finish):
            if self.pause:
                await asyncio.sleep(self.pause)
            if self.keep_alive:
                await response.write(b": keep-alive\n\n")
            await response.write(event)
        return response

    def _pieces(self, body: Body, written: str) -> tuple[list[Fields], str]:
        """What is generated, a token at a time, and why it ends."""
        rest = self.turn[len(written) :]
        is_open = END not in written
        if self.stops(body) and "\n\n" in rest:
            rest = rest[: rest.index("\n\n") + (2 if self.gives_stop(body) else 0)]
        if self.restarts and is_open:
            rest = f"<think>\n{rest}"
        tokens = list(cut(rest, self.sizes))
        room = self.limit(body)
        finish = "length" if len(tokens) > room else "stop"
        told = "".join(tokens[:room])
        if not self.sorts:
            return [Fields(answer=token) for token in tokens[:room]], finish
        if not is_open:
            return [Fields(answer=token) for token in cut(told, self.sizes)], finish
        thinking, _, answer = told.partition(END)
        thoughts = [Fields(thinking=token) for token in cut(thinking, self.sizes)]
        said = cut(answer.removeprefix("\n\n") if self.trims else answer, self.sizes)
        return thoughts + [Fields(answer=token) for token in said], finish

    def gives_stop(self, body: Body) -> bool:
        return False

    def chunked(self, pieces: Sequence[Fields]) -> Iterator[Fields]:
        """Several tokens in one event, as long as they are of one field."""
        held: list[Fields] = []
        for piece in pieces:
            if held and (bool(piece.answer) != bool(held[0].answer) or len(held) == self.per_chunk):
                yield Fields(*map("".join, zip(*held, strict=True)))
                held = []
            held.append(piece)
        if held:
            yield Fields(*map("".join, zip(*held, strict=True)))


def cut(text: str, sizes: Sequence[int]) -> Iterator[str]:
    """``text`` in pieces of these sizes, over and over."""
    at = 0
    for size in cycle(sizes):
        if at >= len(text):
            return
        yield text[at : at + size]
        at += size


def sse(event: Body | str) -> bytes:
    data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
    return f"data: {data}\n\n".encode()


def choice(delta: Body, finish: str | None = None, **more: Any) -> Body:
    return {"index": 0, "delta": delta, "finish_reason": finish, **more}


def chunk(choices: Sequence[Body], **more: Any) -> Body:
    return {"id": "c-1", "object": "chat.completion.chunk", "choices": list(choices), **more}


def unknown(body: Body, known: set[str]) -> list[str]:
    return sorted(set(body) - known)


Served = TypeVar("Served", bound=TurnDouble)


@asynccontextmanager
async def serving(double: Served) -> AsyncIterator[Served]:
    app = web.Application()
    app.router.add_post(double.path, double.answer)
    app.router.add_post("/{root}" + double.path, double.answer)
    async with listening(app) as address:
        double.url = address + double.root
        yield double

"""A double: a completions server that says what a script tells it, to the token.

For what no real model does on command: a budget hit exactly, a stream that stalls, a tag split
over tokens. It sees what a real server sees: request bodies, open streams, clients that leave.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from aiohttp import web

from trigreason.engines.base import Capabilities
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import SESSION_HEADER
from trigreason.pairs import Pair

Body = dict[str, Any]
Shape = Literal["chat", "legacy", "none"]
"""Logprobs as llama.cpp sends them, as vLLM does, or not at all."""

UNSURE = -1.0
SURE = -0.001


class Said(NamedTuple):
    """A token to say; ``logprob=None`` sends what servers send where they have none."""

    text: str
    logprob: float | None = UNSURE


def words(text: str, logprob: float | None = UNSURE) -> list[Said]:
    """A text as tokens: words with their leading space, blank lines, anything else."""
    return [Said(piece, logprob) for piece in re.findall(r"\n+|[^\S\n]?[^\s]+|[^\S\n]", text)]


@dataclass(frozen=True)
class Reply:
    """What is said to one request, and how.

    ``then`` is what follows the last token: the server's word that it ended, a silence without
    end (``stall``), a torn connection (``break``), or an error event with the ``code``. With
    ``exceeds`` the server does not keep to ``max_tokens``.
    """

    tokens: Sequence[Said]
    then: Literal["stop", "eos", "length", "stall", "break", "error"] = "stop"
    per_chunk: int = 1
    pause: float = 0.0
    status: int = 200
    error: str = "as told"
    code: int = 500
    exceeds: bool = False


def say(text: str, logprob: float | None = UNSURE, **how: Any) -> Reply:
    return Reply(words(text, logprob), **how)


def chatter(first: str = "", pause: float = 0.005) -> Reply:
    """``first``, and then a word every few milliseconds, far longer than any test waits."""
    return Reply([*words(first), *words(" on" * 4000)], pause=pause)


Script = Callable[[Body], Reply] | Sequence[Reply]
"""The replies one after the other, or what makes a reply out of a request."""


@dataclass
class ScriptedServer:
    """One model; start it with :func:`serve`."""

    script: Script
    shape: Shape = "chat"
    bodies: list[Body] = field(default_factory=list)
    sessions: list[str | None] = field(default_factory=list)
    open_streams: int = 0
    disconnects: int = 0
    url: str = ""

    @property
    def prompts(self) -> list[str]:
        return [body["prompt"] for body in self.bodies]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.sessions.append(request.headers.get(SESSION_HEADER))
        reply = self._reply(body)
        if reply.status != 200:
            return web.json_response({"error": {"message": reply.error}}, status=reply.status)
        self.open_streams += 1
        try:
            return await self._stream(request, body, reply)
        except (asyncio.CancelledError, ConnectionError):
            self.disconnects += 1
            raise
        finally:
            self.open_streams -= 1

    def _reply(self, body: Body) -> Reply:
        if callable(self.script):
            return self.script(body)
        turn = len(self.bodies) - 1
        return self.script[turn] if turn < len(self.script) else Reply([], status=500)

    async def _stream(self, request: web.Request, body: Body, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        room = len(reply.tokens) if reply.exceeds else body["max_tokens"]
        told = reply.tokens[:room]
        for start in range(0, len(told), reply.per_chunk):
            if reply.pause:
                await asyncio.sleep(reply.pause)
            chunk = told[start : start + reply.per_chunk]
            await send(response, {"choices": [self._choice(chunk, "logprobs" in body)]})
        if len(reply.tokens) <= room:
            await self._after(request, response, reply)
        finish = "length" if len(reply.tokens) > room else reply.then
        usage = {"prompt_tokens": len(body["prompt"]), "prompt_tokens_details": None}
        await send(response, {"choices": [{"text": "", "finish_reason": finish}]})
        await send(response, {"choices": [], "usage": usage})
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _after(
        self, request: web.Request, response: web.StreamResponse, reply: Reply
    ) -> None:
        if reply.then == "stall":
            await asyncio.sleep(60)
        elif reply.then == "break":
            assert request.transport is not None
            request.transport.abort()
        elif reply.then == "error":
            await send(response, {"error": {"code": reply.code, "message": reply.error}})

    def _choice(self, said: Sequence[Said], with_logprobs: bool) -> Body:
        choice: Body = {"index": 0, "text": "".join(each.text for each in said)}
        if with_logprobs and self.shape == "chat":
            choice["logprobs"] = {"content": [_entry(each) for each in said]}
        elif with_logprobs and self.shape == "legacy":
            choice["logprobs"] = _arrays(said)
        return choice


def _entry(said: Said) -> Body:
    logprob = -9999.0 if said.logprob is None else said.logprob
    top = [{"token": said.text, "logprob": logprob}, {"token": "?", "logprob": -5.0}]
    return {"id": 1, "token": said.text, "logprob": logprob, "top_logprobs": top}


def _arrays(said: Sequence[Said]) -> Body:
    return {
        "tokens": [each.text for each in said],
        "token_logprobs": [each.logprob for each in said],
        "top_logprobs": [
            None if each.logprob is None else {each.text: each.logprob, "?": -5.0} for each in said
        ],
    }


async def send(response: web.StreamResponse, event: Body) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


@asynccontextmanager
async def serve(script: Script, shape: Shape = "chat") -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer(script, shape)
    app = web.Application()
    app.router.add_post("/v1/completions", server.complete)
    async with listening(app) as root:
        server.url = f"{root}/v1"
        yield server


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """The app on a free port; gives its URL. Handlers are cancelled when their client leaves."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Double(NamedTuple):
    """A pair of scripted models and the servers they live on."""

    pair: Pair
    srm: ScriptedServer
    lrm: ScriptedServer

    @property
    def open_streams(self) -> int:
        return self.srm.open_streams + self.lrm.open_streams

    @property
    def connections(self) -> int:
        """Connections that the engines hold in use."""
        engines = (self.pair.srm, self.pair.lrm)
        sessions = [each._session for each in engines if isinstance(each, CompletionsEngine)]
        connectors = [each.connector for each in sessions if each is not None]
        return sum(len(each._acquired) for each in connectors if each is not None)


@asynccontextmanager
async def scripted_pair(
    srm: Script = (),
    lrm: Script = (),
    shape: Shape = "chat",
    capabilities: Capabilities | None = None,
    **of_the_pair: Any,
) -> AsyncIterator[Double]:
    async with serve(srm, shape) as small, serve(lrm, shape) as large:
        pair = Pair(
            CompletionsEngine(small.url, "small", capabilities=capabilities),
            CompletionsEngine(large.url, "large", capabilities=capabilities),
            **of_the_pair,
        )
        try:
            yield Double(pair, small, large)
        finally:
            await pair.close()

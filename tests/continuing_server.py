"""A double: a completions server whose next words follow from the prompt alone.

It knows one text, looks up how much of it the prompt already holds, and goes on from exactly
there. So whatever fails on the way, and whoever of several such models writes, there is one right
outcome, and a character that is lost or doubled is a prompt that the text does not begin with.
"""

from __future__ import annotations

import asyncio
import json
import re
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate, cycle
from typing import Literal, NamedTuple

from aiohttp import web

from tests.scripted_server import SURE, UNSURE, Body, listening
from trigreason.pairs import JudgePrompt
from trigreason.reasoning.steps import END_OF_THINKING
from trigreason.reasoning.tags import THINK_TAGS

THINK = THINK_TAGS.opening
Shape = Literal["chat", "legacy"]
"""Half characters as llama.cpp tells them (no event before the character is whole) or as vLLM
does (an event per token, without text until then)."""

TOKEN_BYTES = (3, 1, 2, 1, 3, 2, 2)
"""Lengths of the tokens in turn, so that characters of several bytes are often divided."""

TURN = f"<|im_start|>assistant\n{THINK}\n"
SCORING = JudgePrompt().opening.removeprefix(f"{THINK}\n")


SURELY, POORLY = "surely", "poorly"


class Piece(NamedTuple):
    """A token: its bytes, and its logprob."""

    data: bytes
    logprob: float


class Strayed(Exception):
    """The prompt is no beginning of the text."""


@dataclass(eq=False)
class ContinuingServer:
    """One model; start it with :func:`continuing`.

    Steps with the word ``surely`` are written with certainty, and the judge gives 3 to those with
    the word ``poorly`` and 9 to others. ``strayed`` are the texts it could not continue.
    """

    text: str
    shape: Shape = "chat"
    pause: float = 0.0
    strayed: list[str] = field(default_factory=list)
    open_streams: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self._data = self.text.encode()
        lengths = accumulate(cycle(TOKEN_BYTES))
        self._ends = [next(lengths) for _ in self._data]
        self._certain = b"".join(
            bytes([SURELY in step]) * len(step.encode())
            for step in re.findall(r"(?s).+?(?:\n\n|$)", self.text)
        )

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.open_streams += 1
        try:
            body = await request.json()
            events = self._events(body)
        except Strayed as error:
            message = {"error": {"message": f"no beginning of the text: {error}"}}
            return web.json_response(message, status=400)
        else:
            return await self._stream(request, events)
        finally:
            self.open_streams -= 1

    async def _stream(self, request: web.Request, events: list[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if self.pause:
            for event in events:
                await response.write(event)
                await asyncio.sleep(self.pause)
        else:
            await response.write(b"".join(events))
        return response

    def _events(self, body: Body) -> list[bytes]:
        """The whole answer to a request. Raises Strayed."""
        before, _, written = body["prompt"].rpartition(TURN)
        if written == SCORING:
            pieces, finish = [self._score(before)], "length"
        else:
            pieces = list(self._pieces(self._place(written)))
            finish = "stop" if len(pieces) <= body["max_tokens"] else "length"
        told = pieces[: body["max_tokens"]]
        choices = self._whole(told) if self.shape == "chat" else self._held(told)
        events: list[Body] = [{"choices": [choice]} for choice in choices]
        events.append({"choices": [{"index": 0, "text": "", "finish_reason": finish}]})
        events.append({"choices": [], "usage": {"prompt_tokens": len(body["prompt"])}})
        return [*(b"data: %b\n\n" % compact(event) for event in events), b"data: [DONE]\n\n"]

    def _place(self, written: str) -> int:
        """How many bytes of the text the prompt ends with.

        White space around ``</think>`` is the client's where a budget closed the thinking.
        """
        if self.text.startswith(written):
            return len(written.encode())
        _, closed, answer = written.partition(END_OF_THINKING)
        right = self.text.index(END_OF_THINKING) + len(END_OF_THINKING)
        right += len(self.text[right:]) - len(self.text[right:].lstrip())
        if closed and self.text[right:].startswith(answer.lstrip()):
            return len((self.text[:right] + answer.lstrip()).encode())
        self.strayed.append(written)
        raise Strayed(written)

    def _pieces(self, start: int) -> Iterator[Piece]:
        """The tokens from a place on; the first one is shorter where that is within a token."""
        while start < len(self._data):
            end = self._ends[bisect_right(self._ends, start)]
            yield Piece(self._data[start:end], SURE if self._certain[start] else UNSURE)
            start = end

    @staticmethod
    def _score(before: str) -> Piece:
        thinking = before.rpartition("<|im_end|>\n<|im_start|>user\n")[0].rstrip()
        last = thinking.rpartition("\n\n")[2]
        return Piece(b"3" if POORLY in last else b"9", SURE)

    @staticmethod
    def _whole(pieces: list[Piece]) -> Iterator[Body]:
        """Events as llama.cpp sends them: the last token's probability for a whole character."""
        held = b""
        for piece in pieces:
            held += piece.data
            if whole(held):
                text = piece.data.decode(errors="ignore")
                entry = {"id": 1, "token": text, "logprob": piece.logprob}
                yield {"index": 0, "text": held.decode(), "logprobs": {"content": [entry]}}
                held = b""

    @staticmethod
    def _held(pieces: list[Piece]) -> Iterator[Body]:
        """Events as vLLM sends them: one per token, the text with the last of a character."""
        held = b""
        for piece in pieces:
            held += piece.data
            text = held.decode() if whole(held) else ""
            held = b"" if text else held
            token = piece.data.decode(errors="replace")
            logprobs = {"tokens": [token], "token_logprobs": [piece.logprob]}
            yield {"index": 0, "text": text, "logprobs": logprobs}


def whole(data: bytes) -> bool:
    """Whether ``data`` ends with a whole character."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def compact(event: Body) -> bytes:
    """JSON without escapes, so that characters of several bytes travel as such."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


@asynccontextmanager
async def continuing(
    text: str, *, shape: Shape = "chat", pause: float = 0.0
) -> AsyncIterator[ContinuingServer]:
    server = ContinuingServer(text, shape, pause)
    app = web.Application()
    app.router.add_post("/v1/completions", server.complete)
    async with listening(app) as root:
        server.url = f"{root}/v1"
        yield server

"""A double: a server like vLLM with a made-up model, and any defect switched on.

For what no server that runs here does: begin again at ``<think>``, echo, ignore a seed, write on
after a close. The model draws its next word from a distribution that depends on the end of the
text alone, so it is as consistent, and as unsure, as a real one.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from aiohttp import web

from tests.scripted_server import listening

Body = dict[str, Any]
MODEL = "told"
VOCABULARY = (
    "\n\n",
    *(" " + word for word in ("so", "now", "then", "true", "false", "left", "right", "both")),
    *(" " + word for word in ("sum", "half", "pair", "root", "term", "side", "line", "case")),
    *(" " + word for word in ("first", "next", "last", "other", "same", "new", "old", "big")),
)
STEP_CHARACTERS = 60
THINK = "<think>\n"


@dataclass
class ProbedServer:
    """Healthy as it stands; each field is a defect, or an honest difference between servers."""

    begins_again: str | None = None
    """Writes this, and then from the beginning of the thinking."""
    echoes: bool = False
    nonsense: bool = False
    """Goes on with other words each time."""
    counts: bool = True
    in_one_piece: bool = False
    logprobs: bool = True
    most_alternatives: int = 20
    refuses_within_the_stream: bool = False
    """Too many alternatives, as vLLM does: status 200, and the refusal as the only event."""
    no_alternatives: bool = False
    placeholders_every: int | None = None
    certain_up_to: float | None = None
    """Says 0.0 of all tokens but the first, up to this temperature. llama.cpp's whole answers are
    so at any, under speculative decoding."""
    silent_on_all_but_the_first: bool = False
    """As llama.cpp's streams are under speculative decoding."""
    sharpened: bool = False
    filtered: bool = False
    """Logprobs of the five likeliest words only, normalised over these."""
    ignores_seed: bool = False
    is_certain: bool = False
    ignores_stop: bool = False
    goes_on_after_close: bool = False
    loses_the_question: bool = False
    """Its chat template leaves plain text out, in silence."""
    has_metrics: bool = True
    counts_tokens: bool = True
    cached: bool | None = True
    context: int | None = 32_768
    status: int = 200
    error: str = "as told"
    answers_html: bool = False
    silent_after: int | None = None
    """Requests that are answered; the others wait for ever."""
    pace: float = 0.001
    """Seconds per token."""

    url: str = ""
    running: int = 0
    written: int = 0
    requests: int = 0
    _seen: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # Pages

    async def version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "1.2.3"})

    async def models(self, _: web.Request) -> web.Response:
        entry: Body = {"id": MODEL}
        if self.context is not None:
            entry["max_model_len"] = self.context
        return web.json_response({"data": [entry]})

    async def metrics(self, _: web.Request) -> web.Response:
        if not self.has_metrics:
            raise web.HTTPNotFound
        lines = [f'vllm:num_requests_running{{model_name="{MODEL}"}} {float(self.running)}']
        if self.counts_tokens:
            lines.append(f"vllm:generation_tokens_total {float(self.written)}")
        return web.Response(text="\n".join([*lines, ""]))

    # Completions

    async def complete(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await request.json())

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The same model, by a chat route that answers with a message's text as a completion's."""
        body = await request.json()
        asked, *turn = body["messages"]
        question = "" if self.loses_the_question else asked["content"]
        body["prompt"] = f"user\n{question}\nassistant\n" + "".join(
            each["content"] for each in turn
        )
        body["logprobs"] = body.get("top_logprobs", 0)
        return await self._answer(request, body)

    async def _answer(self, request: web.Request, body: Body) -> web.StreamResponse:
        self.requests += 1
        if self.silent_after is not None and self.requests > self.silent_after:
            await asyncio.sleep(60)
        if self.status != 200:
            return web.json_response({"error": {"message": self.error}}, status=self.status)
        if self.answers_html:
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        if body.get("logprobs", 0) > self.most_alternatives:
            return await self._refuse_alternatives(request)
        pieces: asyncio.Queue[Body | None] = asyncio.Queue()
        writing = asyncio.create_task(self._write(body, pieces))
        self._tasks.add(writing)
        try:
            return await self._send(request, pieces)
        except ConnectionError as error:
            raise asyncio.CancelledError from error  # it would have come a moment later
        finally:
            if not self.goes_on_after_close:
                writing.cancel()

    async def _refuse_alternatives(self, request: web.Request) -> web.StreamResponse:
        told = f"at most {self.most_alternatives} logprobs are allowed"
        error = {"error": {"message": told, "code": 400}}
        if not self.refuses_within_the_stream:
            return web.json_response(error, status=400)
        pieces: asyncio.Queue[Body | None] = asyncio.Queue()
        for piece in (error, None):
            pieces.put_nowait(piece)
        return await self._send(request, pieces)

    async def _write(self, body: Body, pieces: asyncio.Queue[Body | None]) -> None:
        """The model at work, whether or not anybody reads."""
        self.running += 1
        try:
            held: list[Body] = []
            for choice in self._choices(body):
                if "messages" in body:
                    choice = _in_chat(choice)
                await asyncio.sleep(self.pace)
                self.written += 1
                held.append(choice)
                if not self.in_one_piece:
                    await pieces.put({"choices": [held.pop()]})
            if held:
                await pieces.put({"choices": [_joined(held)]})
            await pieces.put({"choices": [{"text": "", "finish_reason": self._finish}]})
            await pieces.put({"choices": [], "usage": self._usage(body["prompt"])})
            await pieces.put(None)
        finally:
            self.running -= 1

    _finish = "length"

    async def _send(
        self, request: web.Request, pieces: asyncio.Queue[Body | None]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while (piece := await pieces.get()) is not None:
            await response.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    def _usage(self, prompt: str) -> Body:
        usage: Body = {"prompt_tokens": len(prompt) // 4}
        if self.cached is not None:
            count = len(prompt) // 4 - 1 if self.cached and prompt in self._seen else 0
            usage["prompt_tokens_details"] = {"cached_tokens": count}
        self._seen.add(prompt)
        return usage

    def _choices(self, body: Body) -> list[Body]:
        """The answer, a token at a time."""
        self._finish = "length"
        prompt, opened, written = body["prompt"].rpartition(THINK)
        before = [] if not self.echoes else [written] if written else []
        text = body["prompt"]
        if self.begins_again is not None and written:
            before = [self.begins_again] if self.begins_again else []
            text = prompt + opened
        if self.counts and text.endswith("7, 8,"):
            before.append(" 9,")
        choices = [_certain(piece) for piece in before]
        if self.nonsense:
            text += str(self.requests)
        seed = self.requests if self.ignores_seed else body["seed"]
        draw = random.Random(f"{seed}{text}")
        for index in range(body["max_tokens"] - len(choices)):
            word, choice = self._next(text, body, draw, index)
            text += word
            choices.append(choice)
            if word == "\n\n" and "stop" in body and not self.ignores_stop:
                self._finish = "stop"
                break
        return choices

    def _next(self, text: str, body: Body, draw: random.Random, index: int) -> tuple[str, Body]:
        scores = _scores(text)
        temperature = body["temperature"]
        if temperature == 0 or body["top_p"] < 0.02 or self.is_certain:
            word = max(scores, key=lambda each: scores[each])
        else:
            chances = _normalised(scores, temperature)
            [word] = draw.choices(list(chances), [math.exp(each) for each in chances.values()])
        choice: Body = {"text": word}
        if self.logprobs and "logprobs" in body:
            sharp = temperature if self.sharpened and temperature else 1.0
            told = _normalised(scores, sharp)
            best = sorted(told, key=lambda each: -told[each])[: body["logprobs"]]
            if self.filtered:
                kept = {each: scores[each] for each in best[:5]}
                told = _normalised({**kept, word: scores[word]}, sharp)
                best = [each for each in best if each in told]
            top = {each: told[each] for each in best}
            if self.certain_up_to is not None and temperature <= self.certain_up_to and index:
                told[word] = 0.0
            hole = self.placeholders_every is not None and index % self.placeholders_every == 0
            choice["logprobs"] = {
                "tokens": [word],
                "token_logprobs": [-9999.0 if hole else told[word]],
                "top_logprobs": [{} if self.no_alternatives else top],
            }
            if self.silent_on_all_but_the_first and index:
                choice["logprobs"] = None
        return word, choice


def _certain(text: str) -> Body:
    return {
        "text": text,
        "logprobs": {"tokens": [text], "token_logprobs": [-0.01], "top_logprobs": [{text: -0.01}]},
    }


def _in_chat(choice: Body) -> Body:
    """A completion's choice of one token as chat completions tell it."""
    told: Body = {"delta": {"content": choice["text"]}}
    if "logprobs" in choice:
        (top,) = choice["logprobs"]["top_logprobs"]
        tokens = [{"token": word, "logprob": value} for word, value in top.items()]
        (own,) = choice["logprobs"]["token_logprobs"]
        content = [{"token": choice["text"], "logprob": own, "top_logprobs": tokens}]
        told["logprobs"] = {"content": content}
    return told


def _scores(text: str) -> dict[str, float]:
    """How likely each word is after a text, before temperature and up to a constant."""
    end = text[-24:]
    scores = {}
    for word in VOCABULARY:
        digest = blake2b(f"{end}|{word}".encode(), digest_size=4).digest()
        scores[word] = 4.0 * int.from_bytes(digest, "big") / 2**32
    long = "\n\n" not in text[-STEP_CHARACTERS:]
    scores["\n\n"] += 6.0 if long else -6.0
    return scores


def _normalised(scores: dict[str, float], temperature: float) -> dict[str, float]:
    total = math.log(sum(math.exp(each / temperature) for each in scores.values()))
    return {word: each / temperature - total for word, each in scores.items()}


def _joined(choices: list[Body]) -> Body:
    """Many tokens in one event."""
    joined: Body = {"text": "".join(each["text"] for each in choices)}
    known = [each["logprobs"] for each in choices if "logprobs" in each]
    if known:
        joined["logprobs"] = {
            name: [value for each in known for value in each[name]] for name in known[0]
        }
    return joined


@asynccontextmanager
async def probed(server: ProbedServer) -> AsyncIterator[ProbedServer]:
    """The server on a free port; ``url`` ends in ``/v1``."""
    app = web.Application()
    app.router.add_get("/version", server.version)
    app.router.add_get("/metrics", server.metrics)
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/v1/completions", server.complete)
    app.router.add_post("/v1/chat/completions", server.chat)
    async with listening(app) as root:
        server.url = f"{root}/v1"
        try:
            yield server
        finally:
            for task in server._tasks:
                task.cancel()

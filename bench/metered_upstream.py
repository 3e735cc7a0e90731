"""A double: two models that keep their own bill, and tell what they like of it.

Each writes steps of a dozen words, the SRM hesitating in every other one, and ends the thinking
behind the eighth. Words and signs are tokens, of prompts as of what is written. ``telling`` says
when a stream tells its usage: in every event, in the last one, or never. Where the prompt holds
``FAILING`` the connection breaks off in the middle of the fourth step.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from tests.scripted_server import listening

Telling = Literal["always", "at the end", "never"]
TELLING: tuple[Telling, ...] = ("always", "at the end", "never")

PRICES = {"s": (0.5, 2.0), "l": (5.0, 20.0)}
"""USD for a million tokens of prompts and of what is written, by model."""

FAILING = "This cannot be answered."
STEPS = 8
BROKEN_STEP = 4
BROKEN_AFTER = 5
"""Tokens of that step."""

_ANSWER = "So it is shown above that the answer is 7 ."


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\n+|[^\S\n]?\w+|[^\S\n]?[^\w\s]", text)


@dataclass
class Meter:
    """The models' bill: what was read and written, whoever paid attention."""

    telling: Telling
    pause: float
    url: str = ""
    usd: float = 0.0
    requests: int = 0

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt, (read, write) = body["prompt"], PRICES[body["model"]]
        self.requests += 1
        self.usd += len(tokens_of(prompt)) * read / 1e6
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        usage = {"prompt_tokens": len(tokens_of(prompt)), "completion_tokens": 0}
        breaks = FAILING in prompt and _written_steps(prompt) >= BROKEN_STEP - 1
        reply, finish = _cut(_reply(prompt, body["model"]), body)
        for count, token in enumerate(reply, 1):
            if breaks and count > BROKEN_AFTER:
                assert request.transport is not None
                request.transport.abort()
                return response
            await asyncio.sleep(self.pause)
            usage["completion_tokens"] = count
            self.usd += write / 1e6
            told: dict[str, Any] = {"choices": [_choice(token)]}
            await _send(response, told | ({"usage": usage} if self.telling == "always" else {}))
        await _send(response, {"choices": [{"index": 0, "text": "", "finish_reason": finish}]})
        if self.telling != "never":
            await _send(response, {"choices": [], "usage": usage})
        await response.write(b"data: [DONE]\n\n")
        return response


def _reply(prompt: str, model: str) -> list[str]:
    """What a model writes behind a prompt: the steps that are left, and the answer."""
    if "</think>" in prompt.rpartition("<think>\n")[2]:
        return tokens_of(_ANSWER)
    begun = _written_steps(prompt)
    steps = "".join(_step(number, model) for number in range(begun + 1, STEPS + 1))
    return [*tokens_of(steps), "</think>", "\n\n", *tokens_of(_ANSWER)]


def _written_steps(prompt: str) -> int:
    return prompt.rpartition("<think>\n")[2].count("\n\n")


def _step(number: int, model: str) -> str:
    doubt = "Wait , maybe " if model == "s" and number % 2 == 0 else "Now "
    return f"{doubt}step {number} follows from what has been said so far .\n\n"


def _cut(tokens: list[str], body: dict[str, Any]) -> tuple[list[str], str]:
    """As far as ``stop`` and ``max_tokens`` let it, and why it ends."""
    for stop in body.get("stop") or ():
        if stop in tokens:
            tokens = tokens[: tokens.index(stop)]
    room = body["max_tokens"]
    return tokens[:room], "length" if len(tokens) > room else "stop"


def _choice(token: str) -> dict[str, Any]:
    logprobs = {"tokens": [token], "token_logprobs": [-0.5], "top_logprobs": [{token: -0.5}]}
    return {"index": 0, "text": token, "logprobs": logprobs, "finish_reason": None}


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


@asynccontextmanager
async def metered(telling: Telling, pause: float = 0.001) -> AsyncIterator[Meter]:
    """Both models at one address."""
    meter = Meter(telling, pause)

    async def listed(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in PRICES]})

    app = web.Application()
    app.router.add_get("/v1/models", listed)
    app.router.add_post("/v1/completions", meter.complete)
    async with listening(app) as root:
        meter.url = f"{root}/v1"
        yield meter


def pair_toml(url: str) -> str:
    """The pair ``p`` of both models, which asks the LRM first and whenever the SRM hesitates."""
    engines = (
        f'[engines.{name}]\nurl = "{url}"\nmodel = "{name}"\ndialect = "generic"\n'
        f"prices = {{ input = {read}, output = {write} }}\n"
        for name, (read, write) in PRICES.items()
    )
    return (
        "".join(engines) + '[pairs.p]\nsrm = "s"\nlrm = "l"\n'
        "thresholds = { n = 1, rho = 1, k = 1, m = 1 }\n"
        'failure = { retries = 0, srm_away = "fail", lrm_away = "fail" }\n'
    )

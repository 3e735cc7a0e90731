"""A double of vLLM's ``/pooling`` with a process reward model, as its protocol is published.

It stands for Qwen2.5-Math-PRM under STEP pooling: a row [wrong, right] per step tag, by a rule of
the test's choice. vLLM ignores unknown fields; here one is refused, as it would have no effect.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from aiohttp import web

from tests.scripted_server import listening

TAG = "<extra_0>"
MODEL = "Qwen/Qwen2.5-Math-PRM-7B"
KNOWN = {"model", "messages", "task", "use_activation", "add_generation_prompt", "encoding_format"}

Rule = Callable[[str], float]
"""From a step's text to the probability that it is right."""


class Fault(NamedTuple):
    """An answer other than the rule's: a status, a raw body, rows of its own, or no end."""

    status: int = 200
    body: str | None = None
    rows: list[Any] | None = None
    then: Literal["answer", "stall", "break"] = "answer"
    has_usage: bool = True
    message: str = "as told"


@dataclass
class VllmPoolingDouble:
    """``faults`` are the answers to the requests of these numbers, from 0 on."""

    rule: Rule
    faults: dict[int, Fault] = field(default_factory=dict)
    key: str | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def pool(self, request: web.Request) -> web.StreamResponse:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        body = await request.json()
        fault = self.faults.get(len(self.bodies), Fault())
        self.bodies.append(body)
        if unknown := sorted(set(body) - KNOWN):
            return _refused(f"unknown field {unknown[0]}")
        if body.get("model", MODEL) != MODEL:
            return _refused(f"The model `{body['model']}` does not exist.", 404)
        if fault.then == "stall":
            await asyncio.sleep(3600)
        if fault.then == "break":
            assert request.transport is not None
            request.transport.abort()
        if fault.status != 200:
            return _refused(fault.message, fault.status)
        if fault.body is not None:
            return web.Response(text=fault.body, content_type="application/json")
        rows = self.rows(body["messages"]) if fault.rows is None else fault.rows
        answer = {
            "id": "pool-1",
            "object": "list",
            "created": 1_760_000_000,
            "model": MODEL,
            "data": [{"index": 0, "object": "pooling", "data": rows}],
        }
        if fault.has_usage:
            tokens = sum(tokens_of(message["content"]) for message in body["messages"])
            answer["usage"] = {
                "prompt_tokens": tokens,
                "total_tokens": tokens,
                "completion_tokens": 0,
                "prompt_tokens_details": None,
            }
        return web.json_response(answer)

    def rows(self, messages: Sequence[dict[str, str]]) -> list[list[float]]:
        """A row for each tag in the whole prompt, as the server looks at tokens, not at turns."""
        before = [piece for each in messages for piece in each["content"].split(TAG)[:-1]]
        return [[1 - right, right] for right in map(self.rule, before)]

    @property
    def thinkings(self) -> list[str]:
        """The assistant's message of each request."""
        return [body["messages"][-1]["content"] for body in self.bodies]


def tokens_of(text: str) -> int:
    """The double's own count: words, and each tag as one."""
    return len(re.findall(r"<extra_0>|[^\s<]+|<", text))


def _refused(message: str, status: int = 400) -> web.Response:
    error = {"message": message, "type": "BadRequestError", "param": None, "code": status}
    return web.json_response({"error": error}, status=status)


@asynccontextmanager
async def rating(
    rule: Rule, faults: dict[int, Fault] | None = None, key: str | None = None
) -> AsyncIterator[VllmPoolingDouble]:
    """The double on a free port."""
    double = VllmPoolingDouble(rule, faults or {}, key)
    app = web.Application()
    app.router.add_post("/pooling", double.pool)
    async with listening(app) as root:
        double.url = root
        yield double

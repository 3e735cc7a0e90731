"""A double of DeepSeek's API, after its published reference (chat prefix completion, in beta)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from tests.doubles.turns import Body, Fields, Refused, TurnDouble, choice, chunk, sse, unknown

KNOWN = {
    "messages", "model", "thinking", "reasoning_effort", "frequency_penalty", "max_tokens",
    "presence_penalty", "response_format", "stop", "stream", "stream_options", "temperature",
    "top_p", "tools", "tool_choice", "logprobs", "top_logprobs", "user_id",
}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class DeepSeekDouble(TurnDouble):
    """Thinking comes as ``reasoning_content``, keep-alive comments while it waits its turn."""

    sorts: bool = True
    keep_alive: bool = True

    root: ClassVar[str] = "/beta"

    def check(self, request: web.Request, body: Body) -> None:
        last = body["messages"][-1]
        thinks = body.get("thinking", {}).get("type", "enabled") == "enabled"
        if extra := unknown(body, KNOWN):
            raise refused(f"unknown parameters {extra}")
        if last["role"] != "user" and not last.get("prefix"):
            raise refused("The last message must be a user message, or one with prefix mode on")
        if last.get("prefix") and not request.path.startswith("/beta/"):
            raise refused("prefix mode needs the beta base URL")
        if any("reasoning_content" in message for message in body["messages"][:-1]):
            raise refused("reasoning_content belongs to the last message")
        if "reasoning_content" in last and not last.get("prefix"):
            raise refused("reasoning_content needs prefix mode")
        if thinks and ("logprobs" in body or "top_logprobs" in body):
            raise refused("logprobs are not supported in thinking mode")
        if not 0 <= body["temperature"] <= 2 or len(body.get("stop", [])) > 16:
            raise refused("out of range")

    def written(self, body: Body) -> str:
        last = body["messages"][-1]
        thought = str(last.get("reasoning_content", ""))
        return f"{thought}</think>{last['content']}" if last["content"] else thought

    def limit(self, body: Body) -> int:
        return int(body["max_tokens"])

    def events(self, body: Body, pieces: Sequence[Fields], finish: str) -> Iterator[bytes]:
        yield sse(chunk([choice({"role": "assistant", "content": "", "reasoning_content": ""})]))
        for piece in self.chunked(pieces):
            thinks = bool(piece.thinking)
            said = {
                "content": None if thinks else piece.answer,
                "reasoning_content": piece.thinking if thinks else None,
            }
            yield sse(chunk([choice(said, logprobs=None)]))
        if self.error is not None:
            yield sse(self.error)
            return
        yield sse(chunk([choice({"content": "", "reasoning_content": None}, finish)]))
        usage = {
            "prompt_tokens": 30,
            "completion_tokens": len(pieces),
            "prompt_cache_hit_tokens": 20,
            "prompt_cache_miss_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 20},
        }
        yield sse(chunk([], usage=usage))
        yield sse("[DONE]")


def refused(message: str) -> Refused:
    error = {"message": message, "type": "invalid_request_error", "param": None}
    return Refused(400, {"error": {**error, "code": "invalid_request_error"}})

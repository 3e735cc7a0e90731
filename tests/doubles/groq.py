"""A double of Groq's API, after its published reference (assistant message prefilling)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from tests.doubles.turns import Body, Fields, Refused, TurnDouble, choice, chunk, sse, unknown

KNOWN = {
    "messages", "model", "frequency_penalty", "include_reasoning", "max_completion_tokens",
    "max_tokens", "n", "parallel_tool_calls", "presence_penalty", "reasoning_effort",
    "reasoning_format", "response_format", "seed", "service_tier", "stop", "stream",
    "stream_options", "temperature", "tool_choice", "tools", "top_p", "user",
}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class GroqDouble(TurnDouble):
    """Thinking comes in tags, or with ``sorts`` as ``reasoning``. It has no logprobs."""

    def check(self, request: web.Request, body: Body) -> None:
        if extra := unknown(body, KNOWN):
            raise refused(f"property '{extra[0]}' is unsupported")
        if "reasoning_format" in body and "include_reasoning" in body:
            raise refused("only one of reasoning_format and include_reasoning")
        if len(body.get("stop", [])) > 4 or not 0 <= body["temperature"] <= 2:
            raise refused("out of range")
        for message in body["messages"]:
            if extra := unknown(message, {"role", "content", "name", "tool_calls"}):
                raise refused(f"'messages': property '{extra[0]}' is unsupported")

    def written(self, body: Body) -> str:
        return str(body["messages"][-1]["content"]).removeprefix("<think>\n")

    def limit(self, body: Body) -> int:
        return int(body["max_completion_tokens"])

    def events(self, body: Body, pieces: Sequence[Fields], finish: str) -> Iterator[bytes]:
        yield sse(chunk([choice({"role": "assistant", "content": ""})], x_groq={"id": "req"}))
        for piece in self.chunked(pieces):
            said = {"reasoning": piece.thinking} if piece.thinking else {"content": piece.answer}
            yield sse(chunk([choice(said, logprobs=None)]))
        if self.error is not None:
            yield sse(chunk([], x_groq=self.error))
            return
        yield sse(chunk([choice({}, finish)], x_groq={"id": "req", "seed": 1}))
        details = {"cached_tokens": 20}
        usage = {"prompt_tokens": 30, "completion_tokens": len(pieces)}
        yield sse(chunk([], usage={**usage, "prompt_tokens_details": details}))
        yield sse("[DONE]")


def refused(message: str) -> Refused:
    return Refused(400, {"error": {"message": message, "type": "invalid_request_error"}})

"""A double of Mistral's API, after its published schema (``prefix``, thinking chunks)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.doubles.turns import Body, Fields, Refused, TurnDouble, choice, chunk, sse, unknown

KNOWN = {
    "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed",
    "metadata", "response_format", "tools", "tool_choice", "presence_penalty",
    "frequency_penalty", "n", "prediction", "parallel_tool_calls", "reasoning_effort",
    "prompt_mode", "guardrails", "prompt_cache_key", "service_tier", "safe_prompt",
}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class MistralDouble(TurnDouble):
    """It begins with the prefix; ``echoes`` is False for one that is cured of that."""

    sorts: bool = True
    echoes: bool = True

    def check(self, request: web.Request, body: Body) -> None:
        if extra := unknown(body, KNOWN):
            raise forbidden(extra[0], body[extra[0]])
        last = body["messages"][-1]
        if last["role"] == "assistant" and not last.get("prefix"):
            raise refused("Expected last role User or Tool (or Assistant with prefix True)", 400)
        if body["temperature"] == 0 and body["top_p"] != 1:
            raise refused("top_p must be 1 when using greedy sampling.", 400)
        for message in body["messages"]:
            if extra := unknown(message, {"role", "content", "prefix", "tool_calls"}):
                raise forbidden(extra[0], message[extra[0]])

    def written(self, body: Body) -> str:
        thought, closed, said = taken_apart(body)
        return f"{thought}</think>{said}" if closed else thought

    def limit(self, body: Body) -> int:
        return int(body["max_tokens"])

    def echo(self, body: Body) -> list[Fields]:
        thought, _, said = taken_apart(body)
        return [Fields(thinking=thought), Fields(answer=said)] if self.echoes else []

    def events(self, body: Body, pieces: Sequence[Fields], finish: str) -> Iterator[bytes]:
        yield sse(chunk([choice({"role": "assistant", "content": ""})]))
        for piece in self.chunked([piece for piece in pieces if any(piece)]):
            content: Any = piece.answer
            if piece.thinking:
                texts = [{"type": "text", "text": piece.thinking}]
                content = [{"type": "thinking", "thinking": texts}]
            yield sse(chunk([choice({"content": content})]))
        if self.error is not None:
            yield sse(self.error)
            return
        usage = {"prompt_tokens": 30, "completion_tokens": len(pieces), "total_tokens": 0}
        yield sse(chunk([choice({"content": ""}, finish)], usage=usage))
        yield sse("[DONE]")


def taken_apart(body: Body) -> tuple[str, bool, str]:
    content = body["messages"][-1]["content"]
    thoughts = [part for part in content if part["type"] == "thinking"]
    said = "".join(part["text"] for part in content if part["type"] == "text")
    thought = "".join(text["text"] for part in thoughts for text in part["thinking"])
    return thought, all(part["closed"] for part in thoughts), said


def refused(message: Any, status: int) -> Refused:
    error = {"object": "error", "message": message, "type": "invalid_request_error"}
    return Refused(status, {**error, "param": None, "code": None})


def forbidden(name: str, given: Any) -> Refused:
    told = {"type": "extra_forbidden", "loc": ["body", name], "input": given}
    return refused({"detail": [{**told, "msg": "Extra inputs are not permitted"}]}, 422)

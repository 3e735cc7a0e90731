"""A double of vLLM's chat route, for what the bundled model does not do on a real one.

That is a reasoning parser at work, restarts, failures to order. The rest is tested on a real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from tests.doubles.turns import Body, Fields, Refused, TurnDouble, choice, chunk, sse, unknown

KNOWN = {
    "messages", "model", "max_tokens", "stream", "stream_options", "temperature", "top_p", "top_k",
    "min_p", "seed", "repetition_penalty", "stop", "include_stop_str_in_output", "logprobs",
    "top_logprobs", "continue_final_message", "add_generation_prompt",
}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class VllmChatDouble(TurnDouble):
    """``sorts`` is a reasoning parser. With ``withholds`` text lags a token behind its logprobs,
    as for half characters; without ``probable`` there are no logprobs although asked for."""

    withholds: bool = False
    probable: bool = True

    trims: ClassVar[bool] = False

    def check(self, request: web.Request, body: Body) -> None:
        if extra := unknown(body, KNOWN):
            raise refused(f"unknown field {extra[0]}")
        continues = body.get("continue_final_message", False)
        if continues and body.get("add_generation_prompt", True):
            raise refused("Cannot set both continue_final_message and add_generation_prompt")
        if continues and body["messages"][-1]["role"] != "assistant":
            raise refused("continue_final_message needs an assistant message at the end")
        if "top_logprobs" in body and not body.get("logprobs"):
            raise refused("top_logprobs needs logprobs")
        if body["max_tokens"] > 1000:
            raise refused(
                "This model's maximum context length is 1024 tokens. However, you requested "
                f"{body['max_tokens']} output tokens and your prompt contains 24 input tokens"
            )

    def written(self, body: Body) -> str:
        if not body.get("continue_final_message"):
            return ""
        return str(body["messages"][-1]["content"]).removeprefix("<think>\n")

    def limit(self, body: Body) -> int:
        return int(body["max_tokens"])

    def gives_stop(self, body: Body) -> bool:
        return bool(body.get("include_stop_str_in_output"))

    def events(self, body: Body, pieces: Sequence[Fields], finish: str) -> Iterator[bytes]:
        yield sse(chunk([choice({"role": "assistant", "content": ""}, logprobs=None)]))
        for number, piece in enumerate(self.chunked(pieces), start=1):
            name, text = ("reasoning", piece.thinking) if piece.thinking else ("content", piece[1])
            entry = {"token": text, "logprob": -0.25, "bytes": list(text.encode())}
            logprobs = {"content": [{**entry, "top_logprobs": []}]} if self.probable else None
            logprobs = logprobs if body.get("logprobs") else None
            usage = {"prompt_tokens": 30, "completion_tokens": number}
            if self.withholds:
                yield sse(chunk([choice({name: ""}, logprobs=logprobs)], usage=usage))
                logprobs = None
            yield sse(chunk([choice({name: text}, logprobs=logprobs)], usage=usage))
        if self.error is not None:
            yield sse(self.error)
            return
        yield sse(chunk([choice({}, finish, stop_reason=None)]))
        usage = {"prompt_tokens": 30, "completion_tokens": len(pieces)}
        yield sse(chunk([], usage={**usage, "prompt_tokens_details": {"cached_tokens": 20}}))
        yield sse("[DONE]")


def refused(message: str) -> Refused:
    return Refused(400, {"error": {"message": message, "type": "BadRequestError", "code": 400}})

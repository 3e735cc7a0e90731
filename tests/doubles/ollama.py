"""A double of Ollama's native API, after its published schema and what its server documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from tests.doubles.turns import Body, Fields, Refused, TurnDouble

TURN = "<|im_start|>assistant\n"


@dataclass(eq=False, kw_only=True)
class OllamaDouble(TurnDouble):
    """Lines of JSON. ``version`` before 0.12.11 has no logprobs and says nothing of it; a model
    that can think sorts its text unless it is asked not to, even when raw.

    With ``withholds`` text lags a token behind its logprobs, as for half characters.
    """

    version: tuple[int, int, int] = (0, 12, 11)
    context: int = 4096
    withholds: bool = False

    path: ClassVar[str] = "/api/generate"
    root: ClassVar[str] = ""
    media: ClassVar[str] = "application/x-ndjson"

    def check(self, request: web.Request, body: Body) -> None:
        if body["model"] != "m":
            raise Refused(404, {"error": f"model '{body['model']}' not found"})
        if not 0 <= body.get("top_logprobs", 0) <= 20:
            raise Refused(400, {"error": "top_logprobs must be between 0 and 20"})
        if body.get("raw") and any(body.get(name) for name in ("template", "system", "context")):
            told = "raw mode does not support template, system, or context"
            raise Refused(400, {"error": told})
        if len(body["prompt"]) > body["options"].get("num_ctx", self.context):
            if body.get("truncate", True):
                raise AssertionError("the prompt would lose its beginning, silently")
            told = "request (9999 tokens) exceeds the available context size (4096 tokens)"
            runner = {"code": 400, "message": told, "type": "exceed_context_size_error"}
            raise Refused(400, {"error": json.dumps({"error": runner})})
        self.sorts = body.get("think") is not False

    def written(self, body: Body) -> str:
        return str(body["prompt"]).partition(TURN)[2].removeprefix("<think>\n")

    def limit(self, body: Body) -> int:
        return int(body["options"]["num_predict"])

    def stops(self, body: Body) -> bool:
        return "stop" in body["options"]

    def events(self, body: Body, pieces: Sequence[Fields], finish: str) -> Iterator[bytes]:
        probable = body.get("logprobs") and self.version >= (0, 12, 11)
        for piece in self.chunked(pieces):
            text = piece.thinking or piece.answer
            entry = {"token": text, "logprob": -0.25, "bytes": list(text.encode())}
            logprobs = [{**entry, "top_logprobs": []}]
            told: Body = {"model": "m", "response": piece.answer, "done": False}
            if piece.thinking:
                told["thinking"] = piece.thinking
            if probable and self.withholds:
                yield line({**told, "response": "", "logprobs": logprobs})
            elif probable:
                told["logprobs"] = logprobs
            yield line(told)
        if self.error is not None:
            yield line(self.error)
            return
        counts = {"prompt_eval_count": 30, "eval_count": len(pieces)}
        yield line({"model": "m", "response": "", "done": True, "done_reason": finish, **counts})


def line(told: Body) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"

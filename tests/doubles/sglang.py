"""A double of SGLang, both routes, after its published protocol and native API.

Its quirks: logprobs after temperature, a prompt and ``max_tokens`` that together reach the context
are refused (in the stream, with ``/generate``), requests go on after a disconnect until aborted
by their id, ``/generate`` tells everything again in each event unless it streams increments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.doubles.common import END_OF_TURN, Body, Double, Said, Spoken, speak


@dataclass
class SglangDouble(Double):
    """``original_logprobs`` is SGLANG_RETURN_ORIGINAL_LOGPROB, ``increments`` the flag for them."""

    original_logprobs: bool = False
    increments: bool = False
    aborted: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/completions", self.answer)
        app.router.add_post("/generate", self.answer)
        app.router.add_post("/abort_request", self.abort)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/get_model_info", self.info)
        return app

    async def models(self, _: web.Request) -> web.Response:
        card = {"id": "org/m", "owned_by": "sglang", "max_model_len": self.manners.context}
        return web.json_response({"object": "list", "data": [card]})

    async def info(self, _: web.Request) -> web.Response:
        return web.json_response({"model_path": "org/m", "is_generation": True})

    async def abort(self, request: web.Request) -> web.Response:
        self.aborted.append((await request.json())["rid"])
        return web.Response()

    def refusal(self, body: Body) -> web.Response | None:
        if self.manners.status != 200:
            told = {"object": "error", "message": "as told", "type": "X", "code": 1}
            return web.json_response(told, status=self.manners.status)
        if "text" in body:
            return None
        unfit = _unfit(body, self.manners.context)
        told = {"object": "error", "message": unfit, "type": "BadRequestError", "code": 400}
        return None if unfit is None else web.json_response(told, status=400)

    async def events(self, body: Body) -> AsyncIterator[Body | str]:
        native = "text" in body
        asked = body["sampling_params"] if native else body
        if native and (unfit := _unfit(body, self.manners.context)) is not None:
            yield {"error": {"message": unfit}}
            return
        limit = asked["max_new_tokens"] if native else asked["max_tokens"]
        room = self.manners.context - _prompt_tokens(body) - 1
        spoken = speak(
            room if limit is None else min(limit, room),
            asked.get("stop", ()),
            keeps_stop=asked.get("no_stop_trim", False),
        )
        told = 0
        for chunk in self.chunks(spoken):
            if self.manners.then and told >= self.manners.after:
                yield self._trouble(native)
                return
            told = chunk.stop
            is_last = chunk.stop == len(spoken.tokens)
            build = self._native if native else self._openai
            yield build(body, spoken, chunk, is_last)
        if not native:
            usage = self._usage(body, len(spoken.tokens))
            usage["prompt_tokens_details"] = {"cached_tokens": self.manners.cached}
            yield {"choices": [], "usage": usage}

    def _trouble(self, native: bool) -> Body:
        if self.manners.then == "error":
            return {"error": {"message": "out of memory", "code": 500}}
        reason: Any = {"type": "abort", "message": "aborted"} if native else "abort"
        if native:
            return {"text": "", "meta_info": {"finish_reason": reason}}
        return {"choices": [{"index": 0, "text": "", "finish_reason": reason}]}

    def _usage(self, body: Body, completed: int) -> Body:
        prompt = _prompt_tokens(body)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completed,
            "total_tokens": prompt + completed,
            "prompt_tokens_details": None,
        }

    def _openai(self, body: Body, spoken: Spoken, chunk: range, is_last: bool) -> Body:
        choice: Body = {
            "index": 0,
            "text": "".join(spoken.texts[chunk.start : chunk.stop]),
            "logprobs": None,
            "finish_reason": spoken.finish if is_last else None,
            "matched_stop": _matched(spoken) if is_last else None,
        }
        if "logprobs" in body:
            columns = [self._ranked(index, spoken.tokens[index], body) for index in chunk]
            tokens = [spoken.tokens[index].text for index in chunk]
            choice["logprobs"] = {
                "text_offset": [-1] * len(tokens),
                "tokens": tokens,
                "token_logprobs": [
                    self.logprob(index, ranked[spoken.tokens[index].text])
                    for index, ranked in zip(chunk, columns, strict=True)
                ],
                "top_logprobs": [_first(ranked, body["logprobs"]) for ranked in columns],
            }
        event: Body = {"id": body.get("rid", "x"), "choices": [choice], "usage": None}
        if body.get("stream_options", {}).get("continuous_usage_stats"):
            event["usage"] = self._usage(body, chunk.stop)
        return event

    def _native(self, body: Body, spoken: Spoken, chunk: range, is_last: bool) -> Body:
        begun = chunk.start if self.increments else 0
        reason: Body | None = None
        if is_last:
            reason = {"type": spoken.finish, "matched": _matched(spoken)}
        meta: Body = {
            "id": body["rid"],
            "finish_reason": reason,
            "prompt_tokens": _prompt_tokens(body),
            "cached_tokens": self.manners.cached,
            "completion_tokens": chunk.stop,
        }
        if body.get("return_logprob"):
            rows = [self._row(index, spoken, body) for index in range(begun, chunk.stop)]
            meta |= {
                "output_token_logprobs": [chosen for chosen, _ in rows],
                "output_token_logprobs_length": chunk.stop,
            }
            if body["top_logprobs_num"]:
                meta["output_top_logprobs"] = [top for _, top in rows]
        return {"text": "".join(spoken.texts[begun : chunk.stop]), "meta_info": meta}

    def _row(self, index: int, spoken: Spoken, body: Body) -> tuple[list[Any], list[Any]]:
        ranked = self._ranked(index, spoken.tokens[index], body)
        text = spoken.tokens[index].text
        top = _first(ranked, body["top_logprobs_num"])
        return (
            [self.logprob(index, ranked[text]), index, text],
            [[value, 0, other] for other, value in top.items()],
        )

    def _ranked(self, index: int, token: Said, body: Body) -> dict[str, float]:
        temperature = body.get("sampling_params", body)["temperature"]
        return token.logprobs(1.0 if self.original_logprobs else temperature)


def _first(ranked: dict[str, float], count: int) -> dict[str, float]:
    return dict(list(ranked.items())[:count])


def _matched(spoken: Spoken) -> str | int | None:
    if spoken.finish == "length":
        return None
    return spoken.stop or END_OF_TURN


def _prompt_tokens(body: Body) -> int:
    return len((body.get("text") or body["prompt"]).split())


def _unfit(body: Body, context: int) -> str | None:
    prompt = _prompt_tokens(body)
    asked = body["sampling_params"]["max_new_tokens"] if "text" in body else body["max_tokens"]
    sampling = body.get("sampling_params", body)
    if sampling["top_k"] == 0:
        return "top_k must be -1 (disable) or at least 1, got 0."
    if prompt >= context:
        return (
            f"The input ({prompt} tokens) is longer than the model's context length "
            f"({context} tokens)."
        )
    if asked is not None and prompt + asked >= context:
        return (
            f"Requested token count exceeds the model's maximum context length of {context} "
            f"tokens. You requested a total of {prompt + asked} tokens: {prompt} tokens from the "
            f"input messages and {asked} tokens for the completion."
        )
    return None

"""A double of Fireworks' ``/inference/v1/completions``, after its published OpenAPI schema.

Its quirks: at most 5 alternatives, ``top_k`` from 0 to 100, ids inside the logprobs, the stop
string cut off, usage with the last choice, and ``max_tokens`` lowered to what fits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from tests.doubles.common import Body, Double, speak


@dataclass
class FireworksDouble(Double):
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/inference/v1/completions", self.answer)
        return app

    def refusal(self, body: Body) -> web.Response | None:
        prompt = len(body["prompt"].split())
        if self.manners.status != 200:
            return _error(self.manners.status, "as told")
        if not 0 <= body.get("logprobs", 0) <= 5:
            return _error(400, "logprobs: Input should be less than or equal to 5")
        if not 0 <= body.get("top_k", 0) <= 100:
            return _error(400, "top_k: Input should be between 0 and 100")
        if prompt >= self.manners.context:
            return _error(
                400,
                f"The prompt is too long: {prompt}, model maximum context length: "
                f"{self.manners.context}",
            )
        return None

    async def events(self, body: Body) -> AsyncIterator[Body | str]:
        prompt = len(body["prompt"].split())
        room = min(body["max_tokens"], self.manners.context - prompt)
        spoken = speak(room, body.get("stop", ()), keeps_stop=False)
        for chunk in self.chunks(spoken):
            if self.manners.then and chunk.start >= self.manners.after:
                yield {"error": {"message": "gone", "code": "INTERNAL"}}
                return
            is_last = chunk.stop == len(spoken.tokens)
            tokens = [spoken.tokens[index] for index in chunk]
            choice: Body = {
                "index": 0,
                "text": "".join(spoken.texts[chunk.start : chunk.stop]),
                "logprobs": None,
                "finish_reason": spoken.finish if is_last else None,
            }
            if "logprobs" in body:
                choice["logprobs"] = {
                    "tokens": [token.text for token in tokens],
                    "token_logprobs": [
                        self.logprob(index, spoken.tokens[index].logprobs()[token.text])
                        for index, token in zip(chunk, tokens, strict=True)
                    ],
                    "top_logprobs": [
                        dict(list(token.logprobs().items())[: body["logprobs"]]) for token in tokens
                    ],
                    "text_offset": [0] * len(tokens),
                    "token_ids": list(chunk),
                }
            usage = {
                "prompt_tokens": prompt,
                "completion_tokens": chunk.stop,
                "total_tokens": prompt + chunk.stop,
                "prompt_tokens_details": {"cached_tokens": self.manners.cached},
            }
            yield {"object": "text_completion", "choices": [choice]} | (
                {"usage": usage} if is_last else {}
            )


def _error(status: int, message: str) -> web.Response:
    error = {"object": "error", "type": "invalid_request_error", "message": message}
    return web.json_response({"error": error}, status=status)

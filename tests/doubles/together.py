"""A double of Together's ``/v1/completions``, after its published OpenAPI schema.

Its quirks: one token per event, told beside the choice with its logprob and no alternatives, the
finish reason there too; ``eos`` is the end of a turn, ``stop`` a stop string, which is cut off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from tests.doubles.common import Body, Double, speak


@dataclass
class TogetherDouble(Double):
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/completions", self.answer)
        return app

    def refusal(self, body: Body) -> web.Response | None:
        if self.manners.status != 200:
            told = {"error": {"message": "as told", "type": "x", "param": None, "code": None}}
            return web.json_response(told, status=self.manners.status)
        prompt = len(body["prompt"].split())
        if prompt + body["max_tokens"] > self.manners.context:
            message = (
                f"`inputs` tokens + `max_new_tokens` must be <= {self.manners.context}. Given: "
                f"{prompt} `inputs` tokens and {body['max_tokens']} `max_new_tokens`"
            )
            return web.json_response({"error": {"message": message}}, status=422)
        return None

    async def events(self, body: Body) -> AsyncIterator[Body | str]:
        spoken = speak(body["max_tokens"], body.get("stop", ()), keeps_stop=False)
        prompt = len(body["prompt"].split())
        for index, (token, text) in enumerate(zip(spoken.tokens, spoken.texts, strict=True)):
            if self.manners.then and index >= self.manners.after:
                yield {"error": "upstream gone"}
                return
            is_last = index + 1 == len(spoken.tokens)
            finish = spoken.finish if spoken.stop or spoken.finish == "length" else "eos"
            logprob = self.logprob(index, token.logprobs()[token.text])
            completed = index + 1
            yield {
                "id": "x",
                "object": "completion.chunk",
                "token": {
                    "id": index,
                    "text": token.text,
                    "logprob": logprob if "logprobs" in body else None,
                    "special": False,
                },
                "choices": [{"index": 0, "text": text}],
                "finish_reason": finish if is_last else None,
                "usage": {
                    "prompt_tokens": prompt,
                    "completion_tokens": completed,
                    "total_tokens": prompt + completed,
                    "cached_tokens": self.manners.cached,
                }
                if is_last
                else None,
            }

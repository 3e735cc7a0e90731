"""Raw text completions: the prompt is rendered here, the server only continues it.

The one way of speaking that behaves the same on every server. Two shapes of logprobs are read:
the legacy arrays (vLLM, SGLang, Together) and chat-style entries (llama.cpp).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from trigreason.engines.base import (
    Capabilities,
    EngineRefused,
    Finish,
    NoLogprobs,
    Prefix,
    Sampling,
)
from trigreason.engines.http import HttpEngine, HttpStream, Timeouts
from trigreason.engines.refusals import one_line, refusal
from trigreason.engines.sse import EventLines
from trigreason.engines.templates import CHATML, ChatTemplate, TemplateError
from trigreason.engines.wire import decode_chunk, tokens_of
from trigreason.reasoning import Token


class CompletionsEngine(HttpEngine):
    """A model behind ``{url}/completions``, with ``url`` up to and including ``/v1``."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        template: ChatTemplate = CHATML,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        super().__init__(url, model, capabilities=capabilities, api_key=api_key, timeouts=timeouts)
        self.template = template

    def prompt(self, prefix: Prefix) -> str:
        """The text that is sent for a prefix. Raises EngineRefused where the template does."""
        try:
            rendered = self.template.render(prefix.messages, thinking=prefix.thinking)
        except TemplateError as error:
            raise EngineRefused(
                one_line(str(error)), self.where, "Ask it in the turns that its template knows."
            ) from error
        return rendered + prefix.written

    def request_body(
        self, prefix: Prefix, sampling: Sampling, max_tokens: int, alternatives: int | None
    ) -> dict[str, Any]:
        """The JSON of one request, every sampling parameter spelled out."""
        body: dict[str, Any] = {
            "model": self.model,
            "prompt": self.prompt(prefix),
            "max_tokens": max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": -1 if sampling.top_k is None else sampling.top_k,  # 0 is an error to SGLang
            "min_p": sampling.min_p,
            "seed": sampling.seed,
        }
        if alternatives is not None:
            body["logprobs"] = max(1, alternatives)
        return body

    @asynccontextmanager
    async def stream(
        self,
        prefix: Prefix,
        sampling: Sampling,
        *,
        max_tokens: int,
        alternatives: int | None = None,
        needs_logprobs: bool = False,
        one_step: bool = False,
    ) -> AsyncIterator[CompletionStream]:
        body = self.request_body(prefix, sampling, max_tokens, alternatives)
        if one_step:
            body["stop"] = ["\n\n"]
        async with self.post("/completions", body) as response:
            yield CompletionStream(response, self.where, needs_logprobs)


class CompletionStream(HttpStream):
    """One running completion."""

    def __init__(self, response: aiohttp.ClientResponse, where: str, needs_logprobs: bool) -> None:
        super().__init__(response, where, EventLines().feed)
        self._needs_logprobs = needs_logprobs

    def read(self, payload: bytes) -> Sequence[Token]:
        if payload == b"[DONE]":
            return ()
        chunk = decode_chunk(payload, self.where)
        if chunk.error is not None:
            code = chunk.error.code if isinstance(chunk.error.code, int) else 500
            raise refusal(code, chunk.error.message, self.where)
        chunk.add_to(self.usage)
        tokens: list[Token] = []
        for choice in chunk.choices:
            tokens += tokens_of(choice)
            if choice.finish_reason is not None:
                length = choice.finish_reason == "length"
                self.finish = Finish.LENGTH if length else Finish.STOP
            if self._needs_logprobs and choice.text and not choice.has_logprobs:
                raise NoLogprobs(
                    "the model returns no token probabilities",
                    self.where,
                    "Serve the SRM with logprobs, or switch the cognitive offload off (rho = 1).",
                )
        return tokens

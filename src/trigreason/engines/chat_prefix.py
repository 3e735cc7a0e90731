"""Chat APIs that continue an assistant message, for models without raw completions.

The server renders the prompt. So the turn so far is sent in the form that the API expects, a row
of :mod:`trigreason.engines.chat_apis`, and the fields that come back are joined to one text again.
An echo of the prefix is removed only for APIs known to echo: from others, a text that repeats its
own beginning is the model's, and a probe finds a server that echoes nevertheless.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from trigreason.engines.base import (
    BLANK_LINE,
    Capabilities,
    PromptRefused,
    Request,
)
from trigreason.engines.chat_apis import ChatApi
from trigreason.engines.chat_wire import Delta, decode_chat_chunk
from trigreason.engines.completions import StepEnding
from trigreason.engines.earlier_calls import without_calls
from trigreason.engines.fields_stream import FieldsStream
from trigreason.engines.http import HttpEngine, Timeouts
from trigreason.engines.refusals import check_askable, no_logprobs
from trigreason.engines.sse import EventLines
from trigreason.engines.templates import without_reasoning
from trigreason.engines.thinking_text import AssistantTurn, JoinedText
from trigreason.reasoning import Message, Token


class ChatPrefixEngine(HttpEngine):
    """A model behind ``{url}/chat/completions`` of an API that continues assistant messages.

    ``url`` is the API's base URL. If continuing a message needs a special root, such as
    DeepSeek's beta, that replaces ``/v1``.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api: ChatApi,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if api.root:
            url = url.rstrip("/").removesuffix("/v1").removesuffix(api.root) + api.root
        capabilities = capabilities or api.capabilities
        super().__init__(url, model, capabilities=capabilities, api_key=api_key, timeouts=timeouts)
        self.api = api

    @property
    def dialect_name(self) -> str:
        return self.api.name

    def request_body(self, request: Request) -> dict[str, Any]:
        """The JSON of one request, with every sampling parameter that the API has."""
        api, turn = self.api, AssistantTurn(request.prefix)
        messages = [_earlier_turn(message) for message in without_calls(request.prefix.messages)]
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "stream": True,
            api.max_tokens: request.max_tokens,
            **api.always,
            **api.mode(turn),
            **api.sampling(request.sampling),
        }
        if turn.thought is not None or turn.said:
            messages.append({"role": "assistant", **api.message(turn), **api.mark})
            body |= api.continues
        if request.alternatives is not None and self.capabilities.logprobs:
            likeliest = min(request.alternatives, self.capabilities.max_alternatives)
            body |= {"logprobs": True, "top_logprobs": likeliest}
        if request.one_step:
            body |= {"stop": [BLANK_LINE], **api.keeps_stop}
        if request.guide is not None:
            body |= api.guiding(request.guide)
        return body

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[ChatStream]:
        if request.needs_logprobs and not self.capabilities.logprobs:
            raise no_logprobs(self.where, sent=False)
        check_askable(request.prefix, self.where)
        if request.prefix.tools:
            raise PromptRefused(
                f"no tools can be offered with the dialect {self.api.name}",
                self.where,
                "Serve the model with raw completions, or ask without tools.",
                sent=False,
            )
        body = self.request_body(self.fitting(request))
        text = JoinedText(
            AssistantTurn(request.prefix), apart=self.api.apart, echoes=self.api.echoes
        )
        path, limit = "/chat/completions", self.api.max_tokens
        async with self.post_fitting(path, body, limit, request.session) as response:
            yield ChatStream(
                response,
                self.where,
                EventLines().feed,
                text=text,
                needs_logprobs=request.needs_logprobs,
                ending=StepEnding(request.prefix) if request.one_step else None,
            ).of(self, body)


class ChatStream(FieldsStream):
    """One running chat completion."""

    def read(self, payload: bytes) -> Sequence[Token]:
        if payload == b"[DONE]":
            self.over = True
            return ()
        chunk = decode_chat_chunk(payload, self.where)
        if chunk.failure is not None:
            raise chunk.failure.typed(self.where)
        if chunk.usage is not None:
            chunk.usage.add_to(self.usage)
        tokens: list[Token] = []
        for choice in chunk.choices or ():
            delta = choice.delta or Delta()
            tokens += self.tokens(choice, delta.thinking, delta.answer)
        return tokens


def _earlier_turn(message: Message) -> dict[str, Any]:
    """The JSON of an earlier turn; an assistant's without its reasoning."""
    assistant = message.role == "assistant"
    content = without_reasoning(message.content) if assistant else message.content
    return {"role": message.role, "content": content}

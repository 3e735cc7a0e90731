"""Raw text completions: the prompt is rendered here, the server only continues it.

This is the only API that behaves the same on every server. Three forms of logprobs are read: the
legacy arrays (vLLM, SGLang, Fireworks), chat-style entries (llama.cpp), and one token per event
with a single logprob (Together).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from msgspec import UNSET

from trigreason.engines.base import (
    BLANK_LINE,
    Capabilities,
    Finish,
    Prefix,
    PromptRefused,
    Request,
)
from trigreason.engines.dialects import GENERIC, Dialect
from trigreason.engines.finishes import is_told
from trigreason.engines.http import HttpEngine, Timeouts
from trigreason.engines.http_stream import HttpStream
from trigreason.engines.refusals import check_askable, no_logprobs, one_line
from trigreason.engines.sse import EventLines
from trigreason.engines.templates import CHATML, ChatTemplate, TemplateError
from trigreason.engines.tokenizing import counted
from trigreason.engines.wire import Choice, decode_chunk, tokens_of
from trigreason.reasoning import THINK_TAGS, Message, Token, Tool
from trigreason.reasoning.steps import END_OF_THINKING

Body = dict[str, Any]
Prompt = str | list[str | int]
"""A text, or pieces of it and token ids, which llama.cpp takes as well."""

Reading = Callable[[aiohttp.ClientResponse], HttpStream]


class CompletionsEngine(HttpEngine):
    """A model behind ``{url}/completions``, with ``url`` up to and including ``/v1``."""

    path = "/completions"
    dialect: Dialect = GENERIC

    def __init__(
        self,
        url: str,
        model: str,
        *,
        dialect: Dialect | None = None,
        template: ChatTemplate = CHATML,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if dialect is not None:
            self.dialect = dialect
        capabilities = capabilities or self.dialect.capabilities
        super().__init__(url, model, capabilities=capabilities, api_key=api_key, timeouts=timeouts)
        self.template = template
        self.tags = template.tags
        self.tool_form = template.tool_form
        self.keeps_connections = self.dialect.keeps_connections
        self.session_header = self.dialect.session_header

    @property
    def dialect_name(self) -> str:
        return self.dialect.name

    def prompt(self, prefix: Prefix) -> str:
        """The prompt for a prefix. Raises PromptRefused if the template refuses it."""
        check_askable(prefix, self.where)
        try:
            rendered = self.template.render(
                prefix.messages, thinking=prefix.thinking, tags=self.tags, tools=prefix.tools
            )
        except TemplateError as error:
            raise PromptRefused(
                one_line(str(error)),
                self.where,
                "Ask it in the turns that its template knows.",
                sent=False,
            ) from error
        return rendered + self._with_model_tags(prefix.written)

    def sent_prompt(self, prefix: Prefix) -> Prompt:
        """The prompt in the form in which the server gets it."""
        return self.prompt(prefix)

    async def count_tokens(
        self, messages: Sequence[Message], tools: Sequence[Tool] = ()
    ) -> int | None:
        tokenize = self.dialect.tokenize
        if tokenize is None:
            return None
        prompt = self.sent_prompt(Prefix(tuple(messages), tools=tuple(tools)))
        body = {"model": self.model, tokenize.prompt_field: prompt, **tokenize.always}
        async with self.post_to(self.url.removesuffix("/v1") + "/tokenize", body) as response:
            return await counted(response, self.where)

    def _shown(self, prefix: Prefix) -> tuple[str, ...]:
        """The special tokens of the model's calls, if it may call tools."""
        return self.tool_form.special if prefix.tools and self.tool_form else ()

    def _with_model_tags(self, written: str) -> str:
        if self.tags is None or self.tags == THINK_TAGS:
            return written
        for think_tag, model_tag in zip(THINK_TAGS, self.tags, strict=True):
            written = written.replace(think_tag, model_tag)
        return written

    def request_body(self, request: Request) -> Body:
        """The JSON of one request, every sampling parameter spelled out."""
        body: Body = {
            "model": self.model,
            "prompt": self.sent_prompt(request.prefix),
            "max_tokens": request.max_tokens,
            "stream": True,
            **self.dialect.sampling(request.sampling),
            **self.dialect.always,
            **self.dialect.showing(self.tags, self._shown(request.prefix)),
        }
        if request.alternatives is not None:
            body["logprobs"] = max(1, min(request.alternatives, self.capabilities.max_alternatives))
        if request.one_step:
            body |= self.dialect.stopping(self.tags, self._shown(request.prefix))
        if request.guide is not None:
            body |= self.dialect.guiding(request.guide)
        return body

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[HttpStream]:
        fitting = self.fitting(request)
        body, reading = self.request_body(fitting), self.reading(fitting)
        async with self.running(body, reading, fitting.session) as stream:
            yield stream

    def reading(self, request: Request) -> Reading:
        """Builds the stream of a request from the server's response."""
        ending = StepEnding(request.prefix) if request.one_step else None
        return lambda response: CompletionStream(
            response, self.where, request.needs_logprobs, ending
        )

    @asynccontextmanager
    async def running(
        self, body: Body, reading: Reading, session: str | None = None
    ) -> AsyncIterator[HttpStream]:
        """The stream that answers ``body``."""
        async with self.post_fitting(self.path, body, session=session) as response:
            yield reading(response).of(self, body)


BOX = r"\boxed"
"""Prompts for mathematics ask for the final answer in this."""


class StepEnding:
    """Restores the blank line at the end of a one-step stream, if the server left it out.

    Some servers leave the stop string out, and not all of those report whether the stream ended
    by the stop string or by the end of the turn. If that is unknown, a text inside the thinking
    counts as stopped: models end their turn there so rarely that going on is the better mistake.
    A stream without text has ended, and so has a text in the open that gives the boxed answer.
    """

    def __init__(self, prefix: Prefix) -> None:
        self._thinking = END_OF_THINKING not in prefix.written
        self._in_the_open = not prefix.thinking
        self._text = ""
        self._by_stop_string: bool | None = None

    def add(self, choice: Choice) -> None:
        self._text += choice.text or ""
        if not is_told(choice.finish_reason):
            return
        if choice.stopped_by is not UNSET:
            self._by_stop_string = isinstance(choice.stopped_by, str)
        elif choice.finish_reason == "eos":
            self._by_stop_string = False

    def end(self, stream: HttpStream) -> str:
        """The stop string if the server left it out. Sets ``finish`` if the turn has ended."""
        if stream.finish is not Finish.STOP:
            return ""
        if self._by_stop_string is False:
            stream.finish = Finish.END_OF_TURN
        return BLANK_LINE if self._owes_stop_text else ""

    @property
    def _owes_stop_text(self) -> bool:
        if BLANK_LINE in self._text:
            return False
        if self._by_stop_string is not None:
            return self._by_stop_string
        if self._in_the_open and BOX in self._text:
            return False
        return self._thinking and END_OF_THINKING not in self._text and bool(self._text.strip())


class CompletionStream(HttpStream):
    """One running completion; ``ending`` is for a request that stops at the end of a step."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        where: str,
        needs_logprobs: bool,
        ending: StepEnding | None = None,
    ) -> None:
        super().__init__(response, where, EventLines().feed)
        self._lacks_logprobs = needs_logprobs
        self._ending = ending

    def read(self, payload: bytes) -> Sequence[Token]:
        if payload == b"[DONE]":
            self.over = True
            return ()
        chunk = decode_chunk(payload, self.where)
        if chunk.failure is not None:
            raise chunk.failure.typed(self.where)
        chunk.add_to(self.usage)
        tokens: list[Token] = []
        for choice in chunk.parts:
            tokens += self._tokens(choice)
        return tokens

    def at_end(self) -> Sequence[Token]:
        text = self._ending.end(self) if self._ending else ""
        return [Token(text)] if text else ()

    def _tokens(self, choice: Choice) -> Sequence[Token]:
        if choice.has_logprobs:
            self._lacks_logprobs = False  # text that the server held back may still come without
        elif self._lacks_logprobs and choice.text:
            raise no_logprobs(self.where)
        self.ends(choice.finish_reason)
        if self._ending is not None:
            self._ending.add(choice)
        return tokens_of(choice)

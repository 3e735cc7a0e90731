"""Raw text completions: the prompt is rendered here, the server only continues it.

The one way of speaking that behaves the same on every server. Two shapes of logprobs are read:
the legacy arrays (vLLM, SGLang, Fireworks) and chat-style entries (llama.cpp); Together sends a
token at a time with the one of its own.
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
from trigreason.engines.wire import Choice, decode_chunk, tokens_of
from trigreason.reasoning import THINK_TAGS, Token
from trigreason.reasoning.steps import END_OF_THINKING

Body = dict[str, Any]
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
        self.keeps_connections = self.dialect.keeps_connections

    @property
    def dialect_name(self) -> str:
        return self.dialect.name

    def prompt(self, prefix: Prefix) -> str:
        """The text that is sent for a prefix. Raises PromptRefused where the template does."""
        check_askable(prefix, self.where)
        try:
            rendered = self.template.render(
                prefix.messages, thinking=prefix.thinking, tags=self.tags
            )
        except TemplateError as error:
            raise PromptRefused(
                one_line(str(error)),
                self.where,
                "Ask it in the turns that its template knows.",
                sent=False,
            ) from error
        return rendered + self._in_its_own_tags(prefix.written)

    def _in_its_own_tags(self, written: str) -> str:
        if self.tags is None or self.tags == THINK_TAGS:
            return written
        for common, own in zip(THINK_TAGS, self.tags, strict=True):
            written = written.replace(common, own)
        return written

    def request_body(self, request: Request) -> Body:
        """The JSON of one request, every sampling parameter spelled out."""
        body: Body = {
            "model": self.model,
            "prompt": self.prompt(request.prefix),
            "max_tokens": request.max_tokens,
            "stream": True,
            **self.dialect.sampling(request.sampling),
            **self.dialect.always,
            **self.dialect.showing(self.tags),
        }
        if request.alternatives is not None:
            body["logprobs"] = max(1, min(request.alternatives, self.capabilities.max_alternatives))
        if request.one_step:
            body |= self.dialect.stopping(self.tags)
        return body

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[HttpStream]:
        fitting = self.fitting(request)
        async with self.running(self.request_body(fitting), self.reading(fitting)) as stream:
            yield stream

    def reading(self, request: Request) -> Reading:
        """What makes the stream of a request out of the server's response."""
        ending = StepEnding(request.prefix) if request.one_step else None
        return lambda response: CompletionStream(
            response, self.where, request.needs_logprobs, ending
        )

    @asynccontextmanager
    async def running(self, body: Body, reading: Reading) -> AsyncIterator[HttpStream]:
        """The stream that answers ``body``."""
        async with self.post_fitting(self.path, body) as response:
            yield reading(response).of(self)


BOX = r"\boxed"
"""What a prompt of mathematics asks the final answer to be put into."""


class StepEnding:
    """Whether a stream that was to stop at the end of a step still owes the text that ends it.

    Some servers leave the stop string out, and not all of them tell it from the end of a turn.
    Where that is unknown a text inside the thinking counts as stopped: models end their turn
    there so rarely that it is the better mistake to go on. One that wrote nothing at all has
    ended, and so has a text in the open that gives the boxed answer.
    """

    def __init__(self, prefix: Prefix) -> None:
        self._thinking = END_OF_THINKING not in prefix.written
        self._in_the_open = not prefix.thinking
        self._text = ""
        self._told: bool | None = None

    def add(self, choice: Choice) -> None:
        self._text += choice.text or ""
        if not is_told(choice.finish_reason):
            return
        if choice.stopped_by is not UNSET:
            self._told = isinstance(choice.stopped_by, str)
        elif choice.finish_reason == "eos":
            self._told = False

    def end(self, stream: HttpStream) -> str:
        """The text that has ended a stream, where the server left it out; says what its end is."""
        if stream.finish is not Finish.STOP:
            return ""
        if self._told is False:
            stream.finish = Finish.END_OF_TURN
        return BLANK_LINE if self._owes_stop_text else ""

    @property
    def _owes_stop_text(self) -> bool:
        if BLANK_LINE in self._text:
            return False
        if self._told is not None:
            return self._told
        if self._in_the_open and BOX in self._text:
            return False
        return self._thinking and END_OF_THINKING not in self._text and bool(self._text.strip())


class CompletionStream(HttpStream):
    """One running completion; with ``ending`` it was asked to stop at the end of a step."""

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
            self._lacks_logprobs = False  # text that was held back may yet come without
        elif self._lacks_logprobs and choice.text:
            raise no_logprobs(self.where)
        self.ends(choice.finish_reason)
        if self._ending is not None:
            self._ending.add(choice)
        return tokens_of(choice)

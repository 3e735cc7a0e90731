"""SGLang: its OpenAI route and its own, ``/generate``; both abort streams that are closed early.

A closed connection ends a request on most builds, but not on all. So each request has an id, by
which it is aborted if its stream is closed before its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import zip_longest
from typing import Any, NamedTuple
from uuid import uuid4

import aiohttp
import msgspec

from trigreason.engines.base import EngineError, EngineFailed, Finish, Request
from trigreason.engines.completions import (
    Body,
    CompletionsEngine,
    Reading,
    StepEnding,
)
from trigreason.engines.dialects import SGLANG, SGLANG_GENERATE
from trigreason.engines.fields import Count, Events, Text, Unfit
from trigreason.engines.http_stream import HttpStream
from trigreason.engines.refusals import no_logprobs, refusal, status_of
from trigreason.engines.sglang_text import HalfCharacters, SglangStream
from trigreason.engines.sse import EventLines
from trigreason.engines.wire import Choice, aligned, reported
from trigreason.reasoning import Alternative, Token, usable_logprob

ABORT_SECONDS = 1.0
"""The longest time that closing a stream waits for the server to accept the abort."""


class SglangEngine(CompletionsEngine):
    """A model behind SGLang's ``{url}/completions``, with ``url`` up to and including ``/v1``."""

    dialect = SGLANG

    @property
    def root(self) -> str:
        """The server's address without ``/v1``, for the routes that are not OpenAI's."""
        return self.url.removesuffix("/v1")

    def reading(self, request: Request) -> Reading:
        ending = StepEnding(request.prefix) if request.one_step else None
        return lambda response: SglangStream(response, self.where, request.needs_logprobs, ending)

    @asynccontextmanager
    async def running(
        self, body: Body, reading: Reading, session: str | None = None
    ) -> AsyncIterator[HttpStream]:
        body = body | {"rid": uuid4().hex}
        stream: HttpStream | None = None
        accepted = True
        try:
            async with super().running(body, reading, session) as stream:
                yield stream
        except EngineError:
            accepted = stream is not None
            raise
        finally:
            if accepted and (stream is None or goes_on(stream)):
                await self._abort(body["rid"], session)

    async def _abort(self, rid: str, session: str | None) -> None:
        """Abort a request; give up after a moment, since its connection is closed already."""
        url = f"{self.root}/abort_request"
        try:
            async with (
                asyncio.timeout(ABORT_SECONDS),
                self._open_session().post(
                    url, json={"rid": rid}, headers=self.session_headers(session)
                ),
            ):
                pass
        except (TimeoutError, aiohttp.ClientError, OSError):
            pass


class SglangGenerateEngine(SglangEngine):
    """A model behind SGLang's own ``{url}/generate``, which always reports cached tokens.

    This route refuses a request that does not fit only inside the stream, too late to retry it.
    So if ``max_tokens`` may be more than the prompt leaves, the request sets no limit, and the
    tokens are counted here.
    """

    path = "/generate"
    dialect = SGLANG_GENERATE

    def request_body(self, request: Request) -> Body:
        limit = request.max_tokens
        prompt = self.prompt(request.prefix)
        drawn = self.dialect.sampling(request.sampling)
        seed = drawn.pop("seed")
        parameters: Body = {
            **drawn,
            "sampling_seed": seed,
            "repetition_penalty": 1.0,
            "max_new_tokens": limit if self._surely_fits(prompt, limit) else None,
            **self.dialect.showing(self.tags),
        }
        if request.one_step:
            parameters |= self.dialect.stopping(self.tags)
        if request.guide is not None:
            parameters |= self.dialect.guiding(request.guide)
        body: Body = {"text": prompt, "sampling_params": parameters, "stream": True}
        if request.alternatives is not None:
            body |= {
                "return_logprob": True,
                "top_logprobs_num": min(request.alternatives, self.capabilities.max_alternatives),
                "return_text_in_logprobs": True,
            }
        return body

    def _surely_fits(self, prompt: str, max_tokens: int) -> bool:
        """Whether it fits in any case: a token has at least one byte; a BOS token may be added."""
        context = self.capabilities.context_tokens
        return context is None or len(prompt.encode()) + 1 + max_tokens < context

    def reading(self, request: Request) -> Reading:
        is_left_out = request.one_step and self.dialect.showing(self.tags)
        ending = StepEnding(request.prefix) if is_left_out else None
        return lambda response: GenerateStream(
            response, self.where, request.needs_logprobs, request.max_tokens, ending
        )


class Probable(NamedTuple):
    """A token as ``/generate`` sends it."""

    logprob: float | None
    id: int | None
    text: str | None


class FinishReason(msgspec.Struct):
    """Why a stream ended; ``matched`` is the stop string or the end token."""

    type: str | None = None
    matched: int | str | msgspec.UnsetType | None = msgspec.UNSET
    message: str | None = None
    status_code: int | str | None = None


class MetaInfo(msgspec.Struct):
    """Data on the request. All counts are from its beginning; so are the lists, unless the server
    streams increments: then ``output_token_logprobs_length`` still counts all tokens."""

    prompt_tokens: Count | None = None
    cached_tokens: Count | None = None
    completion_tokens: Count | None = None
    finish_reason: FinishReason | None = None
    output_token_logprobs: list[Probable | None] | None = None
    output_top_logprobs: list[list[Probable | None] | None] | None = None
    output_token_logprobs_length: Count | None = None


class Event(msgspec.Struct):
    text: Text | None = None
    meta_info: MetaInfo | None = None
    error: Any = None


_events = Events(Event)


class GenerateStream(HttpStream):
    """One running request to ``/generate``, of at most ``max_tokens`` tokens.

    ``is_cut`` says that all of them came and the server would have gone on.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        where: str,
        needs_logprobs: bool,
        max_tokens: int,
        ending: StepEnding | None = None,
    ) -> None:
        super().__init__(response, where, EventLines().feed)
        self._ending = ending
        self._halves = HalfCharacters()
        self.is_cut = False
        self._lacks_logprobs = needs_logprobs
        self._room = max_tokens
        self._text = ""
        self._seen = 0

    def read(self, payload: bytes) -> Sequence[Token]:
        if payload == b"[DONE]":
            self.over = True
            return ()
        event = self._decode(payload)
        meta = event.meta_info or MetaInfo()
        self._count(meta)
        reason = meta.finish_reason or FinishReason()
        if reason.type == "abort":
            status = status_of(reason.status_code)
            raise refusal(status, reason.message or "the request was aborted", self.where)
        tokens = self._fresh(event.text or "", meta)
        if self._ending is not None:
            new = "".join(token.text for token in tokens)
            self._ending.add(
                Choice(text=new, finish_reason=reason.type, matched_stop=reason.matched)
            )
        self.ends(reason.type)
        return self._halves.whole(self._bounded(tokens))

    def at_end(self) -> Sequence[Token]:
        text = self._ending.end(self) if self._ending else ""
        return [*self._halves.rest(self.finish), *([Token(text)] if text else ())]

    def _decode(self, payload: bytes) -> Event:
        try:
            event = _events.decode(payload)
        except Unfit as error:
            raise EngineFailed(
                f"the stream holds what SGLang does not send ({error})",
                self.where,
                "Is this really SGLang's /generate?",
            ) from error
        if (failure := reported(event.error)) is not None:
            raise failure.typed(self.where)
        return event

    def _count(self, meta: MetaInfo) -> None:
        if meta.prompt_tokens is not None:
            self.usage.prompt_tokens = meta.prompt_tokens
        if meta.cached_tokens is not None:
            self.usage.cached_tokens = meta.cached_tokens
        if meta.completion_tokens is not None:
            self.usage.completion_tokens = meta.completion_tokens

    def _fresh(self, text: str, meta: MetaInfo) -> list[Token]:
        """The tokens that this event adds, whether it holds all tokens so far or only new ones.

        The length of the lists shows which of the two it is. If there are no lists, or their length
        fits neither, the text decides: it begins with all text so far, or it is new.
        """
        chosen = meta.output_token_logprobs or []
        total = meta.output_token_logprobs_length or meta.completion_tokens or len(chosen)
        counted = (
            {len(chosen): True, self._seen + len(chosen): False} if self._seen and chosen else {}
        )
        is_cumulative = counted.get(total, text.startswith(self._text))
        new = text[len(self._text) :] if is_cumulative else text
        self._text += new
        if chosen:
            self._lacks_logprobs = False
        elif new and self._lacks_logprobs:
            raise no_logprobs(self.where)
        tops = meta.output_top_logprobs or []
        tokens = [
            _token(probable, top or ()) for probable, top in zip_longest(chosen, tops) if probable
        ]
        fresh = tokens[self._seen :] if is_cumulative else tokens
        self._seen += len(fresh)
        return aligned(fresh, new)

    def _bounded(self, tokens: list[Token]) -> list[Token]:
        kept = tokens[: self._room]
        self._room -= len(kept)
        if self._room <= 0 and self.finish is None:
            self.is_cut = True
            self.over = True
            self.finish = Finish.LENGTH
        return kept


def goes_on(stream: HttpStream) -> bool:
    """Whether the server would go on generating if the stream were closed now."""
    return stream.finish is None or (isinstance(stream, GenerateStream) and stream.is_cut)


def _token(probable: Probable, top: Sequence[Probable | None]) -> Token:
    alternatives = tuple(
        Alternative(other.text or "", logprob)
        for other in top
        if other is not None and (logprob := usable_logprob(other.logprob)) is not None
    )
    return Token(probable.text or "", usable_logprob(probable.logprob), probable.id, alternatives)

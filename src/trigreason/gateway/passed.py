"""Engines that requests are passed on to as they are, and what such a request used."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import aiohttp
import msgspec

from trigreason.configuration import Configuration, planned_engine
from trigreason.engines.base import EngineFailed, EngineUnreachable, Usage
from trigreason.engines.bodies import error_text
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.fields import Count, Events, Unfit
from trigreason.engines.http import cause
from trigreason.engines.refusals import refusal, retry_after
from trigreason.engines.wire import Choice, ReportedUsage
from trigreason.gateway.errors import ApiError
from trigreason.reasoning import Author, Prices, Purpose, Spent, Stretch
from trigreason.reasoning.spending import PROMPT_BYTES, WRITTEN_BYTES

Route = Literal["completions", "embeddings", "rerank"]
ROUTES: tuple[Route, ...] = get_args(Route)

LARGEST = 64 * 2**20
"""Bytes of a response that is not streamed: many embeddings."""

OWN_FAULTS = (400, 413, 415, 422)
"""Statuses that say that the client's request cannot be served as it is."""


class AllUsage(ReportedUsage):
    """The usage of any route; rerankers report the total alone."""

    total_tokens: Count | None = None

    def add_to(self, usage: Usage) -> None:
        super().add_to(usage)
        if self.prompt_tokens is None and self.total_tokens is not None:
            usage.prompt_tokens = self.total_tokens - (self.completion_tokens or 0)


class PassedAnswer(msgspec.Struct):
    """What is read of a response, or of an event in a stream."""

    usage: AllUsage | None = None
    choices: list[Choice] | None = None
    error: Any = None


_answers = Events(PassedAnswer)


@dataclass(slots=True)
class PassedUse:
    """The tokens of a request and their cost, estimated where the server reports none.

    ``prompt_bytes`` is the size of the request's texts, ``written_bytes`` that of the response's.
    """

    prices: Prices | None
    prompt_bytes: int
    written_bytes: int = 0
    usage: Usage = field(default_factory=Usage)

    def add(self, answer: PassedAnswer) -> None:
        """Count a response, or an event of one."""
        texts = (choice.text or "" for choice in answer.choices or ())
        self.written_bytes += sum(len(text.encode(errors="replace")) for text in texts)
        if answer.usage is not None:
            answer.usage.add_to(self.usage)

    @property
    def is_estimate(self) -> bool:
        return self.usage.prompt_tokens is None

    @property
    def prompt_tokens(self) -> int:
        told = self.usage.prompt_tokens
        return math.ceil(self.prompt_bytes / PROMPT_BYTES) if told is None else told

    @property
    def completion_tokens(self) -> int:
        told = self.usage.completion_tokens
        return math.ceil(self.written_bytes / WRITTEN_BYTES) if told is None else told

    @property
    def spent(self) -> Spent:
        if self.prices is None:
            return Spent(None, False)
        stretch = Stretch(
            Author.LRM,
            Purpose.ANSWER,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.usage.cached_tokens,
            completion_tokens=self.completion_tokens,
        )
        return Spent(self.prices.cost(stretch), self.is_estimate)


class PassedEngine(CompletionsEngine):
    """A model server that clients ask through the gateway."""

    prices: Prices | None = None

    @asynccontextmanager
    async def asked(
        self, route: Route, body: Mapping[str, Any], session: str | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a request; closed on leaving, which ends generation on the server.

        Raises:
            ApiError: the server finds fault with the request (400), in its words.
            EngineError: it does not answer, or answers with another error.
        """
        asked = {**body, "model": self.model}
        response = await self._post(f"{self.url}/{route}", asked, self.session_headers(session))
        try:
            if response.status >= 400:
                text = self.without_key(await error_text(response))
                if response.status in OWN_FAULTS:
                    raise ApiError(400, _words(text), code="refused_by_model")
                after = retry_after(response.headers)
                raise refusal(response.status, text, self.where, after=after)
            yield response
        finally:
            response.close()

    async def whole(self, response: aiohttp.ClientResponse) -> bytes:
        """A response's body. Raises EngineError if it breaks off or is too long."""
        body = bytearray()
        try:
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > LARGEST:
                    raise EngineFailed(f"more than {LARGEST:,} bytes came", self.where, "Ask less.")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._broken(error) from error
        return bytes(body)

    async def arrivals(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """A streamed response's bytes as they come. Raises EngineUnreachable if it breaks off."""
        try:
            async for piece in response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._broken(error) from error

    def read(self, payload: bytes) -> PassedAnswer:
        """A response or an event. Raises EngineFailed if it is not JSON."""
        try:
            return _answers.decode(payload)
        except Unfit as error:
            what = "the response is no JSON"
            raise EngineFailed(what, self.where, "Is the engine's url right?") from error

    def _broken(self, error: BaseException) -> EngineUnreachable:
        what = f"the response broke off ({cause(error)})"
        return EngineUnreachable(what, self.where, "See the server's log.")


def _words(text: str) -> str:
    """The message of an error's body, or its beginning."""
    try:
        body = json.loads(text)
        error = body.get("error", body)
        message = error.get("message") if isinstance(error, dict) else error
    except (ValueError, AttributeError, RecursionError):
        message = None
    return f"The model's server refused the request: {str(message or text)[:500]}"


class PassedEngines:
    """The engines of each route, by their names in the configuration."""

    def __init__(self, engines: Mapping[str, PassedEngine], by_route: Mapping[str, Sequence[str]]):
        self._engines = engines
        self._by_route = by_route

    def of(self, route: Route) -> dict[str, PassedEngine]:
        return {name: self._engines[name] for name in self._by_route.get(route, ())}

    def __iter__(self) -> Iterator[str]:
        return iter(self._engines)

    async def close(self) -> None:
        for engine in self._engines.values():
            await engine.close()


def passed_engines(configuration: Configuration, environ: Mapping[str, str]) -> PassedEngines:
    """The engines that ``gateway.passed`` names; no request is sent to them now.

    Raises:
        ConfigurationError: an API key is missing.
    """
    by_route: dict[str, tuple[str, ...]] = {
        route: getattr(configuration.settings.gateway.passed, route) for route in ROUTES
    }
    engines: dict[str, PassedEngine] = {}
    for name in configuration.passed_engines:
        planned = planned_engine(configuration, name)
        settings = planned.settings
        engine = PassedEngine(
            str(settings.url),
            str(settings.model),
            api_key=planned.api_key(environ),
            timeouts=settings.timeouts,
        )
        engine.prices = settings.prices
        if settings.session_header is not None:
            engine.session_header = settings.session_header
        engines[name] = engine
    return PassedEngines(engines, by_route)

"""The base of all models behind HTTP: connections, timeouts, and errors."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from trigreason.engines.base import (
    Capabilities,
    Engine,
    EngineError,
    EngineRefused,
    EngineUnreachable,
    Request,
    TooManyAlternatives,
)
from trigreason.engines.bodies import error_text
from trigreason.engines.proxies import proxy_for
from trigreason.engines.refusals import (
    alternatives_told,
    one_line,
    refusal,
    retry_after,
    room_told,
)

SESSION_HEADER = "x-session-id"
"""The header of a request's session. vLLM's router looks for this one first; vLLM's production
stack, Envoy, nginx and Caddy hash the one that they are configured for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a server may take, in seconds.

    ``read`` is the longest silence: a long prompt on a slow machine takes minutes.
    """

    connect: float = 10.0
    read: float = 300.0

    def __post_init__(self) -> None:
        for name in ("connect", "read"):
            if not getattr(self, name) > 0:
                raise ValueError(f"the {name} timeout must be above 0 seconds")


class HttpModel:
    """A model behind an HTTP API; ``url`` is the part that all its paths share.

    ``keeps_connections`` is False if the server drops kept-alive connections silently.
    ``session_header`` is the name of the header that carries a request's session; "" sends none.
    """

    keeps_connections = True
    session_header = SESSION_HEADER

    def __init__(self, url: str, model: str, api_key: str | None, timeouts: Timeouts) -> None:
        self.url = url.rstrip("/")
        self.model = model
        self.timeouts = timeouts
        self._api_key = api_key
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.model!r})"

    @property
    def where(self) -> str:
        """How errors name this model."""
        return f"{self.model} at {self.url}"

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def post(
        self, path: str, body: dict[str, Any], session: str | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a POST below ``url``; see :meth:`post_to`."""
        async with self.post_to(self.url + path, body, session) as response:
            yield response

    @asynccontextmanager
    async def post_to(
        self, url: str, body: dict[str, Any], session: str | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a POST; closed on leaving, which ends generation on the server.

        Raises:
            EngineError: the server does not answer, or answers with an error.
        """
        response = await self._post(url, body, self.session_headers(session))
        try:
            if response.status >= 400:
                text = self.without_key(await error_text(response))
                after = retry_after(response.headers)
                raise refusal(response.status, text, self.where, after=after)
            yield response
        finally:
            response.close()

    def session_headers(self, session: str | None) -> dict[str, str]:
        """The header with the session of a request; none without a session."""
        return {self.session_header: session} if self.session_header and session else {}

    async def _post(
        self, url: str, body: dict[str, Any], headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        try:
            return await self._answered(url, body, headers)
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            pass  # a kept-alive connection, meanwhile closed by the server: try a new one
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error
        try:
            return await self._answered(url, body, headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    async def _answered(
        self, url: str, body: dict[str, Any], headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """The response's headers; a server may be slow, but not send byte by byte for ever."""
        async with asyncio.timeout(self.timeouts.connect + self.timeouts.read):
            return await self._open_session().post(url, json=body, headers=headers)

    def without_key(self, text: str) -> str:
        """A text from the server, with the API key hidden."""
        return text.replace(self._api_key, "(the key)") if self._api_key else text

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                proxy=proxy_for(self.url),
                connector=aiohttp.TCPConnector(limit=0, force_close=not self.keeps_connections),
                headers=key_headers(self._api_key),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self.timeouts.connect, sock_read=self.timeouts.read
                ),
                read_bufsize=2**18,
            )
        return self._session

    def _unreachable(self, error: BaseException) -> EngineUnreachable:
        return unreachable(error, self.where)


class HttpEngine(HttpModel, Engine):
    """An engine behind an HTTP API."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        super().__init__(url, model, api_key, timeouts or Timeouts())
        self.capabilities = capabilities or Capabilities()

    @property
    @abstractmethod
    def dialect_name(self) -> str:
        """The name of its dialect, as a user can choose it."""

    def fitting(self, request: Request) -> Request:
        """The request with ``max_tokens`` limited to the context, if that is known."""
        most = self.capabilities.context_tokens or request.max_tokens
        return replace(request, max_tokens=min(request.max_tokens, most))

    @asynccontextmanager
    async def post_fitting(
        self,
        path: str,
        body: dict[str, Any],
        limit: str = "max_tokens",
        session: str | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """As ``post``, and once more with each number smaller that the server finds too large.

        No more can be generated than the prompt leaves of the context. Most servers then generate
        less; some refuse, and name the numbers. Some refuse more than a few alternatives.
        """
        changed: set[str] = set()
        async with AsyncExitStack() as stack:
            while True:
                try:
                    response = await stack.enter_async_context(self.post(path, body, session))
                    break
                except EngineRefused as refused:
                    smaller = self._smaller(refused, body, limit)
                    if not smaller or smaller.keys() & changed:
                        raise
                    changed |= smaller.keys()
                    body = body | smaller
            yield response

    def _smaller(self, refused: EngineRefused, body: dict[str, Any], limit: str) -> dict[str, int]:
        """The field of a refused request that was too large, and what fits; empty if neither."""
        room = room_told(refused)
        if room is not None and room < body.get(limit, 0):
            return {limit: room}
        return self._fewer_alternatives(refused, body)

    def _fewer_alternatives(self, refused: EngineError, body: Mapping[str, Any]) -> dict[str, int]:
        """The field that asks for too many alternatives, and how many there are; else empty."""
        field = next((name for name in ("logprobs", "top_logprobs") if body.get(name, 0) > 1), "")
        if not field or (most := alternatives_told(refused, body[field])) is None:
            return {}
        self.capabilities = replace(self.capabilities, max_alternatives=most)
        return {field: max(1, most)}

    def reconsidered(self, body: Mapping[str, Any], error: EngineError) -> EngineError:
        """The error to raise for one that a stream began with.

        vLLM refuses too many alternatives within a stream that has the status 200. The engine then
        knows how many there are, so that the next attempt may succeed.
        """
        is_final = isinstance(error, EngineRefused) and not error.transient
        if not is_final or not self._fewer_alternatives(error, body):
            return error
        return TooManyAlternatives(
            error.what, error.where, "Try again: fewer alternatives are asked for."
        )


def key_headers(api_key: str | None) -> dict[str, str]:
    """The header with the API key; none without a key."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def unreachable(error: BaseException, where: str) -> EngineUnreachable:
    """The error to raise where no connection came about, or none that stayed."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        advice = "Is the server's certificate one that this machine trusts?"
        return EngineUnreachable(f"no answer ({cause(error)})", where, advice)
    if isinstance(error, aiohttp.ClientSSLError):
        return EngineUnreachable(
            "what answers there speaks no TLS",
            where,
            "Write http:// instead of https://, or name the port that serves https.",
        )
    advice = "Is the server running, and is the address right?"
    return EngineUnreachable(f"no answer ({cause(error)})", where, advice)


def cause(error: BaseException) -> str:
    """The cause of a connection error, in a few words."""
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, aiohttp.TooManyRedirects):
        return "it redirects again and again"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, aiohttp.ClientResponseError):
        text = error.message  # without the URL, which the error names anyway
    return one_line(text) if text else type(error).__name__

"""What every engine behind HTTP shares: connections, timeouts, and errors."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from trigreason.engines.base import (
    Capabilities,
    Engine,
    EngineRefused,
    EngineUnreachable,
    Request,
)
from trigreason.engines.bodies import error_text
from trigreason.engines.proxies import proxy_for
from trigreason.engines.refusals import one_line, refusal, retry_after, room_told


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a server may take, in seconds.

    ``read`` is the longest silence: a long prompt on a slow machine is silent for minutes.
    """

    connect: float = 10.0
    read: float = 300.0

    def __post_init__(self) -> None:
        for name in ("connect", "read"):
            if not getattr(self, name) > 0:
                raise ValueError(f"the {name} timeout must be above 0 seconds")


class HttpEngine(Engine):
    """A model behind an HTTP API, with ``url`` as far as its paths have in common.

    ``keeps_connections`` is False where a server drops kept-alive connections silently.
    """

    keeps_connections = True

    def __init__(
        self,
        url: str,
        model: str,
        *,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.model = model
        self.capabilities = capabilities or Capabilities()
        self.timeouts = timeouts or Timeouts()
        self._api_key = api_key
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.model!r})"

    @property
    @abstractmethod
    def dialect_name(self) -> str:
        """How it is spoken to, under the name that a user can choose."""

    @property
    def where(self) -> str:
        """How errors name this engine."""
        return f"{self.model} at {self.url}"

    def fitting(self, request: Request) -> Request:
        """The request with no more tokens than a known context has."""
        most = self.capabilities.context_tokens or request.max_tokens
        return replace(request, max_tokens=min(request.max_tokens, most))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def post(self, path: str, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The stream that answers a POST; closed on leaving, which ends generation upstream.

        Raises:
            EngineError: nobody answers, or the answer is an error or no stream.
        """
        response = await self._post(self.url + path, body)
        try:
            if response.status >= 400:
                text = self.without_key(await error_text(response))
                after = retry_after(response.headers)
                raise refusal(response.status, text, self.where, after=after)
            yield response
        finally:
            response.close()

    @asynccontextmanager
    async def post_fitting(
        self, path: str, body: dict[str, Any], limit: str = "max_tokens"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """As ``post``, and once more with a smaller ``limit`` where the tokens do not fit.

        No more can be generated than the prompt leaves of the context. Most servers take that
        for granted; some refuse, and name the numbers.
        """
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self.post(path, body))
            except EngineRefused as refused:
                room = room_told(refused)
                if room is None or room >= body.get(limit, 0):
                    raise
                fitting = self.post(path, body | {limit: room})
                response = await stack.enter_async_context(fitting)
            yield response

    async def _post(self, url: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        try:
            return await self._answered(url, body)
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            pass  # a kept-alive connection, meanwhile closed by the server: try a new one
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error
        try:
            return await self._answered(url, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    async def _answered(self, url: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        """The head of the answer, which may come slowly, but not byte by byte for ever."""
        async with asyncio.timeout(self.timeouts.connect + self.timeouts.read):
            return await self._open_session().post(url, json=body)

    def without_key(self, text: str) -> str:
        """Words of the server, fit to be shown."""
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
        return EngineUnreachable(
            f"no answer ({cause(error)})",
            self.where,
            "Is the server running, and is the address right?",
        )


def key_headers(api_key: str | None) -> dict[str, str]:
    """The headers that show a key; none without one."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def cause(error: BaseException) -> str:
    """What lies behind a connection error, in a few words."""
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, aiohttp.TooManyRedirects):
        return "it redirects again and again"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, aiohttp.ClientResponseError):
        text = error.message  # without the URL, which the error names anyway
    return one_line(text) if text else type(error).__name__

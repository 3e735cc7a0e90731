"""What every engine behind HTTP shares: connections, timeouts, and streams that may break."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from trigreason.engines.base import (
    Capabilities,
    Engine,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    Finish,
    Usage,
)
from trigreason.engines.fields import Unfit
from trigreason.engines.finishes import finish_of, is_told
from trigreason.engines.proxies import proxy_for
from trigreason.engines.refusals import no_stream, one_line, refusal, retry_after, room_told
from trigreason.engines.sse import LAST, Unframed
from trigreason.reasoning import Token

LINGERS = 2.0
"""How long a stream is listened to behind its finish, in seconds, for what it has used."""


LONGEST_PAYLOAD = 4 * 2**20
"""Bytes of one event of a stream; more than the probabilities of many tokens take."""

Split = Callable[[bytes], Iterator[bytes]]


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
                text = await self._error_body(response)
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
        session = self._open_session()
        try:
            return await session.post(url, json=body)
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            pass  # a kept-alive connection, meanwhile closed by the server: try a new one
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error
        try:
            return await session.post(url, json=body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    async def _error_body(self, response: aiohttp.ClientResponse) -> str:
        try:
            text = await response.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return ""  # the status alone says enough
        return self.without_key(text)

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


class HttpStream(ABC):
    """A running request; see ``TokenStream``. A dialect says what one payload means.

    ``split`` turns bytes as they arrive into payloads: server-sent events or lines of JSON. Once
    :meth:`read` has set ``over`` nothing more is read, even where the server sends on.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        where: str,
        split: Split,
    ) -> None:
        self.finish: Finish | None = None
        self.usage = Usage()
        self.over = False
        self._silence = Timeouts().read
        self._shown: Callable[[str], str] = str
        self._left_at: float | None = None
        self._has_text = False
        self.where = where
        self._response = response
        self._split = bounded(split, where)

    def of(self, engine: HttpEngine) -> Self:
        """The same stream, broken by a silence too long for ``engine``, and shy of its key."""
        self._silence = engine.timeouts.read
        self._shown = engine.without_key
        return self

    def ends(self, reason: str | None) -> None:
        """Take a finish reason, if it says anything; the first one stands.

        Raises:
            EngineError: it is no end of a text but a failure.
        """
        if self.finish is None and reason is not None and is_told(reason):
            self.finish = finish_of(reason, self.where)

    @abstractmethod
    def read(self, payload: bytes) -> Sequence[Token]:
        """The tokens in one payload; also sets ``finish``, ``usage`` and ``over`` where it tells.

        Raises:
            EngineError: the payload is an error, or none of this dialect's.
        """

    def at_end(self) -> Sequence[Token]:
        """Tokens that follow from a regular end, such as a stop string the server left out."""
        return ()

    async def __aiter__(self) -> AsyncIterator[Sequence[Token]]:
        more = True
        broken: BaseException | None = None
        while more and not self.over:
            try:
                data = await self._arrival()
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                data, broken = b"", error
            more = bool(data)
            tokens, failure = self._read_all(data or LAST)
            if tokens:
                self._has_text = True
                yield tokens
            if broken is not None and self.finish is None:
                raise self._broken(f"the stream broke off ({cause(broken)})") from broken
            if failure is not None and (more or not self._is_torn(failure)):
                raise failure
        if self.finish is None:
            raise self._broken("the stream ended without saying why")
        if rest := self.at_end():
            yield rest

    def _read_all(self, data: bytes) -> tuple[list[Token], EngineError | None]:
        """The tokens in ``data`` up to a failure, and that.

        A finish is final: what cannot be read behind one is nobody's loss.
        """
        tokens: list[Token] = []
        try:
            for payload in self._split(data):
                if isinstance(payload, Unframed):
                    raise no_stream(payload.decode(errors="replace"), self.where)
                tokens += self.read(payload)
                if self.over:
                    break
        except EngineError as error:
            if self.finish is None:
                error.what = self._shown(error.what)
                return tokens, error
            self.over = True
        return tokens, None

    def _is_torn(self, failure: EngineError) -> bool:
        """Whether what cannot be read at the end is half an event."""
        return self._has_text or isinstance(failure.__cause__, Unfit)

    async def _arrival(self) -> bytes:
        content, clock = self._response.content, asyncio.get_running_loop().time
        if self.finish is not None:
            self._left_at = self._left_at or clock() + LINGERS
            if clock() >= self._left_at:
                return b""
        elif data := content.read_nowait():
            return data
        silent_at = clock() + self._silence
        # aiohttp's own timeout is lost where a chunk's framing is damaged
        async with asyncio.timeout_at(min(silent_at, self._left_at or silent_at)):
            return await content.readany()

    def _broken(self, what: str) -> EngineUnreachable:
        return EngineUnreachable(
            what, self.where, "What had arrived is kept; look at the server's log for the cause."
        )


def bounded(split: Split, where: str) -> Split:
    """The same, for streams whose payloads come to an end: EngineFailed where one does not."""
    waiting = 0

    def pieces(data: bytes) -> Iterator[bytes]:
        nonlocal waiting
        waiting += len(data)
        for payload in split(data):
            waiting = 0
            yield payload
        if waiting > LONGEST_PAYLOAD:
            raise EngineFailed(
                f"the stream brought {waiting:,} bytes without an event",
                where,
                "Is this really a server of models?",
            )

    return pieces


def key_headers(api_key: str | None) -> dict[str, str]:
    """The headers that show a key; none without one."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def cause(error: BaseException) -> str:
    """What lies behind a connection error, in a few words."""
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text) if text else type(error).__name__

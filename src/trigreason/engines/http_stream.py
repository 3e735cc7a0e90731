"""A running request over HTTP, whose stream may break off, stay open or be unreadable."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self

import aiohttp

from trigreason.engines.base import EngineError, EngineFailed, EngineUnreachable, Finish, Usage
from trigreason.engines.fields import Unfit
from trigreason.engines.finishes import finish_of, is_told
from trigreason.engines.http import HttpEngine, Timeouts, cause
from trigreason.engines.refusals import no_stream
from trigreason.engines.sse import LAST, Unframed
from trigreason.reasoning import Token

LINGERS = 2.0
"""How long a stream is read after its finish reason, in seconds, for the usage."""

LONGEST_PAYLOAD = 4 * 2**20
"""Bytes of one event of a stream; more than the probabilities of many tokens take."""

LONGEST_TEXT = 16 * 2**20
"""Characters that one stream may bring, however many tokens the server counts."""

Split = Callable[[bytes], Iterator[bytes]]


class HttpStream(ABC):
    """A running request; see ``TokenStream``. A subclass reads the payloads of one dialect.

    ``split`` turns bytes as they arrive into payloads: server-sent events or lines of JSON. Once
    :meth:`read` has set ``over`` nothing more is read, even if the server sends more.
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
        self._reconsidered: Callable[[EngineError], EngineError] = lambda error: error
        self._left_at: float | None = None
        self._has_text = False
        self._characters = 0
        self.where = where
        self._response = response
        self._split = bounded(split, where)

    def of(self, engine: HttpEngine, body: Mapping[str, Any]) -> Self:
        """This stream with the timeout of ``engine``, which sent ``body``.

        Its errors hide the engine's API key, and tell the engine how many alternatives there are.
        """
        self._silence = engine.timeouts.read
        self._shown = engine.without_key
        self._reconsidered = partial(engine.reconsidered, body)
        return self

    def ends(self, reason: str | None) -> None:
        """Set ``finish`` from a finish reason, if it says anything; the first one counts.

        Raises:
            EngineError: the reason is a failure.
        """
        if self.finish is None and reason is not None and is_told(reason):
            self.finish = finish_of(reason, self.where)

    @abstractmethod
    def read(self, payload: bytes) -> Sequence[Token]:
        """The tokens in one payload; also sets ``finish``, ``usage`` and ``over`` from it.

        Raises:
            EngineError: the payload is an error, or not of this dialect.
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
                self._weigh(tokens)
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
        """The tokens in ``data`` up to a failure, and the failure.

        A finish reason is final: after one, data that cannot be read does no harm.
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
                return tokens, error if self._has_text else self._reconsidered(error)
            self.over = True
        return tokens, None

    def _weigh(self, tokens: Sequence[Token]) -> None:
        self._has_text = True
        self._characters += sum(len(token.text) for token in tokens)
        if self._characters > LONGEST_TEXT:
            raise EngineFailed(
                f"the stream brought more than {LONGEST_TEXT:,} characters of text",
                self.where,
                "Is this really a server of models?",
            )

    def _is_torn(self, failure: EngineError) -> bool:
        """Whether the unreadable end of a stream is half an event."""
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
    """``split``, but raising EngineFailed when a payload does not come to an end."""
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

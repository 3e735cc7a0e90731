"""The response to a request that is passed on to an engine as it is.

It has the limits, the place in the queue, the record and the cancellation of a pair's response.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from trigreason.engines.sse import LAST, EventLines, Unframed
from trigreason.engines.wire import reported
from trigreason.gateway.delivery import Delivery, Wire
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Exchange
from trigreason.gateway.gateway_request import GatewayRequest
from trigreason.gateway.passed import PassedEngine, PassedUse, Route
from trigreason.gateway.service import Service
from trigreason.gateway.storage import Worst
from trigreason.gateway.text_completion import TextAnswer

COMPLETION_TOKENS = 16
"""The ``max_tokens`` of a text completion that names none."""

METHOD = "passed"
"""What records and metrics have in place of a method."""

DONE = b"[DONE]"


class Passing(Delivery):
    """Passes ``body`` on to ``engine``, and its response to the client."""

    def __init__(
        self,
        service: Service,
        exchange: Exchange,
        engine: PassedEngine,
        route: Route,
        body: dict[str, Any],
    ) -> None:
        request = GatewayRequest(messages=(), streamed=exchange.streamed)
        errors = TextAnswer(exchange, include_usage=False, with_events=False)
        super().__init__(service, exchange, request, errors)
        self._engine = engine
        self._route = route
        self._body = body
        options = body.get("stream_options")
        self._shows_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        if exchange.streamed:
            known = options if isinstance(options, dict) else {}
            self._body = body | {"stream_options": {**known, "include_usage": True}}

    async def _serve(self, wire: Wire) -> None:
        exchange, engine = self._exchange, self._engine
        try:
            async with asyncio.timeout(self._seconds_left()), AsyncExitStack() as stack:
                if exchange.streamed:
                    await stack.enter_async_context(self._kept_alive(wire))
                await self._enter(stack)
                exchange.passed = PassedUse(engine.prices, _size(self._body))
                session = exchange.conversation and exchange.conversation[:32]
                asked = engine.asked(self._route, self._body, session)
                response = await stack.enter_async_context(asked)
                if exchange.streamed:
                    lines = EventLines()
                    async for data in engine.arrivals(response):
                        await self._pass(lines.feed(data), exchange.passed, wire)
                    await self._pass(lines.feed(LAST), exchange.passed, wire)
                else:
                    whole = await engine.whole(response)
                    exchange.passed.add(engine.read(whole))
        except TimeoutError:
            what = "The model did not finish within the time that a request may take."
            raise ApiError(503, what, code="request_timeout", retry_after=5.0) from None
        self._finished()
        if exchange.streamed:
            await self._begin(wire)
            await wire.end(b"data: [DONE]\n\n")
        else:
            await wire.whole(200, whole, self._about())

    async def _pass(self, payloads: Iterator[bytes], use: PassedUse, wire: Wire) -> None:
        """Send events on; the usage that only the gateway asked for is left out."""
        engine = self._engine
        for payload in payloads:
            if payload == DONE or isinstance(payload, Unframed):
                continue
            answer = engine.read(payload)
            if (error := reported(answer.error)) is not None:
                raise error.typed(engine.where)
            use.add(answer)
            if answer.choices or self._shows_usage:
                await self._begin(wire)
                await wire.send(b"data: " + payload + b"\n\n")

    def _worst(self) -> Worst:
        prompt = PassedUse(self._engine.prices, _size(self._body))
        most = prompt.prompt_tokens
        written = 0
        if self._route == "completions":
            written = _count(self._body, "max_tokens", COMPLETION_TOKENS)
            written *= _count(self._body, "n", 1)
        if (prices := self._engine.prices) is None:
            return Worst(written, None, most)
        return Worst(written, written * prices.output / 1e6, most, most * prices.input / 1e6)


def _size(body: dict[str, Any]) -> int:
    """The bytes of what the model reads; more than its text, less than twice as many."""
    names = ("prompt", "input", "query", "documents")
    return len(msgspec.json.encode([body[name] for name in names if name in body]))


def _count(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    return value if isinstance(value, int) and value > 0 else default

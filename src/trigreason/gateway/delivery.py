"""From an accepted request to the last byte of its response, as an ASGI response.

Everything that takes time happens here, so that a client's disconnect cancels all of it at
once: the wait for a place, the run, and every upstream request of the run.

    run       the key's limits -> a place -> the pair -> all choices concurrently
    response  headers are sent with the first text or keep-alive comment; a failure before that
              has its own HTTP status, a failure after it is an event in the stream
    record    is entered before the last chunk is sent: a complete response is always recorded
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import perf_counter
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from trigreason.engines.base import EngineError
from trigreason.events import HandedOver, WentOnAlone
from trigreason.gateway.account import headers, ids
from trigreason.gateway.admission import QueueFull
from trigreason.gateway.errors import ApiError, in_short, of_database, of_engine, of_fault
from trigreason.gateway.exchange import ChoiceRun, Exchange, ExchangeOutcome
from trigreason.gateway.gateway_request import GatewayRequest
from trigreason.gateway.runs import carry_out
from trigreason.gateway.service import Service
from trigreason.gateway.storage import DatabaseAway, OverLimit, Worst
from trigreason.gateway.tools import GatewayEvent
from trigreason.pairs import Pair
from trigreason.reasoning import prompt_tokens

READING_SECONDS = 10.0
"""How long after ``request_seconds`` a client that has not read its response is disconnected."""

_logger = logging.getLogger("trigreason.gateway")


class Rendering(Protocol):
    """How one API renders an exchange; the bytes may be empty.

    ``failure`` ends a stream, ``refusal`` is the status and the body of a response.
    """

    def stream(self, run: ChoiceRun, event: GatewayEvent) -> bytes: ...
    def end(self) -> bytes: ...
    def failure(self, error: ApiError) -> bytes: ...
    def gather(self, run: ChoiceRun, event: GatewayEvent) -> None: ...
    def whole(self) -> bytes: ...
    def keep_alive(self) -> bytes: ...
    def refusal(self, error: ApiError) -> tuple[int, bytes]: ...


class Delivery(Response):
    """The response of one exchange."""

    def __init__(
        self, service: Service, exchange: Exchange, request: GatewayRequest, rendering: Rendering
    ) -> None:
        super().__init__()
        self._service = service
        self._exchange = exchange
        self._request = request
        self._rendering = rendering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = Wire(send)
        self._service.begin(self._exchange)
        work = asyncio.create_task(self._answer(wire))
        gone = asyncio.create_task(_disconnected(receive))
        self._service.live.add(work)
        longest = self._service.settings.limits.request_seconds + READING_SECONDS
        try:
            await asyncio.wait((work, gone), timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._service.live.discard(work)
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
            self._service.finish(self._exchange, ExchangeOutcome.CANCELLED)
        if not work.cancelled() and (error := work.exception()):
            raise error

    async def _answer(self, wire: Wire) -> None:
        try:
            await self._serve(wire)
        except ApiError as error:
            await self._fail(wire, error)
        except EngineError as error:
            _logger.warning("%s: %s: %s", self._exchange.id, error.where, in_short(error.what))
            await self._fail(wire, of_engine(error))
        except asyncio.CancelledError:
            if self._service.is_stopping:
                what = "The gateway is shutting down. Send the request again."
                await self._fail(wire, ApiError(503, what, code="shutdown", retry_after=5.0))
            raise
        except Exception as error:
            _logger.exception("%s: a fault of the gateway", self._exchange.id)
            await self._fail(wire, of_fault(error))

    async def _serve(self, wire: Wire) -> None:
        """Answer the request. Raises ApiError, EngineError."""
        async with AsyncExitStack() as stack:
            pair = self._service.catalogue[self._exchange.choice.pair].pair
            if self._request.streamed:
                await stack.enter_async_context(self._kept_alive(wire))
            await self._enter(stack)
            await self._run_all(pair, wire)
        self._finished()
        if self._request.streamed:
            await self._begin(wire)
            await wire.end(self._rendering.end())
        else:
            await wire.whole(200, self._rendering.whole(), self._about())

    def _finished(self) -> None:
        self._service.finish(self._exchange, ExchangeOutcome.FINISHED)

    async def _enter(self, stack: AsyncExitStack) -> None:
        """Pass the key's rate limits and wait for a place."""
        exchange = self._exchange
        if exchange.key is not None:
            exchange.admitted = True  # before the await: the client may disconnect during it
            try:
                await self._service.storage.admit(exchange.key, exchange.id, self._worst())
            except OverLimit as over:
                exchange.admitted = False
                raise _over(over) from over
            except DatabaseAway as away:
                raise of_database() from away
        waiting_since = perf_counter()
        place = self._service.admission.place(exchange.source, len(exchange.runs))
        try:
            async with asyncio.timeout(self._seconds_left()):
                await stack.enter_async_context(place)
        except QueueFull as full:
            what = "Too many requests are waiting already. Try again later."
            raise ApiError(429, what, code="queue_full", retry_after=full.retry_after) from full
        except TimeoutError:
            what = "No place became free within the time that a request may take."
            raise ApiError(503, what, code="queue_timeout", retry_after=5.0) from None
        finally:
            exchange.queued_seconds = perf_counter() - waiting_since

    def _handler(self, wire: Wire) -> Callable[[ChoiceRun, GatewayEvent], Awaitable[None]]:
        """What is called with each event of a run."""

        async def stream(run: ChoiceRun, event: GatewayEvent) -> None:
            self._observe(run, event)
            if chunk := self._rendering.stream(run, event):
                await self._begin(wire)
                await wire.send(chunk)

        async def gather(run: ChoiceRun, event: GatewayEvent) -> None:
            self._observe(run, event)
            self._rendering.gather(run, event)

        return stream if self._request.streamed else gather

    async def _run_all(self, pair: Pair, wire: Wire) -> None:
        """Run all choices concurrently.

        Raises:
            EngineError: one failed, and the others were cancelled.
        """
        exchange, request, handle = self._exchange, self._request, self._handler(wire)
        settings = self._service.catalogue[exchange.choice.pair].plan.settings
        sampling = request.sampling(settings.sampling)
        in_the_open = pair.srm.tags is None and pair.lrm.tags is None
        budget = request.budget(settings.budget, self._seconds_left(), in_the_open=in_the_open)
        runs = [
            carry_out(exchange, run, request, pair, sampling, budget, handle)
            for run in exchange.runs
        ]
        if len(runs) == 1:
            await runs[0]
            return
        try:
            async with asyncio.TaskGroup() as group:
                for run in runs:
                    group.create_task(run)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _fail(self, wire: Wire, error: ApiError) -> None:
        outcome = ExchangeOutcome.FAILED if error.status >= 500 else ExchangeOutcome.REFUSED
        if error.code == "queue_timeout":
            outcome = ExchangeOutcome.EXPIRED
        self._service.finish(self._exchange, outcome, error.cause)
        if wire.begun:
            await wire.end(self._rendering.failure(error))
            return
        status, body = self._rendering.refusal(error)
        await wire.whole(status, body, ids(self._exchange) | error.headers)

    @asynccontextmanager
    async def _kept_alive(self, wire: Wire) -> AsyncIterator[None]:
        """Send signs of life while the block runs."""
        keeper = asyncio.create_task(self._keep_alive(wire))
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def _keep_alive(self, wire: Wire) -> None:
        """Send a sign of life whenever the stream was idle for ``keepalive_seconds``."""
        longest = self._service.settings.limits.keepalive_seconds
        while True:
            await asyncio.sleep(max(0.0, wire.last_sent + longest - perf_counter()))
            if perf_counter() - wire.last_sent >= longest:
                await self._begin(wire)
                await wire.send(self._rendering.keep_alive())

    async def _begin(self, wire: Wire) -> None:
        if not wire.begun:
            await wire.begin(200, "text/event-stream", self._about())

    def _observe(self, run: ChoiceRun, event: GatewayEvent) -> None:
        if isinstance(event, HandedOver | WentOnAlone):
            self._service.telemetry.handed_over(self._exchange, run, event)

    def _about(self) -> dict[str, str]:
        fields = {"cache-control": "no-store"}
        if self._request.streamed:
            fields["x-accel-buffering"] = "no"
        return fields | headers(self._exchange)

    def _seconds_left(self) -> float:
        spent = perf_counter() - self._exchange.began
        return max(0.001, self._service.settings.limits.request_seconds - spent)

    def _worst(self) -> Worst:
        """The most that the exchange's budget costs, at the pair's highest price for output.

        Every model that has a price is taken to read the prompt once.
        """
        settings = self._service.catalogue[self._exchange.choice.pair].plan.settings
        budget = self._request.budget(settings.budget, 1.0)
        runs = len(self._exchange.runs)
        tokens = runs * (budget.thinking_tokens + budget.answer_tokens)
        prompt = runs * prompt_tokens(self._request.messages, self._request.tools)
        prices = self._service.catalogue[self._exchange.choice.pair].pair.prices.values()
        dearest = max((price.output for price in prices), default=None)
        read = sum(price.input for price in prices)
        usd = None if dearest is None else tokens * dearest / 1e6
        return Worst(tokens, usd, prompt, prompt * read / 1e6)


class Wire:
    """The connection to the client: one writer at a time, and the time of the last write."""

    def __init__(self, send: Send) -> None:
        self.begun = False
        self.last_sent = perf_counter()
        self._send = send
        self._writing = asyncio.Lock()

    async def begin(self, status: int, kind: str, headers: dict[str, str]) -> None:
        """Send status and headers, unless they have been sent."""
        async with self._writing:
            if self.begun:
                return
            self.begun = True
            fields = {"content-type": kind} | headers
            raw = [(key.encode("latin-1"), text.encode("latin-1")) for key, text in fields.items()]
            await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def whole(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a complete JSON response."""
        await self.begin(status, "application/json", headers | {"content-length": str(len(body))})
        await self.end(body)

    async def send(self, data: bytes) -> None:
        async with self._writing:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self.last_sent = perf_counter()

    async def end(self, data: bytes) -> None:
        async with self._writing:
            await self._send({"type": "http.response.body", "body": data, "more_body": False})


async def _disconnected(receive: Receive) -> None:
    """Return once the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _over(over: OverLimit) -> ApiError:
    """The error for a limit that is reached; OpenAI has a separate code for spent money."""
    limit = over.limit.replace("_", " ")
    what = f"This key has used up its {limit}."
    if not over.is_spent:
        what = (
            f"This key's requests under way may use up its {limit}: what they hold back is given "
            f"back as they end. Try again in {over.retry_after:.0f} s."
        )
    is_money_spent = over.is_spent and over.limit.startswith("usd")
    return ApiError(
        429,
        what,
        code="insufficient_quota" if is_money_spent else "rate_limit_exceeded",
        retry_after=over.retry_after,
        cause=over.limit,
    )

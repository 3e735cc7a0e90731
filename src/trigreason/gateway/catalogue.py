"""The served pairs: opened in the background, and again while their models cannot be reached."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

import aiohttp

from trigreason.configuration import (
    Configuration,
    PlannedPair,
    opened_pair,
    planned_pair,
)
from trigreason.engines.base import Engine, EngineError
from trigreason.engines.breaker import Breaker, BreakerState
from trigreason.engines.http import HttpEngine
from trigreason.engines.proxies import proxy_for
from trigreason.gateway.errors import ApiError, in_short
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Thresholds

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
"""The back-off between attempts at opening a pair (seconds); it doubles up to the longest."""

ANSWER_SECONDS = 2.0
"""An engine that takes longer to answer is not ready."""

GGUF_SLOTS = 4
"""The most runs that a GGUF pair serves at once."""

_logger = logging.getLogger("trigreason.gateway")


class ServedPair:
    """A configured pair; ``problem`` says why it is not open yet."""

    def __init__(self, plan: PlannedPair, environ: Mapping[str, str], slots: int) -> None:
        self.plan = plan
        self.problem = "its models are being opened"
        self.opened = asyncio.Event()
        self._environ = environ
        self._slots = slots if plan.is_bundled else min(slots, GGUF_SLOTS)
        self._pair: Pair | None = None
        self._again = FIRST_WAIT

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def pair(self) -> Pair:
        """The open pair. Raises ApiError (503) until it is open."""
        if self._pair is None:
            raise ApiError(
                503,
                f"The pair {self.name!r} cannot be used yet: {self.problem}.",
                code="engine_unavailable",
                retry_after=self._again,
            )
        return self._pair

    @property
    def engines(self) -> Mapping[Author, Engine]:
        """The engines of the pair; empty until it is open."""
        pair = self._pair
        return {} if pair is None else {author: pair.engine(author) for author in Author}

    async def serve(self) -> None:
        """Open the pair, and keep it open until this is cancelled."""
        while True:
            _logger.info("pair %s is being opened", self.name)
            try:
                async with opened_pair(self.plan, self._environ, slots=self._slots) as pair:
                    await self._keep(pair)
            except EngineError as error:
                self.problem = in_short(error.what)
                _logger.warning("pair %s cannot be opened: %s", self.name, error)
            except Exception as error:  # no fault of one pair stops the others
                self.problem = "the gateway's log says why"
                _logger.warning("pair %s cannot be opened: %s", self.name, error)
            await asyncio.sleep(self._again)
            self._again = min(2 * self._again, LONGEST_WAIT)

    async def _keep(self, pair: Pair) -> None:
        self._pair = pair
        self.opened.set()
        _logger.info("pair %s is open", self.name)
        try:
            await asyncio.Event().wait()
        finally:
            self._pair = None

    async def unready(self) -> str | None:
        """Why the pair could not answer at this moment; None if it could."""
        if self._pair is None:
            return self.problem
        problems = await asyncio.gather(*(_silent(engine) for engine in {*self.engines.values()}))
        return next((problem for problem in problems if problem), None)


async def _silent(engine: Engine) -> str | None:
    """Why an engine does not answer; None if it does, even with a refusal (status below 500)."""
    if engine.breaker.state is BreakerState.OPEN:
        return f"{engine.model} failed too often and rests"
    if not isinstance(engine, HttpEngine):
        return None
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{engine.url}/models", proxy=proxy_for(engine.url)) as answer,
        ):
            failed = answer.status >= 500
            return f"{engine.model} answers with {answer.status}" if failed else None
    except (TimeoutError, aiohttp.ClientError, OSError):
        return f"{engine.model} does not answer"


class Catalogue:
    """All pairs that are served, by name."""

    READY_SECONDS = 1.0
    """How long the result of :meth:`unready` is cached."""

    def __init__(self, pairs: Sequence[ServedPair]) -> None:
        self._pairs = {served.name: served for served in pairs}
        self._tasks: list[asyncio.Task[None]] = []
        self._checked: tuple[float, dict[str, str | None]] | None = None
        self._checking = asyncio.Lock()

    @property
    def thresholds(self) -> Mapping[str, Thresholds]:
        """Every pair's configured thresholds, by the pair's name."""
        return {name: served.plan.settings.thresholds for name, served in self._pairs.items()}

    def __getitem__(self, name: str) -> ServedPair:
        return self._pairs[name]

    def __iter__(self) -> Iterator[ServedPair]:
        return iter(self._pairs.values())

    def open(self) -> None:
        """Begin to open every pair."""
        self._tasks = [asyncio.create_task(served.serve()) for served in self]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def breakers(self) -> Iterator[tuple[str, Author, Breaker]]:
        for served in self:
            for author, engine in served.engines.items():
                yield served.name, author, engine.breaker

    async def unready(self) -> dict[str, str | None]:
        """Why each pair could not answer at this moment; None if it could."""
        async with self._checking:
            if self._checked is None or monotonic() - self._checked[0] > self.READY_SECONDS:
                problems = await asyncio.gather(*(served.unready() for served in self))
                self._checked = monotonic(), dict(zip(self._pairs, problems, strict=True))
            return self._checked[1]


def catalogue_of(configuration: Configuration, environ: Mapping[str, str], slots: int) -> Catalogue:
    """The pairs that the configuration names to be served, or all that it defines.

    ``slots``: the most runs that models in this process serve at once.
    """
    plans = (planned_pair(configuration, name) for name in configuration.served_pairs)
    return Catalogue([ServedPair(plan, environ, slots) for plan in plans])

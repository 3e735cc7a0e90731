"""Requests to the LRM before it is needed: keeping its cache warm, and hedged rewrites.

Both run beside the SRM's stream, as requests with their own entries in the trace. If they fail,
the run goes on.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from trigreason.engines.base import EngineError, Request
from trigreason.hiding import Hiding
from trigreason.reasoning import (
    Author,
    Purpose,
    StepCutter,
    Stretch,
    Trigger,
    low_perplexity_ratio,
)
from trigreason.running.asking import Asking
from trigreason.running.deadline import DeadlinePassed, now
from trigreason.running.hedge import Hedge
from trigreason.running.requests import Requests
from trigreason.running.state import RunState

WARMED_TOKENS = 4
"""One token is requested; a stream that sends more is closed after this many."""


class Ahead:
    """One run's early requests: at most one hedge and one warming request at a time."""

    def __init__(self, requests: Requests, asking: Asking, state: RunState, hiding: Hiding) -> None:
        self._requests = requests
        self._asking = asking
        self._state = state
        self._hiding = hiding
        self._hedge: Hedge | None = None
        self._warming: asyncio.Task[None] | None = None
        self._read_at = now()
        self._read_tokens = 0

    def look_at(self, cutter: StepCutter) -> None:
        """Begin the LRM's rewrite if the SRM's unfinished step would fire the offload."""
        method, hiding = self._state.method, self._hiding
        if not hiding.hedge or self._hedge is not None or cutter.author is Author.LRM:
            return
        if cutter.open_tokens < hiding.hedge_tokens:
            return
        ratio = low_perplexity_ratio(cutter.open_logprobs, self._state.trace.thresholds.tau)
        if method.would_rewrite(ratio):
            entry = Stretch(Author.LRM, Purpose.HEDGE, Trigger.COGNITIVE_OFFLOAD)
            opening = self._requests.open(entry, self._asking.hedge())
            self._hedge = Hedge(opening, self._state.cutter(Author.LRM))

    def take_hedge(self) -> Hedge | None:
        """The rewrite that was begun, if any, for the turn that needs it now."""
        hedge, self._hedge = self._hedge, None
        return hedge

    async def drop_hedge(self) -> None:
        """Close the rewrite that was begun, which is not needed."""
        if hedge := self.take_hedge():
            await hedge.drop()

    def step_stands(self, author: Author) -> None:
        """Have the LRM read the thinking that it has not read yet, if that is due.

        It has read what it wrote itself, and all text before that.
        """
        state = self._state
        if author is Author.LRM:
            self._has_read()
        elif state.thinking_over or state.decision.author is Author.LRM:
            return
        elif Author.LRM in state.method.authors and self._is_due():
            self._has_read()
            self._warming = asyncio.create_task(self._read(self._asking.warm()))

    async def close(self) -> None:
        """End what is still running."""
        ending = []
        if hedge := self.take_hedge():
            ending.append(hedge.ending())
        if self._warming is not None:
            self._warming.cancel()
            ending.append(self._warming)
        if ending:
            await asyncio.wait(ending)

    def _has_read(self) -> None:
        self._read_at = now()
        self._read_tokens = self._state.thinking_tokens

    def _is_due(self) -> bool:
        if self._warming is not None and not self._warming.done():
            return False
        seconds, tokens = self._hiding.warm_seconds, self._hiding.warm_tokens
        by_clock = seconds is not None and now() - self._read_at >= seconds
        unread = self._state.thinking_tokens - self._read_tokens
        return by_clock or (tokens is not None and unread >= tokens)

    async def _read(self, request: Request) -> None:
        entry = Stretch(Author.LRM, Purpose.WARM)
        with suppress(EngineError, DeadlinePassed):
            async with self._requests.open(entry, request) as running:
                while await running.arrival() and running.arrived < WARMED_TOKENS:
                    pass

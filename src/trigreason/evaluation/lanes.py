"""Opens a planned pair for many runs at once.

Servers take any number of runs. Runs that share a model in this process would be batched, which
changes the last digits of their probabilities, so a run would depend on its neighbours. Each lane
of the bundled pair therefore has its own copy of the models, without a prefix cache.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from trigreason.configuration import PlannedPair, opened_pair
from trigreason.engines.embedded import available_cores
from trigreason.evaluation.arms import Arm
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Message, Trace

CONNECTIONS = 16
"""Runs at once on servers by default."""


class Lanes:
    """A pair that serves ``width`` runs at once; use :func:`opened_lanes`."""

    def __init__(self, copies: list[Pair], width: int) -> None:
        self.width = width
        self._free: asyncio.Queue[Pair] = asyncio.Queue()
        for lane in range(width):
            self._free.put_nowait(copies[lane % len(copies)])
        self.pair = copies[0]

    async def answer(self, messages: tuple[Message, ...], arm: Arm, seed: int) -> Trace:
        """Make one run as soon as a lane is free.

        Raises:
            EngineError, NoLogprobs, ValueError: see :func:`trigreason.reasoner.reason`.
        """
        async with self.lane() as pair:
            return await completed(
                reason(
                    pair,
                    messages,
                    arm.method,
                    thresholds=arm.thresholds,
                    sampling=replace(arm.sampling, seed=seed),
                    budget=arm.budget,
                    request_per_step=arm.request_per_step,
                )
            )

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[Pair]:
        """Wait for a free lane and lend its pair."""
        pair = await self._free.get()
        try:
            yield pair
        finally:
            self._free.put_nowait(pair)


def lanes_of(plan: PlannedPair, connections: int | None = None) -> int:
    """How many runs at once the pair serves when up to ``connections`` are wanted."""
    if plan.is_bundled:
        return max(1, min(available_cores(), connections or available_cores()))
    files = [engine.settings for engine in plan.engines.values() if engine.settings.file]
    if files:
        configured = [each.llama_cpp.slots for each in files if each.llama_cpp.slots]
        return connections or min(configured, default=1)
    return connections or CONNECTIONS


@asynccontextmanager
async def opened_lanes(plan: PlannedPair, connections: int | None = None) -> AsyncIterator[Lanes]:
    """Open the pair's models, with keys from the environment; they are closed on leaving.

    Raises:
        EngineError: a model cannot be reached or loaded.
        ConfigurationError: a key is missing, or a template cannot be read.
    """
    width = lanes_of(plan, connections)
    async with AsyncExitStack() as stack:
        copies = [
            await stack.enter_async_context(
                opened_pair(
                    plan,
                    os.environ,
                    slots=1 if plan.is_bundled else width,
                    caching=not plan.is_bundled,
                )
            )
            for _ in range(width if plan.is_bundled else 1)
        ]
        yield Lanes(copies, width)

"""A planned pair, opened for many runs at once.

Servers take as many runs as they are asked for. Models inside this process would be batched with
each other, which tips the last digits of their probabilities, so that a run would depend on its
neighbours: each lane of the bundled pair is a copy of its own, whose prompts are read afresh.
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
"""Runs at once on servers, unless told otherwise."""


class Lanes:
    """A pair that serves ``width`` runs at once; use :func:`opened_lanes`."""

    def __init__(self, copies: list[Pair], width: int) -> None:
        self.width = width
        self._free: asyncio.Queue[Pair] = asyncio.Queue()
        for turn in range(width):
            self._free.put_nowait(copies[turn % len(copies)])
        self.pair = copies[0]

    async def answer(self, messages: tuple[Message, ...], arm: Arm, seed: int) -> Trace:
        """One run, as soon as a lane is free.

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
        """A pair that nobody else uses more than it can bear; waits until there is one."""
        pair = await self._free.get()
        try:
            yield pair
        finally:
            self._free.put_nowait(pair)


def lanes_of(plan: PlannedPair, connections: int | None = None) -> int:
    """How many runs at once the pair serves, if up to ``connections`` are wanted."""
    if plan.is_bundled:
        return max(1, min(available_cores(), connections or available_cores()))
    files = [each.settings for each in plan.engines.values() if each.settings.file]
    if files:
        configured = [each.llama_cpp.slots for each in files if each.llama_cpp.slots]
        return connections or min(configured, default=1)
    return connections or CONNECTIONS


@asynccontextmanager
async def opened_lanes(plan: PlannedPair, connections: int | None = None) -> AsyncIterator[Lanes]:
    """The pair with its models open, keys from the environment; closed on leaving.

    Raises:
        EngineError: a model cannot be reached or loaded.
        ConfigurationError: a key is not there, or a template cannot be read.
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

"""Does the server stop when a stream is closed? Only the server can say."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from trigreason.engines.base import Request
from trigreason.engines.probing.asking import GREEDY, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.continuing import OPENING
from trigreason.engines.probing.facts import Activity, ServerKind, ServerPages
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.engines.probing.timing import seconds

MAX_TOKENS = 256
LONGEST_WATCH = 10.0
ATTEMPTS = 6
"""A model that writes its whole answer while one page is read shows nothing; a later try may."""
POLL_SECONDS = 0.01
READ_AGAIN = 10
"""Times: a page can be a few tokens behind."""
UNSEEN = "the server has no page that says what it is doing"


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen around a closed stream.

    ``left`` tokens were still to come, at least, and would have taken ``left_seconds``. ``wrote``
    is how many the server says it wrote after all, and ``idle_after`` how long it was busy, in
    seconds; None where that was not seen.
    """

    page: str
    left: int
    left_seconds: float
    wrote: int | None
    idle_after: float | None
    watched_seconds: float

    @property
    def share(self) -> float:
        """How much of what was still to come was worked on all the same, in tokens or else time."""
        if self.idle_after is None:
            return math.inf
        done, left = self.idle_after, self.left_seconds
        if self.wrote is not None:
            done, left = self.wrote, self.left
        return done / left if left else 1.0


async def examine_closing(
    asking: ProbeRequests, pages: ServerPages, kind: ServerKind, own: ProbeAnswer
) -> Finding:
    """Close a request after its first tokens and watch the server; ``own`` ran to its end.

    A request that is over too soon, or seen too late, is followed by another; the one that shows
    most tells.

    Raises:
        EngineError: the engine failed.
    """
    finding = Finding(Topic.CLOSING, State.UNKNOWN, UNSEEN)
    seen: list[Watched] = []
    for _ in range(ATTEMPTS):
        before = await _settled(pages, kind, lambda now: now.running == 0)
        if before is None:
            break
        watched = await _closed(asking, pages, kind, before, own)
        if watched is None:
            told = f"the server's {before.page} did not show the request while it ran"
            finding = Finding(Topic.CLOSING, State.UNKNOWN, told)
            continue
        seen.append(watched)
        if judge_closing(watched).state is State.YES or watched.idle_after is None:
            break
    return judge_closing(min(seen, key=lambda each: each.share)) if seen else finding


async def _closed(
    asking: ProbeRequests, pages: ServerPages, kind: ServerKind, before: Activity, own: ProbeAnswer
) -> Watched | None:
    """One request, closed after its first tokens; None where the server never showed it."""
    async with asking.asked(Request(asking.prefix(OPENING), GREEDY, MAX_TOKENS)) as (
        answer,
        arrivals,
    ):
        async for _ in arrivals:
            break
        during = await _settled(pages, kind, lambda now: now.running > before.running)
        read = answer.generated
    if during is None or during.running <= before.running:
        return None
    return await _watch(pages, kind, before, during, own, read)


async def _settled(
    pages: ServerPages, kind: ServerKind, shows: Callable[[Activity], bool]
) -> Activity | None:
    """What the server is doing, read again a few times until it shows what is waited for."""
    now = await pages.activity(kind)
    for _ in range(READ_AGAIN):
        if now is None or shows(now):
            break
        await asyncio.sleep(POLL_SECONDS)
        now = await pages.activity(kind)
    return now


async def _watch(
    pages: ServerPages,
    kind: ServerKind,
    before: Activity,
    during: Activity,
    own: ProbeAnswer,
    read: int,
) -> Watched:
    left = max(0, own.generated - read)
    left_seconds = left / (own.tokens_per_second or 1.0)
    closed = perf_counter()
    longest = min(LONGEST_WATCH, 2 * left_seconds + 1)
    idle_after: float | None = None
    now = during
    while idle_after is None and perf_counter() - closed < longest:
        now = await pages.activity(kind) or now
        if now.running <= before.running:
            idle_after = perf_counter() - closed
        else:
            await asyncio.sleep(POLL_SECONDS)
    counted = None not in (now.tokens, during.tokens)
    wrote = (now.tokens or 0) - (during.tokens or 0) if counted else None
    return Watched(during.page, left, left_seconds, wrote, idle_after, perf_counter() - closed)


def judge_closing(watched: Watched) -> Finding:
    """Stopped is: idle, and well before the rest could have been written."""
    if watched.idle_after is None:
        told = f"still busy {seconds(watched.watched_seconds)} after the close ({watched.page})"
        return Finding(Topic.CLOSING, State.NO, told)
    idle = f"idle after {seconds(watched.idle_after)}"
    if watched.wrote is not None:
        told = f"{idle}, {watched.wrote} of {watched.left} further tokens ({watched.page})"
    else:
        told = f"{idle} of the {seconds(watched.left_seconds)} left ({watched.page})"
    if watched.share <= 0.5:
        return Finding(Topic.CLOSING, State.YES, told)
    if watched.share >= 0.9 and watched.left >= 16:
        return Finding(Topic.CLOSING, State.NO, told)
    return Finding(Topic.CLOSING, State.UNKNOWN, f"{told}: too short to tell")

"""Does the server stop when a stream is closed? Only the server's own pages show it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from trigreason.engines.base import Request
from trigreason.engines.probing.continuing import OPENING
from trigreason.engines.probing.facts import Activity, ServerKind, ServerPages
from trigreason.engines.probing.probe_requests import GREEDY, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.engines.probing.timing import seconds

MAX_TOKENS = 256
LONGEST_WATCH = 10.0
ATTEMPTS = 6
"""A model may finish its answer before a page is read; then another attempt follows."""
POLL_SECONDS = 0.01
READ_AGAIN = 10
"""How often a page is read again, since it can be a few tokens behind."""
UNSEEN = "the server has no page that shows its running requests"


@dataclass(frozen=True, slots=True)
class Watched:
    """What the server's page showed after a stream was closed.

    At least ``left`` tokens were missing, and would have taken ``left_seconds``. ``wrote`` is how
    many tokens the server still wrote, ``idle_after`` how many seconds it was still busy; None
    if the page did not show it.
    """

    page: str
    left: int
    left_seconds: float
    wrote: int | None
    idle_after: float | None
    watched_seconds: float

    @property
    def share(self) -> float:
        """The share of the missing tokens, or else of their time, that the server still worked."""
        if self.idle_after is None:
            return math.inf
        done, left = self.idle_after, self.left_seconds
        if self.wrote is not None:
            done, left = self.wrote, self.left
        return done / left if left else 1.0


async def examine_closing(
    probe: ProbeRequests, pages: ServerPages, kind: ServerKind, reference: ProbeAnswer
) -> Finding:
    """Close a request after its first tokens and watch the server; ``reference`` was not closed.

    If the request ended too soon, or was seen too late, another attempt follows; the attempt with
    the smallest share decides.

    Raises:
        EngineError: the engine failed.
    """
    finding = Finding(Topic.CLOSING, State.UNKNOWN, UNSEEN)
    seen: list[Watched] = []
    for _ in range(ATTEMPTS):
        before = await _settled(pages, kind, lambda now: now.running == 0)
        if before is None:
            break
        watched = await _closed(probe, pages, kind, before, reference)
        if watched is None:
            evidence = f"the server's {before.page} did not show the request while it ran"
            finding = Finding(Topic.CLOSING, State.UNKNOWN, evidence)
            continue
        seen.append(watched)
        if judge_closing(watched).state is State.YES or watched.idle_after is None:
            break
    return judge_closing(min(seen, key=lambda watched: watched.share)) if seen else finding


async def _closed(
    probe: ProbeRequests,
    pages: ServerPages,
    kind: ServerKind,
    before: Activity,
    reference: ProbeAnswer,
) -> Watched | None:
    """Close one request after its first tokens; None if the server's page never showed it."""
    request = Request(probe.prefix(OPENING), GREEDY, MAX_TOKENS)
    async with probe.streamed(request) as (answer, arrivals):
        async for _ in arrivals:
            break
        during = await _settled(pages, kind, lambda now: now.running > before.running)
        read = answer.generated
    if during is None or during.running <= before.running:
        return None
    return await _watch(pages, kind, before, during, reference, read)


async def _settled(
    pages: ServerPages, kind: ServerKind, shows: Callable[[Activity], bool]
) -> Activity | None:
    """The server's activity, read again a few times until ``shows`` is true of it."""
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
    reference: ProbeAnswer,
    read: int,
) -> Watched:
    left = max(0, reference.generated - read)
    left_seconds = left / (reference.tokens_per_second or 1.0)
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
    """Judge whether the server was idle well before it could have written the rest."""
    if watched.idle_after is None:
        evidence = f"still busy {seconds(watched.watched_seconds)} after the close ({watched.page})"
        return Finding(Topic.CLOSING, State.NO, evidence)
    idle = f"idle after {seconds(watched.idle_after)}"
    if watched.wrote is not None:
        evidence = f"{idle}, {watched.wrote} of {watched.left} further tokens ({watched.page})"
    else:
        evidence = f"{idle} of the {seconds(watched.left_seconds)} left ({watched.page})"
    if watched.share <= 0.5:
        return Finding(Topic.CLOSING, State.YES, evidence)
    if watched.share >= 0.9 and watched.left >= 16:
        return Finding(Topic.CLOSING, State.NO, evidence)
    return Finding(Topic.CLOSING, State.UNKNOWN, f"{evidence}: too short to tell")

"""The least that a run can take: the tokens that it needs, at the speed of each model.

A model has to write the tokens that are kept or become a draft, a score or the answer. It has to
read the question once, and once whatever the other model wrote since its own last request. All
else is what the run takes beyond: tokens written after the close of a stream, tokens read again,
and the requests themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from trigreason.reasoning import Author, Trace
from trigreason.reasoning.records import Purpose, Stretch


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a model did in a run, in tokens.

    ``written`` and ``read`` are what the run needs, ``unused`` and ``reread`` came on top; what was
    ``cached`` before the run began had to be read by nobody.
    """

    written: int
    unused: int
    read: int
    reread: int
    cached: int
    requests: int


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds per token of a model alone."""

    written: float
    read: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request and how far its model was with the text when it ended (tokens)."""

    stretch: Stretch
    knows: int


def work(trace: Trace, author: Author) -> Work:
    """What ``author``'s model did.

    Raises:
        ValueError: the server did not count a prompt.
    """
    own = [
        (number, stretch)
        for number, stretch in enumerate(trace.stretches)
        if stretch.author is author and stretch.failed is None
    ]
    read = reread = cached = 0
    before: _Asked | None = None
    for number, stretch in own:
        if stretch.prompt_tokens is None or stretch.cached_tokens is None:
            raise ValueError("the server did not count the tokens of a prompt")
        fresh = stretch.prompt_tokens - stretch.cached_tokens
        if before is None:
            needed, cached = stretch.prompt_tokens, stretch.cached_tokens
            fresh = needed
        elif Purpose.JUDGE in (stretch.purpose, before.stretch.purpose):
            needed = fresh  # the question of the judge comes and goes at the text's end
        else:
            needed = max(1, stretch.prompt_tokens - before.knows)
        read += needed
        reread += max(0, fresh - needed)
        before = _Asked(stretch, stretch.prompt_tokens + _kept(trace, number))
    unused = sum(stretch.unused_tokens for _, stretch in own)
    return Work(
        written=sum(stretch.completion_tokens for _, stretch in own) - unused,
        unused=unused,
        read=read,
        reread=reread,
        cached=cached,
        requests=len(own),
    )


def ceiling(done: Mapping[Author, Work], speeds: Mapping[Author, Speed]) -> float:
    """Seconds that the needed tokens take."""
    return sum(
        each.written * speeds[author].written + (each.read - each.cached) * speeds[author].read
        for author, each in done.items()
    )


def beyond(done: Mapping[Author, Work], speeds: Mapping[Author, Speed]) -> dict[str, float]:
    """Seconds by cause that come on top of the ceiling, as far as tokens tell."""
    return {
        "written after a close": sum(
            each.unused * speeds[author].written for author, each in done.items()
        ),
        "read again": sum(each.reread * speeds[author].read for author, each in done.items()),
    }


def _kept(trace: Trace, number: int) -> int:
    """Tokens of a request that still stand in the text."""
    return sum(step.tokens for step in trace.steps if step.stretch == number and step.standing)

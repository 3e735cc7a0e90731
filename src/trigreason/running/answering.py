"""Asking for the answer in a request of its own, where no stretch of thinking has brought it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from trigreason.engines.base import Finish
from trigreason.events import Event
from trigreason.reasoning import Purpose, Stretch
from trigreason.running import ending
from trigreason.running.asking import Asking
from trigreason.running.requests import Requests
from trigreason.running.retrying import RetryingStream
from trigreason.running.state import RunState


async def answer(
    requests: Requests, asking: Asking, state: RunState
) -> AsyncGenerator[Event, None]:
    """The answer, behind thinking closed for its author, or the rest of one that broke off.

    An author that thinks in the open has given it, and is not asked.

    Raises:
        ModelAway: its author failed for good; what was written of it is kept.
        DeadlinePassed: the run's seconds are spent.
    """
    if ending.is_in_the_open(state):
        for event in ending.end_in_the_open(state):
            yield event
        return
    writer = state.answer_asked_for()
    entry = Stretch(writer.author, Purpose.ANSWER)
    async with RetryingStream(requests, entry, asking.answer(writer)) as stream:
        finish: Finish | None = None
        while finish is None:
            tokens = await stream.arrival()
            kept = tokens[: writer.room]
            told = [event for token in kept for event in writer.push(token.text)]
            stream.use(len(kept))
            state.keep_answer()
            for event in told:
                yield event
            if len(kept) < len(tokens):
                finish = Finish.LENGTH  # the server does not keep to max_tokens
            elif not tokens:
                finish = stream.finish
        for event in ending.end_of_answer(state, finish):
            yield event

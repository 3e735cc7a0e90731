"""How a run ends: with the answer after its thinking, or with the one that its text gives.

a model with tags closes its thinking     the answer follows in the same stream
a model with tags ends its turn without   the answer in the thinking counts; if there is none,
                                          the thinking is closed and an answer requested
a model in the open ends its turn         its text is the answer, with no further request
a limit closes the thinking               an answer is requested; in the open, the answer in
                                          the text counts, or the run is truncated
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from trigreason.answers import given_answer
from trigreason.engines.base import Finish
from trigreason.events import AnswerText, Event
from trigreason.reasoning import Purpose, StopReason, Stretch
from trigreason.running.asking import Asking
from trigreason.running.requests import Requests
from trigreason.running.retrying import RetryingStream
from trigreason.running.state import RunState


async def answer(
    requests: Requests, asking: Asking, state: RunState
) -> AsyncGenerator[Event, None]:
    """Request the answer, after thinking closed for its author, or the rest of a broken one.

    If the author thinks in the open, its text has the answer already, and nothing is requested.

    Raises:
        ModelAway: its author failed for good; what was written of it is kept.
        DeadlinePassed: the run's seconds are spent.
    """
    if _is_in_the_open(state):
        for event in _end_in_the_open(state):
            yield event
        return
    writer = state.answer_asked_for()
    entry = Stretch(writer.author, Purpose.ANSWER)
    async with RetryingStream(requests, entry, asking.answer(writer)) as stream:
        finish: Finish | None = None
        while finish is None:
            tokens = await stream.arrival()
            kept = tokens[: writer.room]
            events = [event for token in kept for event in writer.push(token.text)]
            stream.use(len(kept))
            state.keep_answer()
            for event in events:
                yield event
            if len(kept) < len(tokens):
                finish = Finish.LENGTH  # the server does not keep to max_tokens
            elif not tokens:
                finish = stream.finish
        for event in end_of_answer(state, finish):
            yield event


def _is_in_the_open(state: RunState) -> bool:
    """Whether the last step's author thinks in the open, so that no answer is requested."""
    return state.answer is None and state.tags[state.last_author()] is None


def end_of_turn(state: RunState) -> list[Event]:
    """An author ended its turn within the thinking: end the run if that gives the answer."""
    if state.guide is not None or _is_in_the_open(state):
        return []
    events = _answer_in_thinking(state)
    if events:
        _stop(state)
    return events


def _end_in_the_open(state: RunState) -> list[Event]:
    """The text of a model that thinks in the open is complete, or was cut."""
    trace, text = state.trace, state.thinking.strip()
    was_cut = trace.limit is not None
    state.enter_answer(given_answer(text) or (None if was_cut else text))
    if was_cut and not trace.answer:
        state.stop(StopReason.TRUNCATED)
    else:
        _stop(state)
    was_sent = trace.in_the_open or not trace.answer
    return [] if was_sent else [AnswerText(state.last_author(), trace.answer)]


def end_of_answer(state: RunState, finish: Finish | None) -> list[Event]:
    """The answer after the thinking is complete, or was cut."""
    assert state.answer is not None, "an answer that ends has begun"
    events = state.answer.finish()
    state.keep_answer()
    if finish is Finish.LENGTH:
        limit = "context" if state.answer.room > 0 else "answer_tokens"
        state.stop(StopReason.TRUNCATED, limit)
        return events
    if not state.trace.answer:
        events += _answer_in_thinking(state)
    _stop(state)
    return events


def _answer_in_thinking(state: RunState) -> list[Event]:
    state.enter_answer(given_answer(state.thinking))
    answer = state.trace.answer
    return [AnswerText(state.last_author(), answer)] if answer else []


def _stop(state: RunState) -> None:
    if not state.trace.answer:
        state.stop(StopReason.EMPTY)
    else:
        state.stop(StopReason.CLOSED if state.trace.limit else StopReason.COMPLETE)

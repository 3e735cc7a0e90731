"""The answer that a guide binds: a request of its own behind the free thinking.

The answer is held back until it is complete and valid. So a request that breaks off is begun anew
(guided decoding starts with an empty text), and an invalid answer is requested once more with the
problem named.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from trigreason.engines.base import AnswerUnfit, Finish
from trigreason.engines.guides import Guide, unfenced
from trigreason.events import AnswerText, Event
from trigreason.reasoning import Author, Purpose, StopReason, Stretch, join_text
from trigreason.running.asking import Asking
from trigreason.running.deadline import DeadlinePassed
from trigreason.running.requests import Requests
from trigreason.running.retrying import RetryingStream
from trigreason.running.state import RunState

ATTEMPTS = 2


@dataclass(slots=True)
class Draft:
    """The text of one attempt; ``tokens`` of it arrived."""

    pieces: list[str] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        return len(self.pieces)

    @property
    def text(self) -> str:
        return unfenced(join_text(self.pieces))

    def drop(self) -> int:
        """Forget the text; return how many tokens it had."""
        dropped = len(self.pieces)
        self.pieces.clear()
        return dropped


async def bound_answer(
    requests: Requests, asking: Asking, state: RunState, guide: Guide
) -> AsyncGenerator[Event, None]:
    """Request the answer until it is valid under the guide, at most twice.

    A limit that cuts it off ends the run as truncated, with what there is of the answer.

    Raises:
        AnswerUnfit: the second answer is not valid either.
        ModelAway: its author failed for good.
        DeadlinePassed: the run's seconds are spent; what arrived is the answer.
    """
    author = state.bound_author(requests.pair.bound_answer)
    problem: str | None = None
    for _ in range(ATTEMPTS):
        draft = Draft()
        entry = Stretch(author, Purpose.ANSWER)
        continuation = asking.bound_answer(author, guide, draft.drop, problem)
        async with RetryingStream(requests, entry, continuation) as stream:
            try:
                finish = await _write(draft, stream, state.budget.answer_tokens)
            except DeadlinePassed:
                for event in _enter(state, author, draft):
                    yield event
                raise
            problem = guide.problem(draft.text)
            if problem is not None and finish is not Finish.LENGTH:
                stream.use(-draft.tokens)
                continue
        for event in _enter(state, author, draft):
            yield event
        if finish is Finish.LENGTH:
            is_full = draft.tokens >= state.budget.answer_tokens
            state.stop(StopReason.TRUNCATED, "answer_tokens" if is_full else "context")
        else:
            state.stop(StopReason.CLOSED if state.trace.limit else StopReason.COMPLETE)
        return
    raise AnswerUnfit(
        f"its answer does not fit the schema: {problem}",
        requests.pair.engine(author).model,
        "Use a simpler schema, or a larger model.",
        {"trace": state.trace},
    )


async def _write(draft: Draft, stream: RetryingStream, most: int) -> Finish | None:
    """Read the answer into ``draft``, at most ``most`` tokens; return why it ended."""
    while tokens := await stream.arrival():
        kept = tokens[: most - draft.tokens]
        draft.pieces += [token.text for token in kept]
        stream.use(len(kept))
        if len(kept) < len(tokens):
            return Finish.LENGTH  # the server does not keep to max_tokens
    return stream.finish


def _enter(state: RunState, author: Author, draft: Draft) -> list[Event]:
    state.trace.answer = draft.text
    state.trace.answer_by = {author: draft.tokens}
    return [AnswerText(author, draft.text)] if draft.text else []

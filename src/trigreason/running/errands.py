"""What a run asks of its models, spelled out for requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from trigreason.engines.base import Prefix, Sampling
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Purpose, StepBreak, Trigger, Write
from trigreason.running.state import RunState

JUDGE_ALTERNATIVES = 10


class Whence(NamedTuple):
    """From where a request goes on, and how many tokens it may bring."""

    prefix: Prefix
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is asked of a model, over however many requests that takes."""

    author: Author
    purpose: Purpose
    sampling: Sampling
    trigger: Trigger | None = None
    alternatives: int = 0
    needs_logprobs: bool = False
    one_step: bool = False


class Errands:
    """Makes errands out of where a run stands; each turn draws from a seed of its own."""

    def __init__(self, pair: Pair, state: RunState, sampling: Sampling) -> None:
        self._pair = pair
        self._state = state
        self._sampling = sampling

    def write(self) -> Errand:
        """The stretch that the last decision asks for."""
        state = self._state
        author = state.decision.author
        single = not isinstance(state.decision, Write) or state.decision.steps == 1
        return Errand(
            author=author,
            purpose=Purpose.WRITE,
            sampling=self._sampling.for_turn(state.next_turn()),
            trigger=state.trigger,
            needs_logprobs=author is Author.SRM and state.method.needs_logprobs,
            one_step=single and self._server_ends_steps(author),
        )

    def judge(self, author: Author) -> Errand:
        """The score of the step just written."""
        return Errand(
            author=author,
            purpose=Purpose.JUDGE,
            sampling=replace(self._sampling.for_turn(self._state.next_turn()), temperature=0.0),
            alternatives=JUDGE_ALTERNATIVES,
        )

    def answer(self, author: Author) -> Errand:
        """The answer, behind thinking that was closed for its author."""
        sampling = self._sampling.for_turn(self._state.next_turn())
        return Errand(author=author, purpose=Purpose.ANSWER, sampling=sampling)

    def hedge(self) -> Errand:
        """The rewrite of the step under way, as the next turn would ask for it."""
        return Errand(
            author=Author.LRM,
            purpose=Purpose.HEDGE,
            sampling=self._sampling.for_turn(self._state.turns + 1),
            trigger=Trigger.COGNITIVE_OFFLOAD,
            one_step=self._server_ends_steps(Author.LRM),
        )

    def _server_ends_steps(self, author: Author) -> bool:
        """Whether the server is to end a single step, because it bills closed streams in full.

        A line end would end it before the first word of a paragraph, so none is sent for that.
        """
        ends_it = self._pair.engine(author).capabilities.bills_closed_streams
        by_blank_line = self._pair.step_break is StepBreak.BLANK_LINE
        return ends_it and by_blank_line

    def warm(self) -> Errand:
        """One token, thrown away: what counts is that the prefix is read."""
        return Errand(author=Author.LRM, purpose=Purpose.WARM, sampling=self._sampling)

"""The requests of a run, built from its state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from trigreason.engines.base import Prefix, Request, Sampling
from trigreason.engines.guides import Guide
from trigreason.pairs import Pair
from trigreason.reasoning import Author, StepBreak, Write
from trigreason.running.state import RunState
from trigreason.running.writing import AnswerWriter, StretchWriter

JUDGE_ALTERNATIVES = 10

JUDGE_TOKENS = 3
"""A digit, and the blanks that some models put before it."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """How to continue a text, wherever a request for it broke off.

    ``next_request`` asks for the rest. ``take_back`` drops a partial character from the end of the
    text, and a partial tag too if its argument is true (if another model is to go on); it returns
    how many tokens it dropped.
    """

    next_request: Callable[[], Request]
    take_back: Callable[[bool], int] = lambda _: 0


def bound_cue(guide: Guide, problem: str | None) -> str:
    """What stands before a bound answer, in the assistant's own turn.

    There it leaves the server's prefix cache of the conversation and the thinking valid. Guided
    decoding alone would not tell the model what the properties mean.
    """
    told = f"The answer as JSON that fits the schema {guide.text}"
    return f"{told}, where {problem} was wrong before:\n\n" if problem else f"{told}:\n\n"


def judge_request(prefix: Prefix, sampling: Sampling) -> Request:
    """A request for the score of the step at the end of ``prefix``, sampled greedily."""
    greedy = replace(sampling, temperature=0.0)
    return Request(prefix, greedy, JUDGE_TOKENS, alternatives=JUDGE_ALTERNATIVES)


class Asking:
    """Builds requests; each stretch, answer and score has its own seed."""

    def __init__(
        self, pair: Pair, state: RunState, sampling: Sampling, *, request_per_step: bool
    ) -> None:
        self._pair = pair
        self._state = state
        self._sampling = sampling
        self._request_per_step = request_per_step

    def stretch(self, writer: StretchWriter) -> Continuation:
        """For the stretch that the last decision calls for, and the answer in the same stream."""
        decision = self._state.decision
        single = not isinstance(decision, Write) or decision.steps == 1
        one_step = single and self._server_ends_steps(writer.author)
        return self._writing(writer, self._next_sampling(), one_step=one_step)

    def unstopped(self, writer: StretchWriter, stopped: Request) -> Continuation:
        """For text that a server stopped too early: now only the client closes the stream."""
        return self._writing(writer, stopped.sampling, one_step=False)

    def answer(self, writer: AnswerWriter) -> Continuation:
        """For the answer, after thinking that was closed for its author."""
        sampling = self._next_sampling()
        return Continuation(
            lambda: self._answer_request(writer, sampling), lambda _: self._state.take_back()
        )

    def bound_answer(
        self, author: Author, guide: Guide, drop: Callable[[], int], problem: str | None
    ) -> Continuation:
        """For an answer under a guide, begun anew after each failure: ``drop`` forgets its text."""
        request = Request(
            self._state.bound_prefix(author, bound_cue(guide, problem)),
            self._next_sampling(),
            self._state.budget.answer_tokens,
            alternatives=0,
            guide=guide if self._pair.engine(author).capabilities.guides else None,
        )
        return Continuation(lambda: request, lambda _: drop())

    def judge(self, prefix: Prefix) -> Request:
        """A request for the score of the step at the end of ``prefix``."""
        return judge_request(prefix, self._next_sampling())

    def hedge(self) -> Request:
        """A request for the rewrite of the unfinished step, as the next stretch would send it."""
        state = self._state
        return Request(
            state.prefix(Author.LRM),
            self._sampling.for_turn(state.turns + 1),
            state.room(one_step=True),
            alternatives=0,
            one_step=self._server_ends_steps(Author.LRM),
        )

    def warm(self) -> Request:
        """A request for one token, thrown away: its purpose is that the LRM reads the prefix."""
        return Request(self._state.prefix(Author.LRM), self._sampling, 1, alternatives=0)

    def _next_sampling(self) -> Sampling:
        return self._sampling.for_turn(self._state.next_turn())

    def _writing(
        self, writer: StretchWriter, sampling: Sampling, *, one_step: bool
    ) -> Continuation:
        state, cutter, author = self._state, writer.cutter, writer.author
        needs_logprobs = author is Author.SRM and state.method.needs_logprobs
        alternatives = self._pair.alternatives_for(author)
        has_room_of_one = self._request_per_step or one_step

        def next_request() -> Request:
            if state.answer is not None:
                request = self._answer_request(state.answer, sampling)
            else:
                room = state.room(one_step=has_room_of_one) - cutter.open_tokens
                prefix = state.prefix(author, cutter.open_text)
                request = Request(prefix, sampling, max(1, room), alternatives)
            return replace(request, needs_logprobs=needs_logprobs, one_step=one_step)

        def take_back(tags: bool) -> int:
            return cutter.take_back(tags=tags) if state.answer is None else state.take_back()

        return Continuation(next_request, take_back)

    def _answer_request(self, writer: AnswerWriter, sampling: Sampling) -> Request:
        prefix = self._state.answer_prefix(writer)
        return Request(prefix, sampling, max(1, writer.room), alternatives=0)

    def _server_ends_steps(self, author: Author) -> bool:
        """Whether the server is to end a single step, because it bills closed streams in full.

        Not if steps end with lines: a line end would stop it before a paragraph's first word.
        """
        ends_it = self._pair.engine(author).capabilities.bills_closed_streams
        by_blank_line = self._pair.step_break is StepBreak.BLANK_LINE
        return ends_it and by_blank_line

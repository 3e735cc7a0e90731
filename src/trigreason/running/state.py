"""The state of a run: the standing steps, whose turn it is and why, what is left of the budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from trigreason.answers import given_answer
from trigreason.budget import Budget
from trigreason.engines.base import (
    ContextTooLong,
    EngineError,
    EngineResting,
    NoLogprobs,
    Prefix,
)
from trigreason.engines.guides import Guide
from trigreason.events import (
    DraftDropped,
    Event,
    HandedOver,
    StepAccepted,
    StepBegun,
    WentOnAlone,
)
from trigreason.failure import Away, FailurePolicy
from trigreason.pairs import JudgePrompt
from trigreason.reasoning import (
    Author,
    Degraded,
    Halt,
    Method,
    MethodRun,
    Reading,
    Rewrite,
    Solo,
    Step,
    StepCutter,
    StepEnd,
    StepRecord,
    StopReason,
    Tags,
    Trace,
    Trigger,
    Write,
)
from trigreason.reasoning.steps import CUTTING_SLACK, END_OF_THINKING
from trigreason.reasoning.tokens import token_lengths
from trigreason.running.writing import AnswerWriter, StretchWriter


class RunState:
    """Changes only by finished steps, answer text and stops; uses no model and no clock.

    ``run`` makes the decisions; None for the trace's own method. ``guide`` binds the answer alone.
    """

    def __init__(
        self,
        trace: Trace,
        budget: Budget,
        tags: Mapping[Author, Tags | None],
        run: MethodRun | None = None,
        guide: Guide | None = None,
    ) -> None:
        self.trace = trace
        self.budget = budget
        self.tags = tags
        self.guide = guide
        self.run = run or MethodRun.of(trace.method, trace.thresholds)
        self.decision: Write | Rewrite = self.run.open()
        self.halt: Halt | None = None
        self.author: Author | None = None
        self.trigger: Trigger | None = None
        self.thinking = ""
        self.thinking_tokens = 0
        self.thinking_over = False
        self.turns = 0
        self.answer: AnswerWriter | None = None

    @property
    def method(self) -> Method:
        """The run's method, or ``Solo`` once one model goes on alone."""
        return self.run.method

    def take_pen(self) -> Iterator[Event]:
        """Let the author that the last decision names begin to write."""
        decision = self.decision
        if isinstance(decision, Rewrite) or decision.author is not self.author:
            self.trigger = decision.trigger
            if self.author is not None or self.trigger is not None:
                steps = decision.steps if isinstance(decision, Write) else 1
                because = self.trace.steps[-1] if self.trace.steps else None
                yield HandedOver(decision.author, self.trigger, steps, because)
        self.author = decision.author
        yield StepBegun(self.author, self.trigger)

    def writer(self) -> StretchWriter:
        """A writer for the author whose turn it is."""
        author = self.decision.author
        as_it_comes = author is Author.LRM or not self.method.revises
        return StretchWriter(self.cutter(author), as_it_comes=as_it_comes)

    def cutter(self, author: Author) -> StepCutter:
        """A cutter for the steps of ``author``'s text."""
        return StepCutter(
            author,
            max_tokens=self.budget.step_tokens,
            step_break=self.trace.step_break,
            tags=self.tags[author],
        )

    def decide(self, decision: Write | Rewrite | Halt, step: Step) -> None:
        """Store the decision on ``step``, which is recorded next."""
        self.halt = decision if isinstance(decision, Halt) else None
        self.decision = Write(step.author) if isinstance(decision, Halt) else decision

    def record(
        self,
        step: Step,
        reading: Reading,
        stretch: int,
        *,
        score: float | None,
        reward: float | None,
        has_logprobs: bool,
    ) -> StepRecord:
        """The record of the step that the last decision is about."""
        pieces = [token.text for token in step.tokens]
        return StepRecord(
            author=step.author,
            text=step.text,
            tokens=len(step.tokens),
            end=step.end,
            stretch=stretch,
            trigger=self.trigger,
            logprobs=tuple(token.logprob for token in step.tokens) if has_logprobs else (),
            ratio=reading.ratio,
            hesitations=reading.hesitations,
            score=score,
            standing=not isinstance(self.decision, Rewrite),
            top=reading.features.top,
            reward=reward,
            lengths=token_lengths(step.text, pieces) if has_logprobs else (),
        )

    def keep(self, record: StepRecord) -> Event:
        """The step stands; the thinking is over if the step closes it or spends the budget."""
        self.trace.steps.append(record)
        self.thinking += record.text
        self.thinking_tokens += record.tokens
        spent = self.budget.spent(self.thinking_tokens, len(self.trace.standing))
        limit = self.halt.limit if self.halt else spent
        if record.end is StepEnd.END_OF_THINKING:
            self.thinking_over = True
        elif limit is not None:
            self.close_thinking(limit)
        return StepAccepted(len(self.trace.steps) - 1, record)

    def drop(self, record: StepRecord, trigger: Trigger) -> Event:
        """The step becomes a draft; a model that goes on alone by now does so from before it."""
        self.trace.steps.append(record)
        if self.trace.degraded is not None:
            self.decision = self.run.open()
        return DraftDropped(len(self.trace.steps) - 1, record, trigger)

    def is_spent(self, open_tokens: int) -> bool:
        """Whether the unfinished step spends the rest of the thinking budget."""
        return self.thinking_tokens + open_tokens >= self.budget.thinking_tokens

    def close_thinking(self, limit: str) -> None:
        """End the thinking because ``limit`` is reached."""
        self.thinking_over = True
        self.trace.limit = limit

    def room(self, *, one_step: bool) -> int:
        """How many tokens the next stretch may take, including an answer after it."""
        left = self.budget.thinking_tokens - self.thinking_tokens
        steps = self.decision.steps if isinstance(self.decision, Write) and not one_step else 1
        if steps is not None:
            left = min(left, steps * (self.budget.step_tokens + CUTTING_SLACK))
        return left + self.budget.answer_tokens

    def prefix(self, author: Author, open_text: str = "") -> Prefix:
        """The prefix that ``author`` continues: the standing thinking and the unfinished step."""
        in_tags = self.tags[author] is not None
        return Prefix(self.trace.messages, self.thinking + open_text, in_tags, self.trace.tools)

    def answer_prefix(self, answer: AnswerWriter) -> Prefix:
        """The conversation, the thinking, and the answer so far."""
        return Prefix(self.trace.messages, self.thinking + answer.written, tools=self.trace.tools)

    def bound_author(self, wanted: Author) -> Author:
        """Who writes a bound answer: ``wanted``, unless it is away or not of the method."""
        return wanted if wanted in self.method.authors else wanted.other

    def bound_prefix(self, author: Author, cue: str) -> Prefix:
        """The conversation, the thinking as ``author`` ends it, and the cue of the answer."""
        in_tags = self.tags[author] is not None
        thinking = self.thinking.rstrip()
        closing = f"\n{END_OF_THINKING}" if in_tags else ""
        return Prefix(
            self.trace.messages, f"{thinking}{closing}\n\n{cue}".lstrip(), thinking=in_tags
        )

    def judged_prefix(self, step: Step, judge: JudgePrompt) -> Prefix:
        """The prefix that asks for a score of ``step``, after the thinking up to and with it."""
        tags = self.tags[Author.LRM]
        prefix = judge.prefix(self.trace.messages, self.thinking, step.text, tags)
        return replace(prefix, tools=self.trace.tools)

    def rated_steps(self, step: Step) -> list[str]:
        """What the scorer is shown: the standing steps that are not blank, and then ``step``."""
        return [*(each.text for each in self.trace.standing if each.text.strip()), step.text]

    def next_turn(self) -> int:
        """Count the next turn; its number decides the seed, so that equal runs draw alike."""
        self.turns += 1
        return self.turns

    def meet_failure(
        self, author: Author, error: EngineError, policy: FailurePolicy
    ) -> Iterator[Event]:
        """``author``'s model failed for good: the run stops, or the other one goes on alone.

        Raises:
            EngineError: neither is possible; ``details["trace"]`` holds the trace so far.
        """
        trace = self.trace
        if isinstance(error, ContextTooLong) and trace.steps:
            self.stop(StopReason.TRUNCATED, "context")
            return
        error.details["trace"] = trace
        if (before := trace.degraded) is not None:
            also = f"; the {before.away} was away before ({before.reason})"
            raise replace(error, what=error.what + also) from error
        wanted = policy.lrm_away if author is Author.LRM else policy.srm_away
        gives_up = wanted is Away.FAIL or author.other not in self.method.authors
        if gives_up or not self._is_outage(author, error):
            raise error
        yield self.go_on_without(author, error)

    def meet_scorer_failure(self, error: EngineError, policy: FailurePolicy) -> Iterator[Event]:
        """The scorer failed for good: the LRM goes on alone, as no SRM step can be rated.

        A scorer that has rated a step of this run counts as working, whatever its failure is now;
        a thinking may have become too long for it.

        Raises:
            EngineError: the scorer never worked, or the policy is to fail; ``details["trace"]``
                holds the trace so far.
        """
        error.details["trace"] = self.trace
        log = self.trace.scorer
        has_rated = log is not None and any(each.failed is None for each in log.requests)
        is_outage = error.transient or isinstance(error, EngineResting) or has_rated
        if policy.scorer_away is Away.FAIL or not is_outage:
            raise error
        yield self.go_on_without(None, error)

    def go_on_without(self, author: Author | None, error: EngineError) -> Event:
        """``author``, or the scorer (None), is unavailable: one model writes the rest."""
        self.trace.degraded = Degraded(author, len(self.trace.steps), error.what)
        alone = self.trace.degraded.alone
        self.run = MethodRun(Solo(alone), self.trace.thresholds)
        self.decision = self.run.open()
        if self.answer is not None:
            self.answer.author = alone
        return WentOnAlone(alone, str(error), has_both=author is None)

    def begin_answer_in_stream(self, author: Author, behind_tag: str) -> list[Event]:
        """The thinking is closed and stands; the same stream continues with the answer."""
        self.answer = AnswerWriter(author, self.budget.answer_tokens)
        return self.answer.push(behind_tag, tokens=0)

    def answer_asked_for(self) -> AnswerWriter:
        """The answer, to be begun or continued in a separate request.

        If there is none yet, the thinking is closed for the author of the last standing step.
        """
        if self.answer is None:
            line_end = "" if self.thinking.endswith("\n") or not self.thinking else "\n"
            closing = f"{line_end}{END_OF_THINKING}\n\n"
            self.answer = AnswerWriter(self.last_author(), self.budget.answer_tokens, closing)
        return self.answer

    def keep_answer(self) -> None:
        """Enter the answer so far into the trace."""
        assert self.answer is not None, "there is an answer to enter"
        self.trace.answer = self.answer.text
        self.trace.answer_by = dict(self.answer.by)

    def take_back(self) -> int:
        """Drop a partial character at the answer's end; return how many tokens it dropped."""
        assert self.answer is not None, "there is an answer to shorten"
        dropped = self.answer.take_back()
        self.keep_answer()
        return dropped

    def stop(self, reason: StopReason, limit: str | None = None) -> None:
        """The run ends, for ``reason``."""
        self.trace.stop = reason
        self.trace.limit = limit or self.trace.limit
        if self.trace.in_the_open and not self.trace.answer:
            self.enter_answer(given_answer(self.thinking))

    def enter_answer(self, given: str | None) -> None:
        """Enter an answer that the thinking contains; its tokens are counted as thinking."""
        if given:
            self.trace.answer, self.trace.answer_by = given, {self.last_author(): 0}

    def last_author(self) -> Author:
        """The author of the last standing step, who writes the answer, unless it is away."""
        standing = self.trace.standing
        if self.trace.degraded or not standing:
            return self.decision.author
        return standing[-1].author

    def _is_outage(self, author: Author, error: EngineError) -> bool:
        """Whether a model that works is unavailable, rather than set up wrong from the start."""
        if isinstance(error, ContextTooLong | NoLogprobs):
            return False
        has_worked = any(
            stretch.author is author and stretch.completion_tokens
            for stretch in self.trace.stretches
        )
        return error.transient or isinstance(error, EngineResting) or has_worked

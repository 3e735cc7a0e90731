"""What a run has come to: what stands, who holds the pen and why, what is left to spend."""

from __future__ import annotations

from collections.abc import Iterator

from trigreason.budget import Budget
from trigreason.engines.base import Finish, Prefix
from trigreason.engines.templates import THINK
from trigreason.events import DraftDropped, Event, HandedOver, StepAccepted, StepBegun
from trigreason.pairs import JudgePrompt
from trigreason.reasoning import (
    Author,
    Decision,
    Message,
    Rewrite,
    Step,
    StepEnd,
    StepRecord,
    StopReason,
    Trace,
    Trigger,
    Write,
    make_method,
)
from trigreason.reasoning.steps import CUTTING_SLACK, END_OF_THINKING
from trigreason.writing import AnswerWriter, StretchWriter


class RunState:
    """Changes only by finished steps, answer text and stops; knows no model and no clock."""

    def __init__(self, trace: Trace, budget: Budget) -> None:
        self.trace = trace
        self.budget = budget
        self.method = make_method(trace.method, trace.thresholds)
        self.decision: Decision = self.method.open()
        self.author: Author | None = None
        self.trigger: Trigger | None = None
        self.thinking = ""
        self.thinking_tokens = 0
        self.thinking_over = False

    def take_pen(self) -> Iterator[Event]:
        """Give the pen to whom the last decision names."""
        decision = self.decision
        if isinstance(decision, Rewrite) or decision.author is not self.author:
            self.trigger = decision.trigger if isinstance(decision, Rewrite | Write) else None
            if self.author is not None or self.trigger is not None:
                steps = decision.steps if isinstance(decision, Write) else 1
                because = self.trace.steps[-1] if self.trace.steps else None
                yield HandedOver(decision.author, self.trigger, steps, because)
        self.author = decision.author
        yield StepBegun(self.author, self.trigger)

    def writer(self) -> StretchWriter:
        """A writer for the author who holds the pen."""
        author = self.decision.author
        as_it_comes = author is Author.LRM or not self.method.revises
        return StretchWriter(author, self.budget.step_tokens, as_it_comes=as_it_comes)

    def record(
        self, step: Step, stretch: int, score: float | None, *, has_logprobs: bool
    ) -> StepRecord:
        """The record of a step on which the last decision was taken."""
        signals = self.method.signals(step)
        return StepRecord(
            author=step.author,
            text=step.text,
            tokens=len(step.tokens),
            end=step.end,
            stretch=stretch,
            trigger=self.trigger,
            logprobs=tuple(token.logprob for token in step.tokens) if has_logprobs else (),
            ratio=signals.ratio,
            hesitations=signals.hesitations,
            score=score,
            standing=not isinstance(self.decision, Rewrite),
        )

    def keep(self, record: StepRecord) -> Event:
        """The step stands; the thinking is over where it closed it or spent the budget."""
        self.trace.steps.append(record)
        self.thinking += record.text
        self.thinking_tokens += record.tokens
        limit = self.budget.spent(self.thinking_tokens, len(self.trace.standing))
        if record.end is StepEnd.END_OF_THINKING:
            self.thinking_over = True
        elif limit is not None:
            self.thinking_over = True
            self.trace.limit = limit
        return StepAccepted(len(self.trace.steps) - 1, record)

    def drop(self, record: StepRecord, trigger: Trigger) -> Event:
        """The step becomes a draft."""
        self.trace.steps.append(record)
        return DraftDropped(len(self.trace.steps) - 1, record, trigger)

    def is_spent(self, open_tokens: int) -> bool:
        """Whether the thinking budget is spent with the step under way."""
        return self.thinking_tokens + open_tokens >= self.budget.thinking_tokens

    def room(self, *, one_step: bool) -> int:
        """How many tokens the next stretch may take, an answer behind it included."""
        left = self.budget.thinking_tokens - self.thinking_tokens
        steps = self.decision.steps if isinstance(self.decision, Write) and not one_step else 1
        if steps is not None:
            left = min(left, steps * (self.budget.step_tokens + CUTTING_SLACK))
        return left + self.budget.answer_tokens

    def prefix(self) -> Prefix:
        """The conversation and the thinking that stands."""
        return Prefix(self.trace.messages, self.thinking)

    def closed_prefix(self) -> Prefix:
        """The same with the thinking closed, ready for the answer."""
        line_end = "" if self.thinking.endswith("\n") or not self.thinking else "\n"
        closed = f"{self.thinking}{line_end}{END_OF_THINKING}\n\n"
        return Prefix(self.trace.messages, closed)

    def judged_prefix(self, step: Step, judge: JudgePrompt) -> Prefix:
        """A turn that asks for a score of ``step``, behind the thinking up to and with it."""
        thinking = f"{THINK}\n{self.thinking}{step.text.rstrip()}\n\n"
        turns = (Message("assistant", thinking), Message("user", judge.question))
        return Prefix((*self.trace.messages, *turns), judge.opening, thinking=False)

    def last_author(self) -> Author:
        """Who wrote the last step that stands, and so writes the answer."""
        standing = self.trace.standing
        return standing[-1].author if standing else self.decision.author

    def keep_answer(self, answer: AnswerWriter) -> None:
        """Enter the answer as far as it is written."""
        self.trace.answer = answer.text
        self.trace.answer_author = answer.author
        self.trace.answer_tokens = answer.tokens

    def end_of_answer(self, answer: AnswerWriter, finish: Finish | None) -> list[Event]:
        """Nothing more of the answer will come."""
        events = answer.finish()
        self.keep_answer(answer)
        if finish is Finish.LENGTH:
            self.stop(StopReason.TRUNCATED, "answer_tokens" if answer.is_full else "context")
        else:
            self.stop(StopReason.CLOSED if self.trace.limit else StopReason.COMPLETE)
        return events

    def stop(self, reason: StopReason, limit: str | None = None) -> None:
        """The run ends, for ``reason``."""
        self.trace.stop = reason
        self.trace.limit = limit or self.trace.limit

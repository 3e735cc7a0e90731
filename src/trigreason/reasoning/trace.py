"""The record of a run, and its arithmetic.

A trace holds every step in the order in which it was written, drafts included, and every request
that was sent. Everything else (SMT, tokens and requests per model, handovers, cost) follows from
these two lists, so the counts cannot disagree. See ``trace_json`` for its form on disk.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, TypeVar

from trigreason.reasoning.messages import Message
from trigreason.reasoning.records import (
    Degraded,
    Handover,
    ModelUse,
    Prices,
    Purpose,
    StepRecord,
    StopReason,
    Stretch,
)
from trigreason.reasoning.rewards import ScorerLog
from trigreason.reasoning.steps import Author, StepBreak
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.tools import Tool
from trigreason.reasoning.triggers import Trigger

_Number = TypeVar("_Number", int, float)


@dataclass(slots=True)
class Trace:
    """One run, from question to answer.

    ``answer_by`` counts the answer's tokens by author, in the order of writing. A run
    ``in_the_open`` marks no thinking: its text is thinking and answer in one, every token of it
    counts as thinking, and ``answer`` repeats the part that gives the answer. ``scorer`` is None
    unless the method asks for rewards. ``tools`` are those that the models were offered.
    """

    method: str
    thresholds: Thresholds
    messages: tuple[Message, ...]
    models: dict[Author, str]
    sampling: dict[str, Any] = field(default_factory=dict)
    logprob_scale: str = "raw"
    prices: dict[Author, Prices] = field(default_factory=dict)
    in_the_open: bool = False
    step_break: StepBreak = StepBreak.BLANK_LINE
    tools: tuple[Tool, ...] = ()
    steps: list[StepRecord] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    answer: str = ""
    answer_by: dict[Author, int] = field(default_factory=dict)
    degraded: Degraded | None = None
    stop: StopReason | None = None
    limit: str | None = None
    unreadable_scores: int = 0
    scorer: ScorerLog | None = None
    seconds: float = 0.0

    @property
    def standing(self) -> list[StepRecord]:
        return [step for step in self.steps if step.standing]

    @property
    def drafts(self) -> list[StepRecord]:
        return [step for step in self.steps if not step.standing]

    @property
    def thinking(self) -> str:
        """The final thinking: the standing steps joined."""
        return "".join(step.text for step in self.standing)

    @property
    def reply(self) -> str:
        """What a user of the model reads: the answer, or for a run in the open the whole text."""
        return self.thinking.strip() if self.in_the_open else self.answer

    @property
    def reply_tokens(self) -> int:
        """The tokens of the reply."""
        return self.thinking_tokens if self.in_the_open else self.answer_tokens

    @property
    def thinking_tokens(self) -> int:
        return sum(step.tokens for step in self.standing)

    @property
    def answer_author(self) -> Author | None:
        """Who finished the answer."""
        return next(reversed(self.answer_by), None)

    @property
    def answer_tokens(self) -> int:
        return sum(self.answer_by.values())

    @property
    def smt(self) -> float | None:
        """Share of the final thinking's tokens that the SRM wrote; None without any thinking."""
        total = self.thinking_tokens
        if not total:
            return None
        return sum(step.tokens for step in self.standing if step.author is Author.SRM) / total

    @property
    def handovers(self) -> list[Handover]:
        """Every change of author between successive standing steps, and each rewrite."""
        changes: list[Handover] = []
        writer: Author | None = None
        for index, step in enumerate(self.steps):
            opened_by_trigger = writer is None and step.trigger is not None
            if opened_by_trigger or (writer is not None and step.author is not writer):
                changes.append(Handover(index, step.author, step.trigger))
            writer = step.author
        return changes

    @property
    def handovers_by_trigger(self) -> dict[Trigger, int]:
        """How often each trigger handed over to the LRM."""
        counts = Counter(each.trigger for each in self.handovers if each.trigger is not None)
        return {trigger: counts[trigger] for trigger in Trigger if counts[trigger]}

    def fired_after(self, index: int) -> Trigger | None:
        """The trigger that fired on the SRM's step ``index``, even if the run ended with it."""
        step = self.steps[index]
        if index + 1 < len(self.steps):
            following = self.steps[index + 1]
            if following.author is Author.LRM:
                return following.trigger
        if step.standing:
            return None
        if step.score is not None:
            return Trigger.JUDGE_REJECTION
        if step.reward is not None:
            return Trigger.LOW_REWARD
        return Trigger.COGNITIVE_OFFLOAD if self.method == "trigreason" else Trigger.METHOD

    def handed_over(self, index: int) -> int | None:
        """For how many steps the trigger of step ``index`` called the LRM; None without one.

        For a method of a package, which does not record this, it is the steps the LRM then wrote.
        """
        match self.steps[index].trigger:
            case None:
                return None
            case Trigger.STRATEGIC_PRIMING if self.method == "specreason":
                return self.thresholds.judge_first
            case Trigger.STRATEGIC_PRIMING:
                return self.thresholds.n
            case Trigger.INTERVENTION_REQUEST:
                return self.thresholds.m
            case Trigger.REPETITION:
                return max(1, self.thresholds.m)
            case Trigger.METHOD:
                rest = takewhile(lambda step: step.author is Author.LRM, self.steps[index:])
                return sum(1 for _ in rest)
            case _:
                return 1

    def use(self, author: Author) -> ModelUse:
        """What ``author``'s model did, in requests, tokens, seconds and USD."""
        stretches = [stretch for stretch in self.stretches if stretch.author is author]
        steps = [step for step in self.steps if step.author is author]
        prompts = [stretch.prompt_tokens for stretch in stretches]
        cached = [stretch.cached_tokens for stretch in stretches]
        price = self.prices.get(author)
        costs = [price.cost(stretch) if price else None for stretch in stretches]
        return ModelUse(
            requests=len(stretches),
            prompt_tokens=_sum(prompts),
            cached_tokens=_sum(cached),
            completion_tokens=sum(stretch.completion_tokens for stretch in stretches),
            standing_tokens=sum(step.tokens for step in steps if step.standing),
            draft_tokens=sum(step.tokens for step in steps if not step.standing),
            answer_tokens=self.answer_by.get(author, 0),
            judge_tokens=sum(
                stretch.completion_tokens - stretch.unused_tokens
                for stretch in stretches
                if stretch.purpose is Purpose.JUDGE
            ),
            unused_tokens=sum(stretch.unused_tokens for stretch in stretches),
            seconds=sum(stretch.seconds for stretch in stretches),
            usd=_sum(costs) if price else None,
        )

    @property
    def usd(self) -> float | None:
        """Cost of the run in USD; None unless it is known for every model that was used."""
        authors = {stretch.author for stretch in self.stretches}
        costs = [self.use(author).usd for author in authors]
        if self.scorer is not None and self.scorer.requests:
            costs.append(self.scorer.usd)
        return _sum(costs)

    def fingerprint(self) -> str:
        """A digest of what was thought and decided, without timing and transport.

        Two runs with the same fingerprint wrote the same steps by the same authors for the same
        reasons and gave the same answer. Seconds, cache hits, tokens that arrived too late to be
        used, and the last digits of probabilities stay out of it.
        """
        steps = [
            [
                *(step.author, step.text, step.tokens, step.trigger, step.standing, step.score),
                *([] if step.reward is None else [step.reward]),
            ]
            for step in self.steps
        ]
        messages = [each if any(each[2:]) else each[:2] for each in self.messages]
        content = [self.method, self.thresholds.to_json(), messages, steps, self.answer]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _sum(values: Sequence[_Number | None]) -> _Number | None:
    """The sum, or None if a value is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None

"""Running the reasoner in tests, and what must hold of every run whatever it wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from trigreason.engines.base import Sampling
from trigreason.events import (
    AnswerText,
    Done,
    DraftDropped,
    Event,
    HandedOver,
    RunBegun,
    StepAccepted,
    StepBegun,
    ThinkingText,
    TokensArrived,
)
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import (
    Author,
    Message,
    Thresholds,
    Trace,
    load_trace,
    replay,
    trace_to_json,
)

GREEDY = Sampling(temperature=0)
QUIET = Thresholds(n=0, rho=1, m=0)
"""Nothing ever fires."""

SHORT_NAMES = {
    RunBegun: "run",
    StepBegun: "begin",
    ThinkingText: "text",
    StepAccepted: "accept",
    DraftDropped: "drop",
    HandedOver: "hand",
    AnswerText: "answer",
    Done: "done",
}


async def told(
    pair: Pair, question: str | Sequence[Message] = "Why?", method: str = "trigreason", **how: Any
) -> Told:
    """Everything a run tells, after checking what holds of every run."""
    async with aclosing(reason(pair, question, method, **how)) as running:
        run = Told([event async for event in running])
    run.check()
    return run


class Told:
    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        last = events[-1]
        assert isinstance(last, Done)
        self.trace: Trace = last.trace

    @property
    def order(self) -> str:
        """The events by name; runs of text are one."""
        names = [SHORT_NAMES[type(each)] for each in self.events if type(each) in SHORT_NAMES]
        return " ".join(
            name for index, name in enumerate(names) if index == 0 or name != names[index - 1]
        )

    @property
    def thinking(self) -> str:
        return "".join(each.text for each in self.events if isinstance(each, ThinkingText))

    @property
    def answer(self) -> str:
        return "".join(each.text for each in self.events if isinstance(each, AnswerText))

    @property
    def authors(self) -> str:
        """Who wrote each step, drafts in brackets: ``"L S (S) L"``."""
        letters = {Author.SRM: "S", Author.LRM: "L"}
        return " ".join(
            letters[step.author] if step.standing else f"({letters[step.author]})"
            for step in self.trace.steps
        )

    def check(self) -> None:
        assert self.thinking == self.trace.thinking
        assert self.answer == self.trace.answer
        for author in Author:
            arrivals = (each for each in self.events if isinstance(each, TokensArrived))
            arrived = sum(each.tokens for each in arrivals if each.author is author)
            assert arrived >= sum(each.tokens for each in self.trace.steps if each.author is author)
        check_accounts(self.trace)
        check_replay(self.trace)
        kept = [each.index for each in self.events if isinstance(each, StepAccepted | DraftDropped)]
        assert kept == list(range(len(self.trace.steps)))


def check_accounts(trace: Trace) -> None:
    """Every token that arrived went into a step, a draft, a score, the answer, or was unused."""
    for author in Author:
        use = trace.use(author)
        spent = use.standing_tokens + use.draft_tokens + use.answer_tokens + use.judge_tokens
        assert use.completion_tokens == spent + use.unused_tokens
        assert use.unused_tokens >= 0


def check_replay(trace: Trace) -> None:
    read_back = load_trace(json.dumps(trace_to_json(trace)))
    assert read_back == trace
    assert all(each.agrees is not False for each in replay(read_back))

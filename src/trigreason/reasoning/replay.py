"""Replay of a recorded trace: a method decides on its steps again, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trigreason.reasoning.method_run import Halt, MethodRun
from trigreason.reasoning.methods import Decision, Judge, Reward, Rewrite, Write
from trigreason.reasoning.reading import Features
from trigreason.reasoning.records import StepRecord
from trigreason.reasoning.steps import Author, Step, StepEnd
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.tokens import Token
from trigreason.reasoning.trace import Trace
from trigreason.reasoning.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a method decides after a recorded step, and whether the record says the same.

    ``step`` is an index into the trace's steps, -1 for the opening. ``agrees`` is None where the
    record ends and so cannot tell; a halt agrees with the end of the record.
    """

    step: int
    decision: Decision | Halt
    agrees: bool | None

    def to_json(self) -> dict[str, Any]:
        """The step and the decision as plain values; no author or trigger where it has none."""
        decision = self.decision
        return {
            "step": self.step,
            "decision": type(decision).__name__.lower(),
            "author": None if isinstance(decision, Halt | Reward) else decision.author,
            "trigger": None if isinstance(decision, Halt | Judge | Reward) else decision.trigger,
        }


def replay(trace: Trace, thresholds: Thresholds | None = None) -> Iterator[Replayed]:
    """Every decision of the trace's method over the trace's steps.

    Under the trace's own thresholds all of them agree with the record. Under others, the decisions
    say what would have been done with the recorded steps; what the models would have written after
    the first difference is unknown. If a model became unavailable, the replay ends there, because
    the method decided nothing from then on.
    """
    thresholds = thresholds or trace.thresholds
    run = MethodRun.of(trace.method, thresholds)
    decided = trace.degraded.step if trace.degraded else len(trace.steps)
    yield _compare(-1, run.open(), trace)
    for index, record in enumerate(trace.steps[:decided]):
        if record.end is StepEnd.CUT_OFF:
            return
        yield _compare(index, _decide(run, record), trace)


def recorded_features(record: StepRecord) -> Features:
    """What a recorded step shows; the texts of its tokens are not recorded."""
    tokens = tuple(Token("", logprob) for logprob in record.logprobs)
    return Features(Step(record.text, tokens, record.end, record.author), record.top)


def _decide(run: MethodRun, record: StepRecord) -> Decision | Halt:
    decision = run.on_step(run.read(recorded_features(record)))
    if isinstance(decision, Judge) and record.score is not None:
        decision = run.on_score(record.score)
    elif isinstance(decision, Reward) and record.reward is not None:
        decision = run.on_reward(record.reward)
    return decision


def _compare(index: int, decision: Decision | Halt, trace: Trace) -> Replayed:
    decided = trace.degraded.step if trace.degraded else len(trace.steps)
    following = trace.steps[index + 1] if index + 1 < decided else None
    return Replayed(index, decision, _agrees(decision, trace, index, following))


def _agrees(
    decision: Decision | Halt, trace: Trace, index: int, following: StepRecord | None
) -> bool | None:
    if isinstance(decision, Judge | Reward):
        return None if following is None else False
    if index >= 0 and isinstance(decision, Rewrite) is trace.steps[index].standing:
        return False
    if isinstance(decision, Halt):
        return following is None
    if following is None:
        return None
    if following.author is not decision.author:
        return False
    writer = trace.steps[index].author if index >= 0 else None
    if writer is decision.author and isinstance(decision, Write):
        return True
    return following.trigger is decision.trigger


@dataclass(frozen=True, slots=True)
class Firing:
    """A recorded SRM step, the trigger that fired on it then, and the one that would now."""

    step: int
    record: StepRecord
    then: Trigger | None
    now: Trigger | None


def what_if(trace: Trace, thresholds: Thresholds) -> list[Firing]:
    """Which triggers would have fired on the recorded SRM steps under ``thresholds``.

    Each SRM step, kept or thrown away, is judged as it was written. The hesitation streak starts
    anew after every step at which the LRM wrote then or would write now. Priming is left out, as
    it looks at no step, and so is a halt, as it does not call the LRM.
    """
    run = MethodRun.of("trigreason", thresholds)
    run.open()
    firings: list[Firing] = []
    for index, record in enumerate(trace.steps):
        if record.end is StepEnd.CUT_OFF:
            continue
        decision = run.on_step(run.read(recorded_features(record)))
        if record.author is Author.SRM:
            now = decision.trigger if isinstance(decision, Write | Rewrite) else None
            firings.append(Firing(index, record, trace.fired_after(index), now))
    return firings

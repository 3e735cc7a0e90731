"""Which trigger put which steps into the final thinking (Table 2, appendix C of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trigreason.reasoning import Trace, Trigger


@dataclass(frozen=True, slots=True)
class Activation:
    """Steps of one run's final thinking, and how many of them each trigger had the LRM write."""

    steps: int
    by_trigger: Mapping[Trigger, int]

    @property
    def triggered(self) -> int:
        return sum(self.by_trigger.values())


def activation(trace: Trace) -> Activation:
    """Count the standing steps of a run, and those that stand there because of each trigger.

    An offloaded step counts once, as the LRM wrote it; its draft is no step of the final thinking.
    """
    standing = [step for step in trace.standing if step.text.strip()]
    counts: dict[Trigger, int] = {
        trigger: sum(step.trigger is trigger for step in standing)
        for trigger in Trigger
        if trigger is not Trigger.JUDGE_REJECTION
    }
    return Activation(len(standing), counts)

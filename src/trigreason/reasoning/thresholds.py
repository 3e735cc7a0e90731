"""Every threshold of every method in one flat, immutable set, under the paper's symbols.

This is the form in which thresholds are written down: in a pair's profile, on the command line,
in a trace. ``methods.make_method`` turns it into the method that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from trigreason.reasoning.hesitation import HESITATION_EXPRESSIONS
from trigreason.reasoning.repetition import RepetitionGuard
from trigreason.reasoning.triggers import (
    CognitiveOffload,
    Direction,
    InterventionRequest,
    JudgeRejection,
    StrategicPriming,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The defaults are the paper's; those of k, which it does not give, and repeats are our own.

    Attributes:
        n: priming steps the LRM writes first (steps).
        tau: perplexity below which a token counts as certain.
        rho: bound on the share of certain tokens in a step (0 to 1).
        direction: the side of rho that fires.
        k: hesitating steps in a row that ask for the LRM (steps).
        m: steps the LRM then writes (steps).
        accept: lowest judge's score with which SpecReason keeps a step (0 to 9).
        judge_first: priming steps under SpecReason (steps; its script's option, off by default).
        expressions: what counts as hesitation; Table 3.
        repeats: repeating steps in a row that close the thinking (steps); 0 switches the
            repetition guard off.
    """

    n: int = 20
    tau: float = 1.05
    rho: float = 0.85
    direction: Direction = Direction.OVER
    k: int = 2
    m: int = 1
    accept: float = 7
    judge_first: int = 0
    expressions: tuple[str, ...] = HESITATION_EXPRESSIONS
    repeats: int = 3

    def to_json(self) -> dict[str, Any]:
        """Plain values; the expressions only where they are not the paper's."""
        values = asdict(self) | {"expressions": list(self.expressions)}
        if self.expressions == HESITATION_EXPRESSIONS:
            del values["expressions"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Thresholds:
        """Raises ValueError for an unknown key or a value out of range."""
        unknown = set(values) - {each.name for each in fields(cls)}
        if unknown:
            known = ", ".join(each.name for each in fields(cls))
            raise ValueError(f"unknown threshold {sorted(unknown)[0]!r}; there are {known}")
        converted = dict(values)
        if "direction" in converted:
            converted["direction"] = Direction(converted["direction"])
        if "expressions" in converted:
            converted["expressions"] = tuple(converted["expressions"])
        thresholds = cls(**converted)
        thresholds.check()
        return thresholds

    def check(self) -> None:
        """Raises ValueError for a value out of range, whichever method it belongs to."""
        StrategicPriming(self.n)
        StrategicPriming(self.judge_first)
        CognitiveOffload(self.tau, self.rho, self.direction)
        InterventionRequest(self.k, self.m, self.expressions)
        RepetitionGuard(self.repeats)
        JudgeRejection(self.accept)

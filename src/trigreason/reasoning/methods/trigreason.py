"""The paper's method, as transitions (algorithm 1):

    state            what happened                          decision
    start            n > 0                                  Write(LRM, n, strategic priming)
    start            n = 0                                  Write(SRM)
    LRM owes > 1     LRM step                               Write(LRM, one less)
    LRM owes 1       LRM step                               Write(SRM), streak = 0
    SRM writes       step with r out of bounds              Rewrite(LRM, offload), streak = 0
    SRM writes       step that repeats                      Write(LRM, max(1, m), repetition),
                                                            streak = 0
    SRM writes       k-th hesitating step in a row          Write(LRM, m, request), streak = 0
    SRM writes       hesitating step before that            Write(SRM), streak + 1
    SRM writes       any other step                         Write(SRM), streak = 0

Of two rows that fit a step of the SRM, the upper one holds. Repetition is this project's addition;
it does not call the LRM if all three triggers are off (n = 0, offload and requests off).
An SRM step of white space only (before a bare ``</think>``) changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import SRM_WRITES, Method, Rewrite, Write, rest_of
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import (
    CognitiveOffload,
    InterventionRequest,
    StrategicPriming,
    Trigger,
)

OFFLOADED = Rewrite(Author.LRM, Trigger.COGNITIVE_OFFLOAD)


@dataclass(slots=True, kw_only=True)
class TrigReason(Method):
    """The SRM writes; three triggers and repetition bring the LRM in."""

    priming: StrategicPriming = field(default_factory=StrategicPriming)
    offload: CognitiveOffload = field(default_factory=CognitiveOffload)
    request: InterventionRequest = field(default_factory=InterventionRequest)
    _owed: int = field(default=0, init=False, repr=False, compare=False)
    _streak: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        return self._hand_over(self.priming.n, Trigger.STRATEGIC_PRIMING)

    def on_step(self, reading: Reading) -> Write | Rewrite:
        if reading.author is Author.LRM:
            self._streak = 0
            self._owed -= 1
            return rest_of(self._owed)
        if reading.is_blank:
            return SRM_WRITES
        if self.offload.fires(reading.ratio):
            self._streak = 0
            self._owed = 1
            return OFFLOADED
        if reading.repeats and Author.LRM in self.authors:
            return self._hand_over(max(1, self.request.m), Trigger.REPETITION)
        self._streak = self._streak + 1 if reading.hesitations else 0
        if self.request.fires(self._streak):
            return self._hand_over(self.request.m, Trigger.INTERVENTION_REQUEST)
        return SRM_WRITES

    def would_rewrite(self, ratio: float | None) -> bool:
        return self.offload.fires(ratio)

    def _hand_over(self, steps: int, trigger: Trigger) -> Write:
        """The LRM writes ``steps`` steps (if 0, the SRM goes on); the streak is over."""
        self._streak = 0
        self._owed = steps
        return Write(Author.LRM, steps, trigger) if steps else SRM_WRITES

    @property
    def authors(self) -> frozenset[Author]:
        idle = self.priming.n == 0 and self.offload.is_off and self.request.is_off
        return frozenset({Author.SRM}) if idle else frozenset(Author)

    @property
    def revises(self) -> bool:
        return not self.offload.is_off

    @property
    def needs_logprobs(self) -> bool:
        return not self.offload.is_off

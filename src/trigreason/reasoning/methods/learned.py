"""A trigger that is fitted to a pair's own runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import REWRITE, SRM_WRITES, Method, Rewrite, Write
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.risk import RiskModel
from trigreason.reasoning.risk_signals import SignalReader
from trigreason.reasoning.steps import Author


@dataclass(slots=True, kw_only=True)
class Learned(Method):
    """The LRM rewrites an SRM step whose risk, by the pair's own ``model``, is above ``risk``.

    It looks at every signal of the step and of the run so far, in whichever direction the pair's
    recorded runs say; see :mod:`trigreason.reasoning.risk`.
    """

    model: RiskModel
    risk: float
    _signals: SignalReader = field(
        default_factory=SignalReader, init=False, repr=False, compare=False
    )

    def open(self) -> Write:
        self._signals.restart()
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write | Rewrite:
        if reading.is_blank:
            return SRM_WRITES
        if reading.author is Author.LRM:
            self._signals.keep()
            return SRM_WRITES
        signals = self._signals.read(reading)
        if self.model.risk(signals) > self.risk:
            return REWRITE
        self._signals.keep(signals)
        return SRM_WRITES

    @property
    def revises(self) -> bool:
        return True

    @property
    def needs_logprobs(self) -> bool:
        return True

    @property
    def needs_alternatives(self) -> bool:
        return self.model.needs_alternatives

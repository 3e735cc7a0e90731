"""The risk of a step: the probability that it is wrong, by a model fitted to a pair's own runs.

A :class:`RiskModel` is a sum of curves, one per signal, so that a person can read what counts and
how much. ``risk_signals`` reads the signals of a run's steps, and
``studies.calibration.risk_fitting`` fits the curves.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIGNALS: Mapping[str, str] = {
    "ratio": "low-perplexity ratio r",
    "mean_logprob": "mean logprob, nats",
    "min_logprob": "lowest logprob, nats",
    "first_entropy": "first token's entropy, nats",
    "mean_margin": "mean margin",
    "hesitates": "hesitation",
    "repeats": "repetition",
    "tokens": "length, tokens",
    "position": "position (steps before)",
    "ratio_change": "r minus the mean before",
    "logprob_change": "logprob minus mean before",
}
"""What a model may look at, by name, and in words."""

OF_ALTERNATIVES = frozenset({"first_entropy", "mean_margin"})
"""The signals that need the likeliest tokens beside those that the SRM wrote."""

Signals = Mapping[str, float | None]
"""The value of each of :data:`SIGNALS` at one step; None where it is unknown."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How much a signal adds to the risk, in logits: straight between the points ``at``.

    Before the first point and behind the last it is constant.

    Raises:
        ValueError: there is no such signal, or the points do not rise or have no values.
    """

    signal: str
    at: tuple[float, ...]
    logits: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.signal not in SIGNALS:
            known = ", ".join(SIGNALS)
            raise ValueError(f"a risk model has a curve of {self.signal!r}; signals are {known}")
        is_rising = all(low < high for low, high in zip(self.at, self.at[1:], strict=False))
        is_finite = all(map(math.isfinite, (*self.at, *self.logits)))
        if not (self.at and len(self.at) == len(self.logits) and is_rising and is_finite):
            raise ValueError(
                f"the curve of {self.signal} in a risk model needs rising points, and as many "
                "logits"
            )

    def value(self, signal: float) -> float:
        """The logits at a value of the signal."""
        behind = bisect_right(self.at, signal)
        if behind in (0, len(self.at)):
            return self.logits[max(0, behind - 1)]
        low, high = self.at[behind - 1], self.at[behind]
        part = (signal - low) / (high - low)
        return self.logits[behind - 1] * (1 - part) + self.logits[behind] * part

    @property
    def span(self) -> float:
        """How much the signal can change the risk, in logits."""
        return max(self.logits) - min(self.logits)


@dataclass(frozen=True, slots=True)
class RiskModel:
    """The logits of the risk are ``intercept`` plus the curves of the signals that are known.

    Raises:
        ValueError: the intercept is not finite.
    """

    intercept: float
    curves: tuple[Curve, ...]

    def __post_init__(self) -> None:
        if not math.isfinite(self.intercept):
            raise ValueError(f"a risk model's intercept must be finite, not {self.intercept}")

    def risk(self, signals: Signals) -> float:
        """The probability, 0 to 1, that a step with these signals is wrong."""
        return 1 / (1 + math.exp(-max(-500.0, min(500.0, self.logits(signals)))))

    def logits(self, signals: Signals) -> float:
        """The logarithm of the odds that a step with these signals is wrong."""
        logits = self.intercept
        for curve in self.curves:
            signal = signals.get(curve.signal)
            if signal is not None:
                logits += curve.value(signal)
        return logits

    @property
    def needs_alternatives(self) -> bool:
        return any(curve.signal in OF_ALTERNATIVES for curve in self.curves)

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they stand in a profile and in a trace."""
        curves = [
            {"signal": curve.signal, "at": list(curve.at), "logits": list(curve.logits)}
            for curve in self.curves
        ]
        return {"intercept": self.intercept, "curves": curves}

    @classmethod
    def from_json(cls, values: Any) -> RiskModel:
        """What :meth:`to_json` made. Raises ValueError for anything else."""
        try:
            curves = tuple(
                Curve(curve["signal"], _numbers(curve["at"]), _numbers(curve["logits"]))
                for curve in values["curves"]
            )
            (intercept,) = _numbers([values["intercept"]])
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"this is no risk model: {error!r}; it has an intercept and a list of curves, "
                "each with signal, at and logits"
            ) from error
        return cls(intercept, curves)


def _numbers(values: Any) -> tuple[float, ...]:
    if not all(isinstance(value, (int, float)) for value in values):
        raise TypeError("not a number")
    return tuple(map(float, values))

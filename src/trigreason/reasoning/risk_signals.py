"""The signals of one run's SRM steps, for a risk model."""

from __future__ import annotations

from statistics import fmean

from trigreason.reasoning.reading import Reading
from trigreason.reasoning.risk import Signals


class SignalReader:
    """Reads the signals of one run's SRM steps, in the light of the standing ones before."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the standing steps: a new run begins."""
        self._position = 0
        self._ratios: list[float] = []
        self._logprobs: list[float] = []

    def read(self, reading: Reading) -> Signals:
        """The signals of the next step. This changes nothing."""
        features = reading.features
        logprobs = features.logprobs
        mean = fmean(logprobs) if logprobs else None
        entropy, margin = features.entropy_and_margin
        return {
            "ratio": reading.ratio,
            "mean_logprob": mean,
            "min_logprob": min(logprobs, default=None),
            "first_entropy": entropy,
            "mean_margin": margin,
            "hesitates": float(bool(reading.hesitations)),
            "repeats": float(reading.repeats),
            "tokens": float(features.length),
            "position": float(self._position),
            "ratio_change": _change(reading.ratio, self._ratios),
            "logprob_change": _change(mean, self._logprobs),
        }

    def keep(self, signals: Signals | None = None) -> None:
        """The next step stands: an SRM step with these signals, or one of the LRM."""
        self._position += 1
        if signals is not None:
            for name, known in (("ratio", self._ratios), ("mean_logprob", self._logprobs)):
                value = signals[name]
                if value is not None:
                    known.append(value)


def _change(value: float | None, before: list[float]) -> float | None:
    return None if value is None or not before else value - fmean(before)

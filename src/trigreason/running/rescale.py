"""Logprobs on the scale that a pair's thresholds refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trigreason.engines.base import Capabilities, LogprobScale
from trigreason.reasoning import Token, sharpen

SHARPENING_ALTERNATIVES = 20
"""Likely tokens requested per position if logprobs must be converted to another temperature."""


class Rescale:
    """Converts logprobs from the scale an engine reports to the one a pair's thresholds refer to.

    Greedy sampling needs no conversion: servers then report the raw distribution.
    """

    def __init__(
        self, capabilities: Capabilities, wanted: LogprobScale, temperature: float
    ) -> None:
        self._has_logprobs = capabilities.logprobs
        self._most = capabilities.max_alternatives
        self._temperatures: tuple[float, float] | None = None
        if capabilities.logprob_scale is not wanted and temperature not in (0, 1):
            raw_wanted = wanted is LogprobScale.RAW
            self._temperatures = (1.0, temperature) if raw_wanted else (temperature, 1.0)

    def alternatives(self, requested: int | None) -> int | None:
        """How many likely tokens to request; None if the engine has no logprobs."""
        if requested is None or not self._has_logprobs:
            return None
        return min(self._most, SHARPENING_ALTERNATIVES if self._temperatures else requested)

    def __call__(self, tokens: Sequence[Token]) -> Sequence[Token]:
        if self._temperatures is None:
            return tokens
        wanted, reported = self._temperatures
        return [
            sharpen(token, wanted, reported) if token.top else replace(token, logprob=None)
            for token in tokens
        ]

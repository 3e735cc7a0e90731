"""Reading a judge's score, 0 to 9, from the one token it writes (SpecReason)."""

from __future__ import annotations

import math
from enum import StrEnum

from trigreason.reasoning.tokens import Token


class Scoring(StrEnum):
    """How a score is read."""

    GREEDY = "greedy"
    """The digit that was written."""

    WEIGHTED = "weighted"
    """The mean of the digits among the reported alternatives, weighted by probability."""


def read_score(token: Token, scoring: Scoring = Scoring.GREEDY) -> float | None:
    """The score, or None if no digit was written (or, for ``WEIGHTED``, reported)."""
    if scoring is Scoring.GREEDY:
        return _digit(token.text)
    weights = [
        (digit, math.exp(other.logprob))
        for other in token.top
        if (digit := _digit(other.text)) is not None
    ]
    total = sum(weight for _, weight in weights)
    if not total:
        return _digit(token.text)
    return sum(digit * weight for digit, weight in weights) / total


def _digit(text: str) -> int | None:
    stripped = text.strip()
    return int(stripped) if len(stripped) == 1 and stripped in "0123456789" else None

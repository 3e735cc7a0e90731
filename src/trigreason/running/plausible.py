"""Probabilities that cannot be, noticed while a run still goes.

llama.cpp under speculative decoding says 0.0 for every token, some servers tell the first token's
probability alone. Then r = 1 in every step, or nothing is known of any, and the cognitive offload
fires always or never, without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from trigreason.engines.base import NoLogprobs
from trigreason.reasoning import Token

LOOKED_AT = 32
"""The first tokens of a request, which tell."""

AT_MOST = 1
"""So many of them may be otherwise."""


class Plausible:
    """Looks through the first tokens of one request, which is not greedy, as they arrive."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._seen: list[float | None] = []

    def look_at(self, tokens: Sequence[Token]) -> None:
        """Take the tokens of an arrival.

        Raises:
            NoLogprobs: nearly all have a probability of exactly 1, or none.
        """
        if len(self._seen) >= LOOKED_AT:
            return
        self._seen += [token.logprob for token in tokens]
        first = self._seen[:LOOKED_AT]
        if len(first) < LOOKED_AT:
            return
        for value, told in ((0.0, "a probability of exactly 1"), (None, "no probability")):
            others = sum(logprob != value for logprob in first)
            if others <= AT_MOST:
                raise NoLogprobs(
                    f"{LOOKED_AT - others} of {LOOKED_AT} tokens have {told}, which cannot be",
                    self._where,
                    "Switch speculative decoding off on the SRM's server, or the cognitive "
                    "offload (rho = 1).",
                )

"""Probabilities that cannot be, noticed while a run still goes, or by an examination before it.

llama.cpp under speculative decoding tells the first token's probability, and for most others 0.0
in a whole answer and nothing in a streamed one. Then r = 1 in every step, or nothing is known of
any, and the cognitive offload fires always or never, without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

from trigreason.engines.base import NoLogprobs
from trigreason.reasoning import Token

LOOKED_AT = 32
"""How many of a request's first tokens are looked at."""

AT_MOST = 1 / LOOKED_AT
"""The share of them that may have another value."""

UNTRUE = (
    (
        0.0,
        "a probability of exactly 1, which cannot be: r would be 1 and the cognitive offload fire "
        "in every step",
    ),
    (None, "no probability, so that r would be unknown and the cognitive offload never fire"),
)


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
        if len(first) == LOOKED_AT and (told := impossible(first)):
            raise NoLogprobs(
                told,
                self._where,
                "Switch speculative decoding off on the SRM's server, or the cognitive "
                "offload (rho = 1).",
            )


def impossible(logprobs: Sequence[float | None]) -> str | None:
    """What cannot be about the logprobs of one request's tokens; None where they may be true.

    A greedy text may hold nothing but certain tokens; one that was drawn at random does not.
    """
    for value, told in UNTRUE:
        same = sum(logprob == value for logprob in logprobs)
        if len(logprobs) - same <= AT_MOST * len(logprobs):
            return f"{same} of {len(logprobs)} tokens have {told}"
    return None

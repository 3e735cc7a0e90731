"""Detects impossible probabilities, during a run or by a probe before it.

llama.cpp under speculative decoding reports the first token's logprob, and for most others 0.0 in
a whole answer and none in a streamed one. Then r is 1 in every step, or unknown in every step, and
the cognitive offload silently fires always or never.
"""

from __future__ import annotations

from collections.abc import Sequence

from trigreason.engines.base import NoLogprobs
from trigreason.reasoning import Token

LOOKED_AT = 32
"""How many of a request's first tokens are examined."""

AT_MOST = 1 / LOOKED_AT
"""The most of the tokens, as a share, that may differ from the impossible value."""

UNTRUE = (
    (
        0.0,
        "a probability of exactly 1, which cannot be: r would be 1 and the cognitive offload fire "
        "in every step",
    ),
    (None, "no probability, so that r would be unknown and the cognitive offload never fire"),
)


class Plausible:
    """Examines the first tokens of one request, which is not greedy, as they arrive."""

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
        if len(first) == LOOKED_AT and (finding := impossible(first)):
            raise NoLogprobs(
                finding,
                self._where,
                "Switch speculative decoding off on the SRM's server, or the cognitive "
                "offload (rho = 1).",
            )


def impossible(logprobs: Sequence[float | None]) -> str | None:
    """Why the logprobs of one request's tokens are impossible; None if they may be true.

    A greedy text may consist of certain tokens only; one that was drawn at random does not.
    """
    for value, meaning in UNTRUE:
        same = sum(logprob == value for logprob in logprobs)
        if len(logprobs) - same <= AT_MOST * len(logprobs):
            return f"{same} of {len(logprobs)} tokens have {meaning}"
    return None

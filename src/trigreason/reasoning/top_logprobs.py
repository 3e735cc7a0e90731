"""The logprobs of the likeliest tokens at each position of a step: what they say, and their record.

They are kept to a thousandth of a nat, live as well as in a trace, so that a signal that is
computed from a record is the very number that the method decided on. The texts of the likeliest
tokens are not kept.
"""

from __future__ import annotations

import math
import sys
import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import fmean
from typing import Self

from trigreason.reasoning.tokens import Token

MOST_LIKELY = 20
"""The tokens that are kept at each position, at most."""

_PER_NAT = 1000
_LARGEST = 2**16 - 1


@dataclass(frozen=True, slots=True)
class TopLogprobs:
    """For each token of a step the likeliest ones in its place, best first.

    ``packed`` is, for each position, their number, the first logprob, and the distance from each
    logprob to the next one: 16 bits each, in thousandths of a nat below 0.
    """

    packed: bytes = b""

    @classmethod
    def of(cls, tokens: Iterable[Token]) -> Self:
        """Those of ``tokens``; empty if no token has any."""
        numbers = array("H")
        is_empty = True
        for token in tokens:
            depths = sorted(_depth(each.logprob) for each in token.top)[:MOST_LIKELY]
            numbers.append(len(depths))
            numbers.extend(low - high for high, low in pairwise([0, *depths]))
            is_empty = is_empty and not depths
        return cls() if is_empty else cls(_little_endian(numbers).tobytes())

    def __bool__(self) -> bool:
        return bool(self.packed)

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        """The logprobs, in nats, at each position; empty where the server gave none."""
        numbers = _little_endian(array("H", self.packed))
        at = 0
        while at < len(numbers):
            behind = at + 1 + numbers[at]
            yield tuple(depth / -_PER_NAT for depth in accumulate(numbers[at + 1 : behind]))
            at = behind

    @property
    def first_entropy(self) -> float | None:
        """The entropy, in nats, of the first token; None if the server gave no alternatives."""
        return entropy(next(iter(self), ()))

    @property
    def mean_margin(self) -> float | None:
        """How much more probable the likeliest token is than the second, on average."""
        leads = [lead for top in self if (lead := margin(top)) is not None]
        return fmean(leads) if leads else None

    def to_text(self) -> str:
        """A form for JSON: compressed, in base64."""
        return b64encode(zlib.compress(self.packed, 9)).decode() if self.packed else ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What :meth:`to_text` made.

        Raises:
            ValueError: the text is something else.
        """
        if not text:
            return cls()
        try:
            packed = zlib.decompress(b64decode(text, validate=True))
            _check(_little_endian(array("H", packed)))
        except (zlib.error, ValueError) as error:
            raise ValueError(f"damaged logprobs of the likeliest tokens ({error})") from error
        return cls(packed)


NOT_KEPT = TopLogprobs()


def entropy(logprobs: Sequence[float]) -> float | None:
    """The entropy in nats of the next token, from the logprobs of the likeliest ones.

    All other tokens count as one, so the true entropy is at least this. None without any.
    """
    if not logprobs:
        return None
    rest = 1.0 - sum(map(math.exp, logprobs))
    known = sum(-math.exp(each) * each for each in logprobs)
    return known - rest * math.log(rest) if rest > 0 else known


def margin(logprobs: Sequence[float]) -> float | None:
    """How much more probable the likeliest token is than the second, 0 to 1; None without any."""
    if not logprobs:
        return None
    first, *others = map(math.exp, logprobs)
    return first - max(others, default=0.0)


def _depth(logprob: float) -> int:
    """Thousandths of a nat below 0, as far as 16 bits go; that far too where it is no number."""
    return round(min(_LARGEST, -_PER_NAT * min(logprob, 0.0)))


def _check(numbers: array[int]) -> None:
    """Raise ValueError unless every position has as many numbers as it says."""
    at = 0
    while at < len(numbers):
        at += 1 + numbers[at]
    if at > len(numbers):
        raise ValueError("the logprobs of the last position are not all there")


def _little_endian(numbers: array[int]) -> array[int]:
    """The numbers in the byte order of records: swapped on machines with the other one."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

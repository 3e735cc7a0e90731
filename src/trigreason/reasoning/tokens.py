"""Tokens and what their probabilities say.

Log-probabilities are in nats everywhere. Perplexity is per token: PPL = exp(-logprob), eq. 3 of
the paper. A token whose server gave no usable probability has ``logprob=None``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from statistics import fmean
from typing import NamedTuple

SENTINEL_CEILING = -9000.0
"""A "logprob" at or below this is a placeholder (vLLM and SGLang send -9999)."""

_STRAY_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class Alternative(NamedTuple):
    """A token that could have stood here, with its logprob in nats."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token.

    ``text`` may hold part of a UTF-8 character, with its bytes as lone surrogates
    (``surrogateescape``); :func:`join_text` restores the character.
    ``top`` are the most likely tokens at this position, best first, if they were requested.
    """

    text: str
    logprob: float | None = None
    id: int | None = None
    top: tuple[Alternative, ...] = ()


def usable_logprob(reported: float | None) -> float | None:
    """The logprob a server reported, or None where it is a sentinel (``null``, -9999, NaN)."""
    if reported is None or not reported > SENTINEL_CEILING:
        return None
    return min(reported, 0.0)


def perplexity(logprob: float) -> float:
    """Token perplexity, eq. 3: ``1 / p = exp(-logprob)``; infinite for an impossible token."""
    try:
        return math.exp(-logprob)
    except OverflowError:
        return math.inf


def low_perplexity_ratio(logprobs: Iterable[float | None], tau: float) -> float | None:
    """r_s of eq. 4: the share of a step's tokens with PPL < tau.

    Tokens without a probability are left out. None when no token of the step has one.
    """
    known = [logprob for logprob in logprobs if logprob is not None]
    if not known:
        return None
    return sum(perplexity(logprob) < tau for logprob in known) / len(known)


def confidence(logprobs: Iterable[float | None]) -> float | None:
    """The geometric mean of the tokens' probabilities, 0 to 1: 1 over the step's perplexity.

    Tokens without a probability are left out. None when no token of the step has one.
    """
    known = [logprob for logprob in logprobs if logprob is not None]
    return math.exp(fmean(known)) if known else None


def sharpen(token: Token, temperature: float, reported_at: float = 1.0) -> Token:
    """The token with its logprobs, in nats, at another sampling temperature.

    Servers differ in what they report: SGLang the distribution after temperature, vLLM and
    llama.cpp the one before. Scaling by ``reported_at / temperature`` and normalising over the
    reported alternatives moves from one scale to the other. The tail that was not reported is
    left out, so the result is an estimate from above; it is exact when ``top`` is complete.

    Raises:
        ValueError: a temperature is not positive, or the token has no alternatives.
    """
    if temperature <= 0 or reported_at <= 0:
        raise ValueError("sharpening needs positive temperatures: at 0 every token has p = 1")
    power = reported_at / temperature
    if token.logprob is None or power == 1:
        return token
    if not token.top:
        raise ValueError("sharpening needs the token's top-N logprobs: ask the engine for them")
    alternatives = [other.logprob for other in token.top]
    if not any(math.isclose(token.logprob, other, abs_tol=1e-6) for other in alternatives):
        alternatives.append(token.logprob)
    best = max(alternatives)
    log_sum = math.log(sum(math.exp(power * (other - best)) for other in alternatives))

    def sharpened(logprob: float) -> float:
        return min(power * (logprob - best) - log_sum, 0.0)

    top = tuple(other._replace(logprob=sharpened(other.logprob)) for other in token.top)
    return replace(token, logprob=sharpened(token.logprob), top=top)


def join_text(pieces: Sequence[str]) -> str:
    """The token texts as one text; partial characters join, stray bytes become U+FFFD."""
    text = "".join(pieces)
    try:
        text.encode()
    except UnicodeEncodeError:
        escaped = _STRAY_SURROGATE.sub("\ufffd", text).encode("utf-8", "surrogateescape")
        return escaped.decode("utf-8", "replace")
    return text


def token_lengths(text: str, pieces: Sequence[str]) -> tuple[int, ...]:
    """How many characters of a step's ``text`` each of its tokens, ``pieces``, wrote.

    The step may begin with the end of a token that is counted in the step before, and its own last
    token may reach into the next one: the lengths then sum up to less than the text, and are those
    of its end. A character in parts belongs to the token that completes it. Empty if the pieces do
    not give the text, as where an opening tag was left out.
    """
    joined = "".join(pieces)
    is_whole = not any("\ud800" <= char <= "\udfff" for char in joined)
    ends = list(accumulate(map(len, pieces)))
    if not is_whole:
        settled = (joined[: end - unfinished_bytes(joined[:end])] for end in ends)
        ends = [len(join_text([part])) for part in settled]
        joined = join_text(pieces)
    begin = next(at for at in range(len(text) + 1) if joined.startswith(text[at:]))
    if begin == len(text):
        return ()
    ends = [min(end, len(text) - begin) for end in ends]
    return tuple(end - start for start, end in pairwise([0, *ends]))


def unfinished_bytes(text: str) -> int:
    """How many bytes at the end belong to a UTF-8 character that is not complete yet."""
    for length, char in enumerate(reversed(text[-3:]), start=1):
        if not "\udc80" <= char <= "\udcff":
            return 0
        byte = ord(char) - 0xDC00
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return length if length < needed else 0
    return 0

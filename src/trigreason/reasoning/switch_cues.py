"""Switch cues: the words at a step's beginning that tell an easy step (RelayGen)."""

from __future__ import annotations

import re
from functools import lru_cache

SWITCH_CUES: tuple[str, ...] = (
    "again",
    "alternatively",
    "hence",
    "now",
    "oh",
    "similarly",
    "so",
    "specifically",
    "therefore",
    "thus",
    "wait",
)
"""The words that the authors found for both of their pairs (Qwen3 and DeepSeek-R1) on AMC 2023."""

_BEFORE = r"[\W_]*"
_WITHIN = r"['\u2019-]"
_FIRST = re.compile(rf"{_BEFORE}([^\W_]+(?:{_WITHIN}[^\W_]+)*)")


def first_word(text: str) -> str:
    """The first word of ``text``, lower-cased; empty if there is none."""
    found = _FIRST.match(text)
    return found[1].lower() if found else ""


def begins_with_cue(text: str, cues: tuple[str, ...]) -> bool:
    """Whether the first words of ``text`` are one of the ``cues``, whatever the case.

    Whole words only: "sold" and "so-called" do not begin with "so". Punctuation before them and
    behind them does not matter.
    """
    return _pattern(cues).match(text) is not None


@lru_cache(maxsize=32)
def _pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    phrases = (r"\s+".join(map(re.escape, cue.split())) for cue in cues)
    return re.compile(rf"{_BEFORE}(?:{'|'.join(phrases)})(?!{_WITHIN}?[^\W_])", re.IGNORECASE)

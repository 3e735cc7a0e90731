r"""What makes another quantity of a number: words behind it, and an equation still to be solved."""

from __future__ import annotations

import re

MULTIPLYING = (
    r"tens?|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|lakhs?|crores?|mil|mn|bn|"
    r"twice|thrice|doubled|tripled|halved|fold|"
    r"hal(?:f|ves)|thirds?|quarters?|ths|"
    r"(?:four|fif|six|seven|eigh|nin|ten|hundred|thousand|million)ths?"
)
HEDGING = r"approx|approximately|about|roughly|least|most|minimum|maximum|ish|upwards?|above|below"
_HEDGE = re.compile(
    rf"\s*[,(]?\s*(?:(?:or|and)\s+(?:more|so|less|fewer|above|below|up|over|under|higher|lower)"
    rf"|give or take|more or less|plus or minus|(?:at )?(?:{HEDGING}))\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\s*,?\s*or\s+[$\\(]*(?P<other>-?[0-9][0-9,]*)[$\\)]*\s*(?:[.!?]|\Z)")
_CHANGING = re.compile(rf"\b(?:or|and|{MULTIPLYING}|{HEDGING})\b", re.IGNORECASE)

_MACRO = re.compile(r"\\[A-Za-z]+")
_UNDONE = re.compile(r"\\(?:frac|dfrac|tfrac|sqrt|cdot|times|div|d?binom)(?![A-Za-z])|[0-9+*/^!-]")
"""What is done to a variable that an equation was to be solved for."""
_VALUE_OF = re.compile(r"[A-Za-z]'*\((?:\s*-?[0-9.]+\s*,?)+\)|_\{[^{}]*\}|_[0-9A-Za-z]")
"""A function's value and an index: ``f(3)`` and ``x_1`` are names of one number."""
_ASKED_FOR = re.compile(r"\\(?:[lr](?:floor|ceil)|[bp]?mod|log|ln|sin|cos|tan)(?![A-Za-z])|mod")
"""What makes a side a value that a question may ask for, as it does for a remainder."""


def words_that_change(text: str) -> list[str]:
    """The words that make another quantity of a number, in order and in lower case."""
    return [each.casefold() for each in _CHANGING.findall(text)]


def is_hedged(behind: str, number: str) -> bool:
    """Whether what stands behind a number makes a bound or a rough value of it, or names another.

    Args:
        behind: the text from the end of the clause with the number.
        number: the number in digits.
    """
    other = _ALTERNATIVE.match(behind)
    if other is not None:
        return other["other"].replace(",", "") != number
    return _HEDGE.match(behind) is not None


def is_unsolved(equation: str) -> bool:
    """Whether an equation is one for a variable, such as ``2x = 25``, that it does not give.

    A side of several letters (``m + n``, ``AB^2``) may be what was asked for, and a side that is a
    variable alone is its solution.
    """
    *sides, _ = equation.split("=")
    return any(map(_has_variable_inside, sides)) and not any(map(_is_variable, sides))


def _has_variable_inside(side: str) -> bool:
    side = _VALUE_OF.sub("", side)
    if _ASKED_FOR.search(side) or not _UNDONE.search(side):
        return False
    return len(set(_letters(side))) == 1


def _is_variable(side: str) -> bool:
    side = _VALUE_OF.sub(lambda match: "x" if "(" in match[0] else "", side)
    return len(_letters(side)) == 1 and not _UNDONE.search(side)


def _letters(side: str) -> str:
    return "".join(char for char in _MACRO.sub(" ", side) if char.isalpha())

r"""Integers as models write them.

Fractions, powers and sums are not worked out: they are no integers, even where they equal one.
"""

from __future__ import annotations

import re

from trigreason.evaluation.grading.plain import plain
from trigreason.evaluation.grading.quantities import (
    HEDGING,
    MULTIPLYING,
    is_hedged,
    is_unsolved,
)

_NUMBER = re.compile(
    r"""(?P<sign>[+-]?)\ ?(?:(?:US)?[$€£¥]\ ?)?
    (?P<digits>[0-9]{1,3}(?:,\ ?[0-9]{3})+ | [0-9]{1,3}(?:\ [0-9]{3})+ | [0-9]+)
    (?:\.0*)?                                        # 25.0 is integral
    (?:_\{?10\}?)?                                   # a base other than ten makes another number
    (?:
        \ ?(?:%|°|\^?\{?\\circ\}?|\\degree)
        | \^?\{?\ ?(?:st|nd|rd|th)\}?
        | (?P<unit>(?:\ ?[A-Za-z]{2,}|\ [A-Za-z])(?:[ ./·-][A-Za-z]+)*|\ ?\([A-Za-z ]+\))
          (?:\^?\{?[23²³]\}?)?
    )?""",
    re.VERBOSE,
)
_CHANGES_IT = re.compile(
    r"\b(?:or|and|to|times|over|by|plus|minus|mod|modulo|choose|squared|cubed|factorial|pi|sqrt|"
    rf"{MULTIPLYING}|{HEDGING}|"
    r"(?:than|of) [A-Za-z]\Z|"
    r"not|wrong|incorrect|base|"
    r"is|are|was|were|be|has|have|had|can|cannot|could|will|would|does|do|did)\b"
    r"|\A (?-i:(?![mgshltcdLAVNJCKFWTHS])[A-Za-z])\b|\A(?:[abnxyz]{2}|ish)\Z",
    re.IGNORECASE,
)
"""Words after a number that make another number of it, or a sentence in which it occurs.

A letter alone is a variable, but for those that are units.
"""
_LEAD = re.compile(
    r"(?:(?:the )?(?:final )?answer(?: is)? ?[:=]? ?)?(?:\([A-E]\) ?(?=\S))?", re.IGNORECASE
)
r"""What may stand before the number: words, and a label as in ``\textbf{(C)}\ 25``."""
_MODULUS = re.compile(
    r"\ ?(?:\\p?mod(?:\ ?\{\ ?(?P<braced>[0-9]+)\ ?\}|\ (?P<bare>[0-9]+))"
    r"|\((?:\\?mod)\ (?P<bracketed>[0-9]+)\))\Z"
)
_CONGRUENT = re.compile(r"\\equiv(?![A-Za-z])|≡")
_NO_EQUATION = re.compile(r"[,;<>!≠≈~]|\b(?:and|or)\b|\\(?:neq?|leq?|geq?|lt|gt|approx|sim|not)\b")
_CLAUSE = re.compile(
    r"[.,;!?](?=\s)|\s(?:because|since|as|so|for|which|where|with)\s|\s\((?!\\?mod\b)"
)


def mentioned(text: str) -> bool:
    """Whether a statement is about a number, be it readable or not."""
    return any(char.isdigit() for char in text)


def said(text: str) -> str | None:
    """The integer that the first clause of a text gives; None if it gives none, or hedges it."""
    clause = _CLAUSE.split(text, maxsplit=1)[0]
    found = integer(clause)
    return None if found is None or is_hedged(text[len(clause) :], found) else found


def integer(text: str) -> str | None:
    r"""A text that is one integer, in digits without leading zeros; else None.

    A unit after it, thousands separators, an equation's other side and zeros after the decimal
    point are no part of it, nor is the modulus of a residue that is below it. The result is a text,
    as there is no bound on its digits.
    """
    bare = plain(text)
    bare = _solved(bare[lead.end() :] if (lead := _LEAD.match(bare)) else bare).strip()
    modulus = _MODULUS.search(bare)
    if modulus is not None:
        bare = bare[: modulus.start()]
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    number = _NUMBER.fullmatch(bare.strip())
    if number is None or _CHANGES_IT.search(number["unit"] or ""):
        return None
    digits = re.sub("[, ]", "", number["digits"]).lstrip("0") or "0"
    sign = "-" if number["sign"] == "-" and digits != "0" else ""
    if modulus is not None and (sign or not _below(digits, modulus[modulus.lastgroup or 0])):
        return None
    return sign + digits


def _below(digits: str, modulus: str) -> bool:
    """Whether a number is below another, both in digits; neither has a bound."""
    modulus = modulus.lstrip("0")
    return (len(digits), digits) < (len(modulus), modulus)


def _solved(text: str) -> str:
    r"""The value of ``x = 25``, ``25 = x``, ``20 + 5 = 25``, ``\equiv 25``; else the text."""
    *sides, value = _CONGRUENT.sub("=", text).split("=")
    if not sides:
        return text
    if len(sides) == 1 and not any(char.isdigit() for char in value):
        sides, value = [value], sides[0]
    if any(map(_NO_EQUATION.search, sides)) or is_unsolved(text):
        return text
    return value

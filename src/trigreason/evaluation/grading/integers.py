r"""Integers as models write them.

Fractions, powers and sums are not worked out: they are no integers, even where they equal one.
"""

from __future__ import annotations

import re

from trigreason.evaluation.grading.places import Answer
from trigreason.evaluation.grading.plain import plain

_NUMBER = re.compile(
    r"""(?P<sign>[+-]?)\ ?\$?
    (?P<digits>[0-9]{1,3}(?:,\ ?[0-9]{3})+ | [0-9]{1,3}(?:\ [0-9]{3})+ | [0-9]+)
    (?:\.0*)?                                        # 25.0 is integral
    (?:
        \ ?(?:%|°|\^?\{?\\circ\}?|\\degree)
        | (?P<unit>(?:\ ?[A-Za-z]{2,}|\ [A-Za-z])(?:[ ./·-][A-Za-z]+)*)(?:\^?\{?[23²³]\}?)?
    )?""",
    re.VERBOSE,
)
_CHANGES_IT = re.compile(
    r"\b(?:or|and|to|times|over|by|plus|minus|mod|modulo|choose|squared|cubed|factorial|pi|sqrt|"
    r"hundred|thousand|million|billion|dozen|half|halves|thirds?|quarters?|"
    r"(?:four|fif|six|seven|eigh|nin|ten|hundred|thousand|million)ths?)\b",
    re.IGNORECASE,
)
"""Words after a number that make another number of it."""
_LEAD = re.compile(r"(?:the )?(?:final )?answer(?: is)? ?[:=]? ?", re.IGNORECASE)
_NO_EQUATION = re.compile(
    r"[,;<>!≠≈~]|\b(?:and|or)\b|\\(?:neq?|leq?|geq?|lt|gt|approx|sim|equiv)\b"
)
_CLAUSE = re.compile(r"[.,;!?](?=\s)|\s(?:because|since|as|so|for|which|where|with)\s|\s\(")


def read(answer: Answer) -> str | None:
    """The integer that an answer gives, in digits without leading zeros; None if it gives none."""
    if answer.opened is not None:
        return None if answer.box is None else integer(answer.box)
    numbers = [said for said in answer.statements if any(char.isdigit() for char in said)]
    if numbers:
        return integer(_CLAUSE.split(numbers[-1], maxsplit=1)[0])
    return integer(answer.lines[-1]) if answer.lines else None


def integer(text: str) -> str | None:
    r"""A text that is one integer, in digits without leading zeros; else None.

    A unit after it, thousands separators, an equation's other side and zeros after the decimal
    point are no part of it. The result is a text, as there is no bound on its digits.
    """
    bare = plain(text)
    bare = bare[lead.end() :] if (lead := _LEAD.match(bare)) else bare
    bare = _solved(bare)
    if bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1]
    number = _NUMBER.fullmatch(bare.strip())
    if number is None or _CHANGES_IT.search(number["unit"] or ""):
        return None
    digits = re.sub("[, ]", "", number["digits"]).lstrip("0") or "0"
    return f"-{digits}" if number["sign"] == "-" and digits != "0" else digits


def _solved(text: str) -> str:
    """The value of ``x = 25``, ``25 = x`` or ``20 + 5 = 25``; other texts as they are."""
    *sides, value = text.split("=")
    if not sides:
        return text
    if len(sides) == 1 and not any(char.isdigit() for char in value):
        sides, value = [value], sides[0]
    return text if any(map(_NO_EQUATION.search, sides)) else value

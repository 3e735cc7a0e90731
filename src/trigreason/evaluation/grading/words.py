"""Reads words as answers: one of two, several in order, or a text that must match literally."""

from __future__ import annotations

import re

from trigreason.evaluation.grading.plain import plain

PAIRS = (("true", "false"), ("yes", "no"), ("valid", "invalid"))
"""The pairs of words that BBH asks to choose from."""

_LEAD = re.compile(
    r"(?:[-•(\[*]\s*|(?:the )?(?:final )?answer(?: is)? ?: ?)*"
    r"(?:(?:the |this )?(?:argument|reasoning|inference) is )?(?:(?:deductively|logically) )?"
)
_GOES_ON = re.compile(r"\s*[.,;:!)\]–—](?!\w)|\s+-\s|\s+(?:because|since|as)\b")
_SEPARATORS = re.compile(r"[\s,;]+")


def pair_of(target: str) -> tuple[str, str] | None:
    """The pair of words, in lower case, that has the target in it; None if none has."""
    return next((pair for pair in PAIRS if target.casefold().strip() in pair), None)


def word(text: str, pair: tuple[str, str]) -> str | None:
    """The word of ``pair`` that a text gives; None if it gives none of them, or both."""
    bare = _LEAD.sub("", plain(text).casefold(), count=1)
    for given, other in (pair, pair[::-1]):
        if not bare.startswith(given):
            continue
        rest = bare[len(given) :]
        if rest and not _GOES_ON.match(rest):
            return None
        both = re.fullmatch(rf"\W*(?:or|and)?\W*{other}\W*", rest)
        return None if both else given
    return None


def listed(text: str, wanted: str) -> str | None:
    """The words of a text in lower case with a space between them; None if there are none.

    "and" before the last word is no word of the list, unless it is one of those ``wanted``.
    """
    words = [each.strip("[]\"'") for each in _SEPARATORS.split(plain(text).casefold())]
    words = [each for each in words if each]
    if words[-2:-1] == ["and"] and "and" not in wanted.casefold().split():
        del words[-2]
    return " ".join(words) or None


def literal(text: str) -> str | None:
    """The text in lower case; None if it is empty."""
    return plain(text).casefold() or None

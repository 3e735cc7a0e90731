"""Words as answers: one of two, several in order, or a text that has to be met literally."""

from __future__ import annotations

import re

from trigreason.evaluation.grading.places import Answer
from trigreason.evaluation.grading.plain import plain

PAIRS = (("true", "false"), ("yes", "no"), ("valid", "invalid"))
"""The pairs of words that BBH asks to choose from."""

_LEAD = re.compile(r"(?:[-•(\[*]\s*|(?:the )?(?:final )?answer(?: is)? ?: ?)*", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*[.,;:!)\]–—](?!\w)|\s+-\s|\s+(?:because|since|as)\b")
_SEPARATORS = re.compile(r"[\s,;]+")


def pair_of(target: str) -> tuple[str, str] | None:
    """The pair that a target is one of, in lower case; None for another text."""
    return next((pair for pair in PAIRS if target.casefold().strip() in pair), None)


def read_word(answer: Answer, pair: tuple[str, str] | None) -> str | None:
    """The word of ``pair`` that an answer gives; None if it gives none of them, or both."""
    return None if pair is None else answer.read(lambda text: _word(text, pair))


def read_list(answer: Answer) -> str | None:
    """The words of an answer in lower case with a space between them; None if there are none."""
    return answer.read(_list)


def read_text(answer: Answer) -> str | None:
    """The answer in lower case; None if it is empty."""
    return answer.read(lambda text: plain(text).casefold() or None)


def _word(text: str, pair: tuple[str, str]) -> str | None:
    bare = _LEAD.sub("", plain(text).casefold(), count=1)
    for word, other in (pair, pair[::-1]):
        if not bare.startswith(word):
            continue
        rest = bare[len(word) :]
        if rest and not _GOES_ON.match(rest):
            return None
        both = re.fullmatch(rf"\W*(?:or|and)?\W*{other}\W*", rest)
        return None if both else word
    return None


def _list(text: str) -> str | None:
    words = (each.strip("[]\"'") for each in _SEPARATORS.split(plain(text).casefold()))
    return " ".join(word for word in words if word) or None

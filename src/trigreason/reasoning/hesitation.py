"""Hesitation: the expressions of Table 3 (appendix E) and their matcher, h_s of eq. 7."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

HESITATION_EXPRESSIONS: tuple[str, ...] = (
    "wait",
    "hmm",
    "debatable",
    "maybe",
    "perhaps",
    "could be",
    "might be",
    "possibly",
    "on the other hand",
    "alternatively",
    "another possibility",
    "or perhaps",
    "actually",
    "now that I think about it",
    "I think I made a mistake",
    "let me reconsider",
    "not sure",
    "I'm not entirely sure",
    "this might be wrong",
    "I could be mistaken",
    "unless I'm wrong",
)
"""Table 3 of the paper, complete and in its order."""

_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\uff07]")
_LETTER = r"[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]"
"""A letter of a script that separates words by spaces, which Thai, Japanese and Chinese do not."""

_EDGE = rf"(?:(?<!{_LETTER})|(?!{_LETTER}))"
"""Anywhere but inside a word, so that a custom "??" is found in "what??" too."""

_ANY_APOSTROPHE = "['\u2018\u2019\u02bc\uff07]"


def find_hesitations(
    text: str, expressions: Iterable[str] = HESITATION_EXPRESSIONS
) -> tuple[str, ...]:
    """The expressions that occur in ``text``, in order of appearance, lower-cased, once each.

    Matching ignores case, the kind of apostrophe and the kind of white space, and takes whole
    words only: "waiter" is no "wait". Of overlapping expressions the one that starts first counts,
    and the longest of those.
    """
    pattern = _compile(tuple(expressions))
    if pattern is None:
        return ()
    matches = (_normalised(match[0]) for match in pattern.finditer(text))
    return tuple(dict.fromkeys(matches))


@lru_cache(maxsize=32)
def _compile(expressions: tuple[str, ...]) -> re.Pattern[str] | None:
    alternatives = sorted({_normalised(each) for each in expressions} - {""}, key=len, reverse=True)
    if not alternatives:
        return None
    body = "|".join(map(_as_pattern, alternatives))
    return re.compile(rf"{_EDGE}(?:{body}){_EDGE}", re.IGNORECASE)


def _as_pattern(expression: str) -> str:
    words = (re.escape(word).replace("'", _ANY_APOSTROPHE) for word in expression.split())
    return r"\s+".join(words)


def _normalised(expression: str) -> str:
    return " ".join(_APOSTROPHES.sub("'", expression).lower().split())

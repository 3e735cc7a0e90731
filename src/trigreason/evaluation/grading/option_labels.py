"""Reads labels of options as models name them: ``B``, ``(B)``, ``B. foo``, ``option (b)``.

Text that merely looks like a label is none: "A" before a noun is an article, and a list of the
options chooses none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from trigreason.answers import Box
from trigreason.evaluation.grading.places import AnswerPlaces
from trigreason.evaluation.grading.plain import plain

_LEAD = re.compile(
    r"(?:(?:the )?(?:(?:final|correct|right|best) )?(?:answer|option|choice|letter|选项)"
    r"(?: is)? ?[:=]? ?)*",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"^[^)\]]{0,12}[)\]] (?:is|was|are|can|cannot|does|would|seems|fails)\b", re.IGNORECASE
)
"""A label as the subject of a sentence: outside a box, "(B) is wrong" chooses no option."""
_DENIED = re.compile(
    r"(?:is|are|was)(?: not|n['\u2019]t| wrong| incorrect| false)\b", re.IGNORECASE
)
_REASON = re.compile(r"\b(?:because|since|as|for|which|while|whereas)\b", re.IGNORECASE)


class _Patterns(NamedTuple):
    alone: re.Pattern[str]
    leading: re.Pattern[str]
    other: re.Pattern[str]


@lru_cache
def _patterns(letters: tuple[str, ...]) -> _Patterns:
    label = "|".join(re.escape(letter) for letter in letters)
    flags = re.IGNORECASE | re.VERBOSE
    return _Patterns(
        alone=re.compile(
            rf"""(?:[(\[<]|\\?\{{)?\ ?(?P<label>{label})\ ?(?:[)\]>]|\\?\}})?[.:,;!?]?""", flags
        ),
        leading=re.compile(
            rf"""(?:
                [(\[](?P<label>{label})[)\]][\s.:,;–—-]+
                | (?P<bare>{label})
                  (?: \)\s* | [.:](?![0-9.])\s* | [,;]\s | \s[–—-]\s | \s(?=\() |
                      \s(?=(?:because|since|as|for|which)\b) )
            )(?P<rest>.*)""",
            flags,
        ),
        # case matters here: "a metal" after a comma names no option
        other=re.compile(
            rf"""^(?:or|and|&)\ [(\[]?(?-i:(?P<joined>{label}))\b
            | ^[(\[]?(?-i:(?P<next>{label}))[)\]]?(?=\ ?(?:$|[,;&]|(?:and|or)\b))
            | [,;]\ ?[(\[]?(?-i:(?P<listed>{label}))[)\].:]""",
            flags,
        ),
    )


def read(answer: AnswerPlaces, letters: Sequence[str]) -> str | None:
    """The label that an answer names, spelled as in ``letters``; None if it names none of them."""
    if not letters:
        return None

    def reader(text: str) -> str | None:
        return None if _VERB.search(plain(text)) else label(text, letters)

    def in_box(box: Box) -> str | None:
        return None if box.inner is None else label(box.inner, letters)

    given = answer.read(reader, in_box=in_box, names=True, in_correction=reader)
    said = answer.box is not None or any(reader(statement.said) for statement in answer.statements)
    if said or given is None or not _is_listed(answer.lines, letters):
        return given
    return None


def label(text: str, letters: Sequence[str]) -> str | None:
    """The one label that a text consists of or begins with; None if there are none or several."""
    patterns = _patterns(tuple(letters))
    bare = _LEAD.sub("", plain(text), count=1)
    alone = patterns.alone.fullmatch(bare)
    if alone is not None:
        return _spelled(alone["label"], letters)
    leading = patterns.leading.match(bare)
    if leading is None:
        return None
    named = leading["label"] or leading["bare"]
    if _DENIED.match(leading["rest"]):
        return None
    rest = _REASON.split(leading["rest"], maxsplit=1)[0]
    others = (match[match.lastgroup or 0] for match in patterns.other.finditer(rest))
    if any(other.casefold() != named.casefold() for other in others):
        return None
    return _spelled(named, letters)


def _is_listed(lines: Sequence[str], letters: Sequence[str]) -> bool:
    """Whether a line before the last begins with another label than the last line."""
    named = [label(line, letters) for line in lines]
    return any(name not in (None, named[-1]) for name in named[:-1])


def _spelled(name: str, letters: Sequence[str]) -> str:
    return next(letter for letter in letters if letter.casefold() == name.casefold())

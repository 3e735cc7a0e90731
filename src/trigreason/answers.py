r"""Find the final answer in a text, and compare it with the expected one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOX = re.compile(
    r"""\\(?:boxed|fbox|framebox)(?![A-Za-z])\s*
    (?: \{
      | (?P<bare>[-+]?[0-9][0-9,]*(?:\.[0-9]+)? | \(?[A-Za-z]\)?)     # \boxed 25, \boxed B
        (?=\s*(?:[$.)]|\*\*|\\[)\]]|\n|\Z))
    )""",
    re.VERBOSE,
)
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_STATEMENT = re.compile(
    r"(?:^|[.!?:]\s+|\n)[\s*_#]*(?:(?:so|thus|therefore|hence),?\s+)?(?:the\s+)?"
    r"(?:final\s+|correct\s+)?answer[\s*_]*(?:\bis\b|[:\uff1a])",
    re.IGNORECASE,
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Box:
    r"""A ``\boxed{...}`` of a text; one letter or number needs no braces, as in ``\boxed 25``.

    Attributes:
        start: where it begins in the text.
        end: where its closing brace ends it; the text's length if the braces do not match.
        opened: everything from its content to the end of the text.
        inner: its content; None if no closing brace follows.
    """

    start: int
    end: int
    opened: str
    inner: str | None


def boxes(text: str) -> list[Box]:
    r"""All boxes of a text in order, nested ones included.

    Braces are matched, except for the escaped ``\{`` and ``\}``. If they do not match (an answer
    made of brackets), the content is everything up to the last closing brace.
    """
    return [_box(text, opening) for opening in _BOX.finditer(text)]


def _box(text: str, opening: re.Match[str]) -> Box:
    if opening["bare"]:
        return Box(opening.start(), opening.end(), opening["bare"], opening["bare"])
    opened = text[opening.end() :]
    depth, last = 1, None
    for brace in _BRACE.finditer(opened):
        if brace[0] not in "{}":
            continue
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            inner = opened[: brace.start()].strip()
            return Box(opening.start(), opening.end() + brace.end(), opened, inner)
        last = brace.start() if brace[0] == "}" else last
    inner_or_none = None if last is None else opened[:last].strip()
    return Box(opening.start(), len(text), opened, inner_or_none)


def boxed(text: str) -> str | None:
    r"""The content of the last ``\boxed{...}`` that is not empty.

    The empty text if all are empty; None if there is no box, or no brace closes the last one.
    """
    all_boxes = boxes(text)
    filled = [box for box in all_boxes if box.inner != ""]
    return filled[-1].inner if filled else "" if all_boxes else None


def given_answer(text: str) -> str | None:
    r"""The paragraph of a chain of thought that gives the answer; None if none does.

    That is the last one with a non-empty ``\boxed{...}``, else the last paragraph of all if it
    says "the answer is" or "Answer:".
    """
    paragraphs = [part.strip() for part in _PARAGRAPH.split(text) if part.strip()]
    filled = [paragraph for paragraph in paragraphs if boxed(paragraph)]
    if filled:
        return filled[-1]
    if paragraphs and _STATEMENT.search(paragraphs[-1]):
        return paragraphs[-1]
    return None


def is_right(answer: str, target: str) -> bool:
    """Whether the boxed answer is ``target``, ignoring white space, case and option brackets."""
    given = boxed(answer)
    return given is not None and _plain(given) == _plain(target)


def _plain(answer: str) -> str:
    stripped = "".join(answer.split()).casefold()
    is_option = len(stripped) == 3 and stripped[0] == "(" and stripped[2] == ")"
    return stripped[1] if is_option else stripped

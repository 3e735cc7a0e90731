r"""The final answer in an answer text, and whether it is the wanted one."""

from __future__ import annotations

import re

_BOX = re.compile(r"\\boxed\s*\{")
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_STATEMENT = re.compile(r"\banswer\b[^\n]{0,60}?(?:\bis\b|[:\uff1a=])", re.IGNORECASE)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def boxed(text: str) -> str | None:
    r"""What stands in the last ``\boxed{...}``; None without one, or where it has no end.

    Braces are matched, ``\{`` and ``\}`` being none; where they do not match (an answer made of
    brackets), everything up to the last closing brace counts.
    """
    inner = opened_box(text)
    if inner is None:
        return None
    depth, end = 1, None
    for brace in _BRACE.finditer(inner):
        if brace[0] not in "{}":
            continue
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return inner[: brace.start()].strip()
        end = brace.start() if brace[0] == "}" else end
    return None if end is None else inner[:end].strip()


def opened_box(text: str) -> str | None:
    r"""Everything after the last ``\boxed{``, its end included; None without one."""
    _, *inner = _BOX.split(text)
    return inner[-1] if inner else None


def given_answer(text: str) -> str | None:
    r"""The paragraph of a chain of thought that gives the answer; None where none does.

    That is the last one with a filled ``\boxed{...}``, else the last of all where it says "the
    answer is" or "Answer:".
    """
    paragraphs = [each.strip() for each in _PARAGRAPH.split(text) if each.strip()]
    filled = [each for each in paragraphs if boxed(each)]
    if filled:
        return filled[-1]
    if paragraphs and _STATEMENT.search(paragraphs[-1]):
        return paragraphs[-1]
    return None


def is_right(answer: str, target: str) -> bool:
    """Whether the boxed answer is ``target``, white space, case and option brackets aside."""
    given = boxed(answer)
    return given is not None and _plain(given) == _plain(target)


def _plain(answer: str) -> str:
    stripped = "".join(answer.split()).casefold()
    is_option = len(stripped) == 3 and stripped[0] == "(" and stripped[2] == ")"
    return stripped[1] if is_option else stripped

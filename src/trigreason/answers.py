r"""The final answer in an answer text, and whether it is the wanted one."""

from __future__ import annotations

_BOX = r"\boxed{"


def boxed(text: str) -> str | None:
    r"""What stands in the last ``\boxed{...}``; None without one.

    Braces are matched; where they do not match (an answer made of brackets), everything up to
    the last closing brace counts.
    """
    start = text.rfind(_BOX)
    if start < 0:
        return None
    inner = text[start + len(_BOX) :]
    depth = 1
    for index, char in enumerate(inner):
        depth += (char == "{") - (char == "}")
        if not depth:
            return inner[:index].strip()
    end = inner.rfind("}")
    return inner[:end].strip() if end >= 0 else None


def is_right(answer: str, target: str) -> bool:
    """Whether the boxed answer is ``target``, white space, case and option brackets aside."""
    given = boxed(answer)
    return given is not None and _plain(given) == _plain(target)


def _plain(answer: str) -> str:
    stripped = "".join(answer.split()).casefold()
    is_option = len(stripped) == 3 and stripped[0] == "(" and stripped[2] == ")"
    return stripped[1] if is_option else stripped

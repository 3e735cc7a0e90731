"""The text of a message's content, which clients send as a string or as a list of parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trigreason.gateway.errors import invalid, unsupported

_SHOWN = 40


def plain_text(content: Any, where: str, kinds: Sequence[str]) -> str:
    """The text of ``content``; ``kinds`` are the types of parts that hold text.

    Raises:
        ApiError: it holds something else, or is not valid Unicode.
    """
    if isinstance(content, str):
        return checked_text(content, where)
    if not isinstance(content, list):
        raise invalid(f"{where}: must be a text or a list of parts", where)
    return "".join(_part(part, f"{where}[{index}]", kinds) for index, part in enumerate(content))


def _part(part: Any, where: str, kinds: Sequence[str]) -> str:
    if not isinstance(part, dict):
        raise invalid(f"{where}: must be an object with a type", where)
    kind = part.get("type")
    if kind not in kinds:
        raise unsupported(where, f"a part of type {str(kind)[:_SHOWN]!r} cannot be read; send text")
    text = part.get("text")
    if not isinstance(text, str):
        raise invalid(f"{where}.text: must be a text", f"{where}.text")
    return checked_text(text, f"{where}.text")


def checked_text(text: str, where: str) -> str:
    """The text. Raises ApiError if it is not valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"{where}: holds half a character (a lone surrogate)", where) from error
    return text

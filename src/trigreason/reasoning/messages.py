"""A turn of the conversation that is being answered."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """``role`` is system, user or assistant."""

    role: str
    content: str

"""A turn of the conversation that is being answered."""

from __future__ import annotations

from typing import NamedTuple

from trigreason.reasoning.tools import ToolCall


class Message(NamedTuple):
    """``role`` is system, user, assistant or tool.

    ``tool_calls`` are what an assistant called behind its ``content``, and ``reasoning`` is its
    thinking before them. ``tool_call_id`` names the call that a tool's turn answers.
    """

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    reasoning: str = ""

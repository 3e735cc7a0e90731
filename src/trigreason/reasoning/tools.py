"""Functions that a client offers to a model, and the model's calls of them."""

from __future__ import annotations

from typing import NamedTuple


class Tool(NamedTuple):
    """``definition`` is the JSON text of OpenAI's tool object, of type ``function``."""

    name: str
    definition: str


class ToolCall(NamedTuple):
    """``arguments`` is the JSON text of an object."""

    id: str
    name: str
    arguments: str

"""The JSON of a chat stream: the fields that are read, of all supported APIs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from trigreason.engines.base import EngineFailed
from trigreason.engines.fields import MATTERS, Events, Text, Unfit
from trigreason.engines.wire import Choice, ReportedError, ReportedUsage, reported


class ContentPart(msgspec.Struct):
    """A piece of content by its type, as Mistral sends it: text, or thinking made of texts."""

    text: Text | None = None
    thinking: list[ContentPart] = []


class Delta(msgspec.Struct):
    """New text of a message. Thinking has one of two names, or with Mistral is in ``content``."""

    content: Text | list[ContentPart] | None = None
    reasoning: Text | None = None
    reasoning_content: Text | None = None

    @property
    def thinking(self) -> str:
        parts = self.content if isinstance(self.content, list) else []
        inside = "".join(piece.text or "" for part in parts for piece in part.thinking)
        return (self.reasoning or self.reasoning_content or "") + inside

    @property
    def answer(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class ChatChoice(Choice):
    """A choice whose text comes in fields."""

    delta: Delta | None = None


class FromGroq(msgspec.Struct):
    """A field of Groq's: why it cut a stream short."""

    error: Any = None


class ChatChunk(msgspec.Struct):
    """One event of the stream."""

    choices: Annotated[list[ChatChoice], MATTERS] | None = None
    usage: ReportedUsage | None = None
    error: Any = None
    x_groq: FromGroq | None = None

    @property
    def failure(self) -> ReportedError | None:
        from_groq = self.x_groq.error if self.x_groq is not None else None
        return reported(self.error) or reported(from_groq)


_events = Events(ChatChunk)


def decode_chat_chunk(payload: bytes, where: str) -> ChatChunk:
    """The event in one ``data:`` line. Raises EngineFailed if it is none."""
    try:
        return _events.decode(payload)
    except Unfit as error:
        raise EngineFailed(
            f"the stream holds what is no chat completion ({error})",
            where,
            "Is this really an OpenAI-compatible chat endpoint?",
        ) from error

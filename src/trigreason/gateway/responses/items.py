"""The items of a response's output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trigreason.reasoning import ToolCall


class Status(StrEnum):
    """The status of a response or an item; an item is never ``FAILED``."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """OpenAI's names for an item that holds text, and for its part.

    ``of_item``, ``of_part`` and ``of_event`` are fixed fields beside the text and its place.
    """

    name: str
    prefix: str
    part: str
    of_item: Mapping[str, Any]
    of_part: Mapping[str, Any]
    of_event: Mapping[str, Any]


REASONING = Kind(
    name="reasoning",
    prefix="rs",
    part="reasoning_text",
    of_item={"summary": []},
    of_part={},
    of_event={},
)
MESSAGE = Kind(
    name="message",
    prefix="msg",
    part="output_text",
    of_item={"role": "assistant"},
    of_part={"annotations": [], "logprobs": []},
    of_event={"logprobs": []},
)


@dataclass(slots=True)
class TextItem:
    """One item of text as it grows; ``index`` is its place in the output.

    ``signed`` makes the item's ``encrypted_content`` of its text.
    """

    kind: Kind
    response: str
    index: int
    texts: list[str] = field(default_factory=list)
    signed: Callable[[str], str] | None = None

    @property
    def id(self) -> str:
        return _item_id(self.kind.prefix, self.response, self.index)

    @property
    def place(self) -> dict[str, Any]:
        """The fields of a text event that say where the text belongs."""
        return {"item_id": self.id, "output_index": self.index, "content_index": 0}

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def part(self, text: str) -> dict[str, Any]:
        return {"type": self.kind.part, "text": text} | dict(self.kind.of_part)

    def body(self, status: Status) -> dict[str, Any]:
        """The item, without content as long as it is in progress."""
        head = {"id": self.id, "type": self.kind.name, "status": status} | dict(self.kind.of_item)
        if status is Status.IN_PROGRESS:
            return head | {"content": []}
        sealed = {"encrypted_content": self.signed(self.text)} if self.signed else {}
        return head | {"content": [self.part(self.text)]} | sealed


@dataclass(frozen=True, slots=True)
class CallItem:
    """A call of a function, which is whole as soon as it is there."""

    call: ToolCall
    response: str
    index: int

    @property
    def id(self) -> str:
        return _item_id("fc", self.response, self.index)

    def body(self, status: Status) -> dict[str, Any]:
        """The item, without arguments as long as it is in progress, and otherwise complete."""
        is_begun = status is Status.IN_PROGRESS
        return {
            "id": self.id,
            "type": "function_call",
            "status": status if is_begun else Status.COMPLETED,
            "call_id": self.call.id,
            "name": self.call.name,
            "arguments": "" if is_begun else self.call.arguments,
        }


OutputItem = TextItem | CallItem


def _item_id(prefix: str, response: str, index: int) -> str:
    return f"{prefix}_{response.removeprefix('resp_')}_{index}"

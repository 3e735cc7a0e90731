"""The items of a response's output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
class OutputItem:
    """One item as it grows; ``index`` is its place in the output."""

    kind: Kind
    response: str
    index: int
    texts: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.kind.prefix}_{self.response.removeprefix('resp_')}_{self.index}"

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
        content = [] if status is Status.IN_PROGRESS else [self.part(self.text)]
        head = {"id": self.id, "type": self.kind.name, "status": status}
        return head | dict(self.kind.of_item) | {"content": content}

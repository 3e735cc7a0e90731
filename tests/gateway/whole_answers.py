"""Clients of a gateway that see every byte, and may leave at any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Answer:
    """The whole answer to a streaming request: its status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """The events of a stream, or the body of what is none."""
        lines = [line[6:] for line in self.body.split(b"\n") if line.startswith(b"data: {")]
        return [json.loads(each) for each in (lines or [self.body])]

    @property
    def error(self) -> dict[str, Any] | None:
        return next((event["error"] for event in self.events if "error" in event), None)

    @property
    def is_whole(self) -> bool:
        """It came to its end, and says so."""
        return self.error is None and self.body.endswith(b"data: [DONE]\n\n")

    @property
    def id(self) -> str:
        return self.headers["x-trigreason-id"]

    @property
    def account(self) -> dict[str, Any]:
        """The ``trigreason`` object of a whole answer."""
        told: dict[str, Any] = self.events[-1]["trigreason"]
        return told

    @property
    def text(self) -> tuple[str, str]:
        """Thinking and answer."""
        deltas = [choice["delta"] for event in self.events for choice in event.get("choices", ())]
        thinking = "".join(delta.get("reasoning_content", "") for delta in deltas)
        return thinking, "".join(delta.get("content", "") for delta in deltas)


async def asked(
    session: aiohttp.ClientSession, url: str, body: Mapping[str, Any], key: str | None = None
) -> Answer:
    """Ask for a stream and read all of it. Raises aiohttp.ClientError where it breaks off."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    told = {**body, "stream": True}
    async with session.post(f"{url}/v1/chat/completions", json=told, headers=headers) as response:
        return Answer(response.status, response.headers, await response.read())


def patient() -> aiohttp.ClientSession:
    """A session with as many connections as it takes."""
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120))

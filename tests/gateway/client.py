"""A client of a gateway that runs in this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.gateway.serving import QUESTION, chat, chunks, configured, gateway
from trigreason.gateway.service import Service

CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Told:
    """An answer: its body as text, and what is in it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.text)
        return told

    @property
    def message(self) -> dict[str, str]:
        message: dict[str, str] = self.body["choices"][0]["message"]
        return message

    @property
    def error(self) -> dict[str, Any]:
        """OpenAI's error object, after checking its shape."""
        ((name, error),) = self.body.items()
        assert name == "error"
        assert error.keys() == {"message", "type", "param", "code"}
        assert isinstance(error["type"], str)
        assert isinstance(error["message"], str)
        assert error["message"]
        told: dict[str, Any] = error
        return told

    @property
    def chunks(self) -> list[dict[str, Any]]:
        return chunks(self.text.splitlines())

    def joined(self, key: str, index: int = 0) -> str:
        """A choice's text of one kind, put together from the chunks."""
        choices = [each for chunk in self.chunks for each in chunk.get("choices", ())]
        return "".join(each["delta"].get(key, "") for each in choices if each["index"] == index)


class Client:
    """Asks a gateway; ``key`` is shown where there is one."""

    def __init__(
        self, url: str, service: Service, session: aiohttp.ClientSession, key: str | None = None
    ) -> None:
        self.url = url
        self.service = service
        self.session = session
        self.key = key

    def with_key(self, key: str) -> Client:
        return Client(self.url, self.service, self.session, key)

    async def get(self, path: str) -> Told:
        return await self.send("GET", path)

    async def chat(self, question: str = QUESTION, **fields: Any) -> Told:
        """A chat completion; streamed to its end with ``stream=True``."""
        return await self.send("POST", CHAT, json=chat(question, **fields))

    async def send(self, method: str, path: str, **how: Any) -> Told:
        headers = dict(how.pop("headers", {}))
        if self.key is not None:
            headers["authorization"] = f"Bearer {self.key}"
        asking = self.session.request(method, self.url + path, headers=headers, **how)
        async with asking as answer:
            return Told(answer.status, answer.headers, await answer.text())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left of any request."""
        admission = self.service.admission
        return not (admission.running or admission.waiting or self.service.live)


@asynccontextmanager
async def asked_gateway(
    folder: Path, toml: str = "", *, wait: bool = True
) -> AsyncIterator[Client]:
    """A gateway so configured, and a client of it; with ``wait`` its pairs are open."""
    async with (
        gateway(configured(folder, toml), wait=wait) as (url, service),
        aiohttp.ClientSession() as session,
    ):
        yield Client(url, service, session)

"""A double of the hub, what stands in it, and what is seen of a download."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.doubles.hub import HubDouble, Repo, hub_double
from trigreason.engines.hub import (
    Fetching,
    Hub,
    HubError,
    HubName,
    downloading,
)

BYTES = random.Random(0).randbytes(100_000)
MODEL = b"GGUF" + BYTES
SHA = hashlib.sha256(MODEL).hexdigest()
PARTS = {f"Q4_K_M/m-Q4_K_M-0000{n}-of-00003.gguf": b"GGUF" + BYTES[n:] for n in (1, 2, 3)}
REPOS = {
    "org/one": Repo({"README.md": b"#", "m-Q8_0.gguf": MODEL}, branches=("main", "v1")),
    "org/many": Repo(
        {
            "m-Q2_K.gguf": b"GGUF2",
            "m-Q4_K_M.gguf": MODEL,
            "m-Q8_0.gguf": b"GGUF8",
            "mmproj-F16.gguf": b"GGUFm",
            "imatrix_m.gguf": b"GGUFi",
        },
        licence="mit",
    ),
    "org/split": Repo({**PARTS, "m-Q8_0.gguf": b"GGUF8"}),
    "org/gated": Repo({"m-Q8_0.gguf": MODEL}, gated=True),
    "org/private": Repo({"m-Q8_0.gguf": MODEL}, private=True),
    "org/tensors": Repo({"model.safetensors": b"x", "config.json": b"{}"}),
    "org/two": Repo({"a-Q8_0.gguf": b"GGUFa", "b-Q8_0.gguf": b"GGUFb"}),
}


@dataclass
class Seen:
    """Everything that was told."""

    begun: list[Fetching] = field(default_factory=list)
    advanced: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    def begin(self, fetching: Fetching) -> None:
        self.begun.append(fetching)

    def advance(self, size: int) -> None:
        self.advanced.append(size)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def end(self, whole: bool) -> None:
        self.ended.append(whole)


@dataclass
class Place:
    """The hub's double, and a client with a cache of its own."""

    double: HubDouble
    hub: Hub

    async def fetch(self, name: str, watch: Seen | None = None) -> Path:
        return await asyncio.to_thread(self.hub.fetch, HubName.parse(name), watch)

    async def error(self, name: str) -> HubError:
        with pytest.raises(HubError) as caught:
            await self.fetch(name)
        assert "\n" not in str(caught.value)
        return caught.value

    def sent(self, sha: str = SHA) -> list[tuple[int, int]]:
        return self.double.served.get(sha, [])


@pytest.fixture(autouse=True)
def _without_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(downloading, "WAIT_SECONDS", 0.0)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with hub_double(dict(REPOS)) as double:
        yield Place(double, Hub(double.url, tmp_path / "cache"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

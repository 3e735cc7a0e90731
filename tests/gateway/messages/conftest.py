"""A gateway over the bundled pair."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.conftest import soon
from tests.gateway.client import Client, asked_gateway


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asked_gateway(tmp_path) as client:
        yield client
        assert await soon(lambda: client.is_idle)

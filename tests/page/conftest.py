"""One Chromium and one gateway over the bundled pair, which keeps traces, for a file of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.client import Client, asked_gateway
from tests.page.browsing import browser

KEPT = "[gateway]\n[gateway.traces]\nkeep = true\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Any]:
    async with browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with asked_gateway(tmp_path_factory.mktemp("gateway"), KEPT) as asking:
        yield asking

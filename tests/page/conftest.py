"""One Chromium and one gateway over the bundled pair, which keeps traces, for a file of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.gateway.client import Client
from tests.gateway.serving import configured, gateway
from tests.page.browsing import browser

KEPT = "[gateway]\n[gateway.traces]\nkeep = true\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Any]:
    async with browser() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    configuration = configured(tmp_path_factory.mktemp("gateway"), KEPT)
    connector = aiohttp.TCPConnector(force_close=True)  # an idle connection may be closed any time
    async with (
        gateway(configuration) as (url, service),
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield Client(url, service, session)

"""One gateway over the bundled pair, for every client, and what all of them ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.serving import QUESTION, GatewayProcess

MISSING = "not installed; `uv sync --group clients` does it"
"""Why a client's tests are skipped."""

TURN = [{"role": "user", "content": QUESTION}]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where clients find OpenAI's API."""
    gateway = GatewayProcess(tmp_path_factory.mktemp("gateway"))
    try:
        gateway.wait_until_ready()
        yield f"{gateway.url}/v1"
    finally:
        gateway.stop()

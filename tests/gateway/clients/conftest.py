"""One gateway over the bundled pair, for every client, and what all of them ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.serving import QUESTION, GatewayProcess

MISSING = "not installed; `uv sync --group clients` does it"
"""Why a client's tests are skipped."""

OPENAI_2_MISSING = "not installed; `uv sync --group clients-openai-2` does it, instead of clients"
"""Why the tests of a client are skipped that needs openai 2."""

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

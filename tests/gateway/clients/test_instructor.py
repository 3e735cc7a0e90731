"""instructor, which makes Pydantic models out of calls and of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients.conftest import OPENAI_2_MISSING
from tests.gateway.clients.test_function_tools import IN_PARIS, MODEL, TURN, Weather, openai_client

pytestmark = pytest.mark.slow
instructor: Any = pytest.importorskip("instructor", reason=OPENAI_2_MISSING)


@pytest.mark.parametrize("mode", ["TOOLS", "JSON", "JSON_SCHEMA"])
async def test_a_model_comes_back(tmp_path: Path, mode: str) -> None:
    async with openai_client(tmp_path) as (client, server):
        patched = instructor.from_openai(client, mode=instructor.Mode[mode])
        asked = {"model": MODEL, "messages": [TURN], "response_model": Weather, "max_retries": 1}
        whole = await patched.chat.completions.create(**asked)
        assert isinstance(whole, Weather)
        assert whole.model_dump() == IN_PARIS.model_dump()
        told, raw = await patched.chat.completions.create_with_completion(**asked)
        assert told.model_dump() == IN_PARIS.model_dump()
        assert raw.usage.total_tokens > 0
        parts = [part async for part in patched.chat.completions.create_partial(**asked)]
        assert parts[-1].model_dump() == IN_PARIS.model_dump()
    assert len(server.bodies) == 3 * 2, "the thinking and the answer of three requests"

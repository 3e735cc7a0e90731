"""OpenAI's npm package, run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.serving import QUESTION

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("node") is None or shutil.which("npm") is None,
        reason="node and npm are not installed",
    ),
]
SCRIPT = Path(__file__).with_name("npm_client.mjs")
SECONDS = 120.0


def run(*command: str, folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def told(url: str, tmp_path: Path) -> dict[str, Any]:
    """What the package made of the gateway."""
    run("npm", "install", "--no-save", "--no-audit", "--no-fund", "openai", folder=tmp_path)
    shutil.copy(SCRIPT, tmp_path)
    told: dict[str, Any] = json.loads(run("node", SCRIPT.name, url, QUESTION, folder=tmp_path))
    return told


def test_the_package_reads_what_the_gateway_writes(told: dict[str, Any]) -> None:
    assert "boxed" in told["chat"]
    assert told["reasoning"] != ""
    assert told["usage"]["completion_tokens"] > 0
    assert told["account"]["pair"] == "bundled"
    assert told["response"] == told["final"] == told["chat"]
    assert told["responseReasoning"] == told["reasoning"]
    assert told["events"][0] == "response.created"
    assert told["events"][-1] == "response.completed"
    assert told["error"] in ("NotFoundError", "BadRequestError")

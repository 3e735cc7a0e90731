"""OpenAI's and Anthropic's npm packages, run by node."""

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
FOLDER = Path(__file__).parent
SECONDS = 120.0


def run(*command: str, folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def told_by(script: str, package: str, url: str, folder: Path) -> dict[str, Any]:
    """What a package made of the gateway."""
    run("npm", "install", "--no-save", "--no-audit", "--no-fund", package, folder=folder)
    shutil.copy(FOLDER / script, folder)
    told: dict[str, Any] = json.loads(run("node", script, url, QUESTION, folder=folder))
    return told


def test_openais_package_reads_what_the_gateway_writes(url: str, tmp_path: Path) -> None:
    told = told_by("npm_client.mjs", "openai", url, tmp_path)
    assert "boxed" in told["chat"]
    assert told["reasoning"] != ""
    assert told["usage"]["completion_tokens"] > 0
    assert told["account"]["pair"] == "bundled"
    assert told["response"] == told["final"] == told["chat"]
    assert told["responseReasoning"] == told["reasoning"]
    assert told["events"][0] == "response.created"
    assert told["events"][-1] == "response.completed"
    assert told["error"] in ("NotFoundError", "BadRequestError")


def test_anthropics_package_reads_what_the_gateway_writes(url: str, tmp_path: Path) -> None:
    root = url.removesuffix("/v1")
    told = told_by("npm_anthropic_client.mjs", "@anthropic-ai/sdk", root, tmp_path)
    assert "boxed" in told["text"]
    assert told["thinking"] != ""
    assert told["final"] == [
        {"type": "thinking", "thinking": told["thinking"], "signature": told["id"]},
        {"type": "text", "text": told["text"]},
    ]
    assert told["events"] == [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    ]
    assert (told["stop"], told["again"]) == ("end_turn", "end_turn")
    assert told["tokens"] == told["read"] > 0
    assert told["error"] == ["NotFoundError", "not_found_error"]

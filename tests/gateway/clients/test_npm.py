"""OpenAI's, Anthropic's and Vercel's npm packages, run by node."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients import test_function_tools as tools
from tests.gateway.serving import QUESTION
from tests.gateway.test_tools import ARGUMENTS

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


def told_by(
    script: str, url: str, folder: Path, *packages: str, question: str = QUESTION
) -> dict[str, Any]:
    """What packages made of the gateway."""
    run("npm", "install", "--no-save", "--no-audit", "--no-fund", *packages, folder=folder)
    shutil.copy(FOLDER / script, folder)
    told: dict[str, Any] = json.loads(run("node", script, url, question, folder=folder))
    return told


async def told_of_tools(script: str, folder: Path, *packages: str) -> tuple[Any, list[str]]:
    """What packages made of a tool, and the prompts that came of it."""
    async with tools.address(folder) as (url, server):
        told = await asyncio.to_thread(
            lambda: told_by(script, url, folder, *packages, question=tools.QUESTION)
        )
    return told, server.prompts


def test_openais_package_reads_what_the_gateway_writes(url: str, tmp_path: Path) -> None:
    told = told_by("npm_client.mjs", url, tmp_path, "openai")
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
    told = told_by("npm_anthropic_client.mjs", root, tmp_path, "@anthropic-ai/sdk")
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


CONTINUED = "<think>I look it up.\n\n</think><tool_call>weather:Paris</tool_call>"


async def test_openais_package_calls_and_goes_on(tmp_path: Path) -> None:
    told, prompts = await told_of_tools("npm_tools_client.mjs", tmp_path, "openai")
    for each in (told["whole"], told["streamed"]):
        assert each["text"] == tools.ANSWER
        assert (each["call"]["type"], each["call"]["arguments"]) == ("function_call", ARGUMENTS)
    assert told["streamed"]["deltas"] == ARGUMENTS
    assert [CONTINUED in prompt for prompt in prompts] == [False, True, False, True]


async def test_vercels_package_calls_and_goes_on(tmp_path: Path) -> None:
    """Over responses with references to stored items and without any, and over chat completions."""
    packages = ("ai@6", "@ai-sdk/openai@3", "@ai-sdk/openai-compatible@2", "zod@4")
    told, prompts = await told_of_tools("npm_ai_client.mjs", tmp_path, *packages)
    items = ["function_call", "function_call_output"]
    for name, turn, said in (
        ("stored", ["item_reference", *items], ["item_reference", "item_reference"]),
        ("stateless", ["reasoning", *items], ["reasoning", "assistant"]),
        ("chat", ["assistant", "tool"], ["assistant"]),
    ):
        each = told[name]
        assert each["texts"] == 3 * [tools.ANSWER]
        assert each["calls"] == [{"city": "Paris"}]
        assert each["finish"] == ["tool-calls", "stop", "stop"]
        continued = ["user", *turn]
        assert each["sent"] == [
            *(["user"], continued, ["user"], continued, [*continued, *said, "user"]),
        ]
    once = [False, True, False, True, True]
    assert [CONTINUED in prompt for prompt in prompts] == 3 * once

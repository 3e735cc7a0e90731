"""Codex, OpenAI's agent for the terminal, as npm has it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients.test_npm import run
from tests.gateway.test_tools import TEMPLATE, asked
from tests.scripted_server import Body, Reply, say

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
]
PACKAGE = "@openai/codex@0.171"
COMMAND = "echo $((20+1)) degrees"
ANSWER = "It is 21 degrees."
CONTINUED = f"<think>I look.\n\n</think><tool_call>exec_command:{COMMAND}</tool_call>"


@pytest.fixture
def codex(tmp_path: Path) -> Iterator[Path]:
    """The program, and nothing of its 400 MB afterwards."""
    folder = tmp_path / "npm"
    folder.mkdir()
    try:
        run("npm", "install", "--no-save", "--no-audit", "--no-fund", PACKAGE, folder=folder)
        yield folder / "node_modules" / ".bin" / "codex"
    finally:
        shutil.rmtree(folder)


def model(body: Body) -> Reply:
    """A model that runs a command and tells what it printed."""
    call = json.dumps({"name": "exec_command", "arguments": {"cmd": COMMAND}})
    since = body["prompt"].rpartition("<|im_start|>user")[2]
    answer = ANSWER if "21 degrees\n" in since else f"<tool_call>\n{call}\n</tool_call>"
    return say(f"I look.\n\n</think>\n\n{answer}")


async def said_by(codex: Path, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """The events that Codex prints."""
    command = ("exec", *arguments, "--json", "--skip-git-repo-check")
    process = await asyncio.create_subprocess_exec(
        *(str(codex), *command, "--dangerously-bypass-approvals-and-sandbox"),
        cwd=folder,
        env={**os.environ, "CODEX_HOME": str(folder), "TRIGREASON_KEY": "none"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            printed, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, printed + errors
    return [json.loads(line) for line in printed.splitlines()]


async def test_codex_runs_a_command_and_resumes(codex: Path, tmp_path: Path) -> None:
    async with asked(tmp_path, model, TEMPLATE.replace("arguments.city", "arguments.cmd")) as (
        client,
        server,
    ):
        (tmp_path / "config.toml").write_text(
            'model = "p:srm"\nmodel_provider = "tr"\ncheck_for_update_on_startup = false\n'
            "[analytics]\nenabled = false\n"
            f'[model_providers.tr]\nname = "tr"\nbase_url = "{client.url}/v1"\n'
            'env_key = "TRIGREASON_KEY"\nwire_api = "responses"\n'
        )
        for arguments in (("How warm is it?",), ("resume", "--last", "And now?")):
            events = await said_by(codex, tmp_path, *arguments)
            items = [each["item"] for each in events if each["type"] == "item.completed"]
            run, message = items[-2:]
            assert (run["type"], run["aggregated_output"]) == ("command_execution", "21 degrees\n")
            assert (message["type"], message["text"]) == ("agent_message", ANSWER)
            assert events[-1]["type"] == "turn.completed"
    assert [prompt.count(CONTINUED) for prompt in server.prompts] == [0, 1, 1, 2]

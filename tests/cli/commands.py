"""Running the command line in tests, in this process or as a program of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.scripted_server import Script, ScriptedServer, Shape, listening
from trigreason.bundled import problems
from trigreason.cli.app import run

PROGRAM = (sys.executable, "-c", "from trigreason.cli import main; main()")
QUESTION = problems()[0].question
PATIENCE_SECONDS = 240
"""For a program to end; evaluations take a minute on an idle machine of two cores."""


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        (line,) = self.out.splitlines()
        return json.loads(line)

    def check_complaint(self, code: int, *told: str) -> None:
        """One line on stderr that says these things, and no stack trace."""
        assert self.code == code
        (line,) = self.err.splitlines()
        assert line.startswith("trigreason: ")
        for each in told:
            assert each in line


Command = Callable[..., Finished]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process: fast, and the models are real all the same."""

    def run_it(*arguments: str) -> Finished:
        capsys.readouterr()
        code = run(arguments)
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    return run_it


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """The program, with Ctrl-C switched on whatever the tests themselves run under."""
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


async def finished(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> Finished:
    out, err = await asyncio.wait_for(process.communicate(stdin), timeout=PATIENCE_SECONDS)
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


@dataclass
class ListedModel(ScriptedServer):
    """A scripted model that lists itself, as the command line wants to be told."""

    keys: set[str | None] = field(default_factory=set)

    async def models(self, request: web.Request) -> web.Response:
        self.keys.add(request.headers.get("Authorization"))
        return web.json_response({"data": [{"id": "told"}, {"id": "other"}]})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.keys.add(request.headers.get("Authorization"))
        return await super().complete(request)


@asynccontextmanager
async def served(script: Script, shape: Shape = "chat") -> AsyncIterator[ListedModel]:
    model = ListedModel(script, shape)
    app = web.Application()
    app.router.add_get("/v1/models", model.models)
    app.router.add_post("/v1/completions", model.complete)
    async with listening(app) as root:
        model.url = f"told@{root}"
        yield model

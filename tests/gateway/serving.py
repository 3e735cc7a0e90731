"""Gateways for tests: in a process of their own, or in this one over given pairs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import uvicorn

from tests.servers import ROOT, free_port
from trigreason.configuration import Configuration, read_configuration
from trigreason.gateway.app import make_app
from trigreason.gateway.connections import BoundedConnection
from trigreason.gateway.server import opened_service
from trigreason.gateway.service import Service

READY_SECONDS = 60.0
STOP_SECONDS = 60.0
QUESTION = "not ( True ) and ( True or False ) is"


class GatewayProcess:
    """``trigreason serve`` in a process and state folder of its own, at ``url``.

    ``toml`` is its whole configuration; it listens on a free port unless ``arguments`` say
    otherwise.
    """

    def __init__(
        self,
        folder: Path,
        toml: str = "",
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        file = folder / "trigreason.toml"
        file.write_text(toml)
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "trigreason", "serve", "--config", str(file)),
                *("--port", str(self.port), *arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={
                **{key: value for key, value in os.environ.items() if "TRIGREASON" not in key},
                "XDG_STATE_HOME": str(folder),
                **(environment or {}),
            },
            cwd=ROOT,
        )

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return once every pair is ready. Raises RuntimeError with the log where none comes."""
        deadline = monotonic() + seconds
        while not self._is_ready():
            if self.process.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"the gateway is not ready:\n{self.logged()}")
            sleep(0.05)

    def logged(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def configured(folder: Path, toml: str = "") -> Configuration:
    """A configuration whose database is in ``folder``."""
    file = folder / "trigreason.toml"
    if "[gateway]" not in toml:
        toml += "\n[gateway]\n"
    toml = toml.replace("[gateway]\n", f"[gateway]\ndatabase = {json.dumps(str(folder / 'db'))}\n")
    file.write_text(toml)
    return read_configuration(file, {})


class PromptServer(uvicorn.Server):
    """Ends as soon as ``left`` is set; uvicorn would take two tenths of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.left = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.left.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)


@asynccontextmanager
async def gateway(
    configuration: Configuration, *, wait: bool = True
) -> AsyncIterator[tuple[str, Service]]:
    """A gateway in this process: its URL and its service. With ``wait`` its pairs are open."""
    async with opened_service(configuration, {}, host="127.0.0.1") as service:
        if wait:
            async with asyncio.timeout(READY_SECONDS):
                for pair in service.catalogue:
                    await pair.opened.wait()
        config = uvicorn.Config(
            make_app(service),
            http=BoundedConnection,
            port=0,
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        server = PromptServer(config)
        serving = asyncio.create_task(server.serve())
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.005)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}", service
        finally:
            server.left.set()
            await serving


def chat(question: str = QUESTION, **fields: Any) -> dict[str, Any]:
    """The body of a chat completion request to the bundled pair."""
    messages = [{"role": "user", "content": question}]
    return {"model": "bundled", "messages": messages, "seed": 1} | fields


def chunks(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The JSON of a stream's events, without the word that ends it."""
    told = [line[6:] for line in lines if line.startswith("data: ")]
    return [json.loads(each) for each in told if each != "[DONE]"]

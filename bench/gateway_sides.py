"""The servers that ``bench.gateway`` compares, each a process whose time and memory are read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

from bench.fast_upstream import MODEL
from tests.servers import ROOT, free_port

READY_SECONDS = 120.0
STOP_SECONDS = 30.0
LITELLM = "litellm[proxy]"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Side:
    """A server to ask, with the model's name there; ``pid`` is of what is measured."""

    name: str
    url: str
    model: str
    pid: int | None = None

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used, its children's included; 0 where none is measured."""
        return sum(_cpu_ticks(pid) for pid in self._processes()) / _TICKS

    @property
    def resident_bytes(self) -> int:
        return sum(_resident_pages(pid) for pid in self._processes()) * _PAGE

    def _processes(self) -> list[int]:
        return [] if self.pid is None else _family(self.pid)


@contextmanager
def trigreason(upstream: str, folder: Path) -> Iterator[Side]:
    """``trigreason serve`` as it comes, SRM and LRM both the upstream."""
    port = free_port()
    file = folder / "trigreason.toml"
    file.write_text(
        f'[engines.small]\nurl = "{upstream}"\n\n[engines.large]\nurl = "{upstream}"\n\n'
        '[pairs.pair]\nsrm = "small"\nlrm = "large"\n'
    )
    command = [sys.executable, "-m", "trigreason", "serve", "--config", str(file)]
    environment = {"XDG_STATE_HOME": str(folder)}
    ready = f"http://127.0.0.1:{port}/readyz"
    with _process([*command, "--port", str(port)], ready, environment) as pid:
        yield Side("trigreason", f"http://127.0.0.1:{port}/v1", "pair", pid)


@contextmanager
def litellm(upstream: str, folder: Path, venv: Path) -> Iterator[Side]:
    """The LiteLLM proxy as its documentation wants it in production: one worker, uvloop, no
    debugging, errors alone in the log; without a database, keys and callbacks, so that it has
    nothing to do but pass on."""
    port = free_port()
    file = folder / "litellm.yaml"
    file.write_text(
        f"model_list:\n  - model_name: {MODEL}\n    litellm_params:\n"
        f"      model: openai/{MODEL}\n      api_base: {upstream}\n      api_key: none\n"
        "litellm_settings:\n  set_verbose: false\n  request_timeout: 600\n  json_logs: true\n"
    )
    command = [str(venv / "bin" / "litellm"), "--config", str(file), "--num_workers", "1"]
    environment = {
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    ready = f"http://127.0.0.1:{port}/health/readiness"
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with _process(command, ready, environment) as pid:
        yield Side("LiteLLM proxy", f"http://127.0.0.1:{port}/v1", MODEL, pid)


def litellm_version(venv: Path) -> str:
    """LiteLLM's version in a venv of its own, which is made where there is none."""
    python = venv / "bin" / "python"
    if not (venv / "bin" / "litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", LITELLM], check=True)
    asked = "from importlib.metadata import version as v; print(v('litellm'), v('uvicorn'))"
    told = subprocess.run([str(python), "-c", asked], check=True, capture_output=True, text=True)
    litellm_is, uvicorn_is = told.stdout.split()
    return f"litellm {litellm_is} (uvicorn {uvicorn_is})"


@contextmanager
def _process(command: Sequence[str], ready: str, environment: dict[str, str]) -> Iterator[int]:
    """Its id, once ``ready`` answers; ended with the context."""
    kept = {key: value for key, value in os.environ.items() if "TRIGREASON" not in key}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=kept | environment,
            cwd=ROOT,
        ) as process,
    ):
        try:
            deadline = monotonic() + READY_SECONDS
            while not _answers(ready):
                if process.poll() is not None or monotonic() > deadline:
                    log.seek(0)
                    told = log.read().decode(errors="replace")[-4000:]
                    raise RuntimeError(f"{command[0]} is not ready:\n{told}")
                sleep(0.1)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for file in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in file.read_text().split()]
    return found


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(
        int(field) for field in fields[11:15]
    )  # own and waited-for children's, user and system


def _resident_pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])

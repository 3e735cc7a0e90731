"""Real servers in processes of their own: llama.cpp's, vLLM's and SGLang's.

`python -m tests.servers GGUF PORT SLOTS CONTEXT` is llama.cpp as the package brings it along; it
ends when its standard input does, so that none outlives the tests. TRIGREASON_LLAMA_SERVER names
the `llama-server` program that people install. vLLM and SGLang are started by the scripts that
TRIGREASON_VLLM and TRIGREASON_SGLANG name: `SCRIPT serve MODEL_DIR PORT [ARGS]`.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import xllamacpp

ROOT = Path(__file__).parents[1]
LLAMA_SERVER_VARIABLE = "TRIGREASON_LLAMA_SERVER"
SGLANG_VARIABLE = "TRIGREASON_SGLANG"
VLLM_VARIABLE = "TRIGREASON_VLLM"
VLLM_FLAGS = ("--enable-prompt-tokens-details", "--enable-tokenizer-info-endpoint")
"""With these it tells its cached tokens and its chat template."""
READY_SECONDS = 600.0
"""vLLM takes half a minute on an idle machine, and several minutes on a busy one."""

STOP_SECONDS = 20.0
LOG_LINES = 30


class ServerProcess:
    """A server on a free port of the loopback interface, at ``root``; it may still be starting."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        port: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.root = f"http://127.0.0.1:{port}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=ROOT,
            start_new_session=True,
        )

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return once the server lists its models.

        Raises:
            RuntimeError: it ended or did not answer in time; with the end of its log.
        """
        deadline = monotonic() + seconds
        while not self._lists_models():
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended while starting:\n{self._end_of_log()}")
            if monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready:\n{self._end_of_log()}")
            sleep(0.1)

    def stop(self) -> None:
        """End the server and whatever it started, by its own process group."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._log.close()

    def kill(self) -> None:
        """End it as the kernel does for want of memory; :meth:`stop` tidies up all the same."""
        self._process.kill()
        self._process.wait()

    def _lists_models(self) -> bool:
        try:
            with urlopen(f"{self.root}/v1/models", timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _end_of_log(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES:])


@contextmanager
def running(servers: Sequence[ServerProcess]) -> Iterator[None]:
    """Servers that start at the same time; stopped on leaving, also where one does not start."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
        for server in servers:
            server.wait_until_ready()
        yield


def llama_cpp(
    gguf: Path, *, slots: int, context_tokens: int, port: int | None = None
) -> ServerProcess:
    """A GGUF file on llama.cpp's server; ``context_tokens`` is per slot."""
    port = port or free_port()
    arguments = [str(gguf), str(port), str(slots), str(context_tokens)]
    command = [sys.executable, "-m", "tests.servers", *arguments]
    return ServerProcess(f"llama.cpp with {gguf.name}", command, port)


def llama_server(
    program: Path, gguf: Path, *, slots: int, context_tokens: int, draft: Path | None = None
) -> ServerProcess:
    """A GGUF file on the program ``llama-server``; ``draft`` is the model that drafts for it."""
    port = free_port()
    arguments: dict[str, object] = {
        "--model": gguf,
        "--host": "127.0.0.1",
        "--port": port,
        "--parallel": slots,
        "--ctx-size": slots * context_tokens,
        "--threads": 1,
    }
    if draft is not None:
        # newer builds load a draft model and leave it idle unless the type is named too
        arguments |= {"--model-draft": draft, "--spec-type": "draft-simple"}
    words = [str(word) for pair in arguments.items() for word in pair]
    name = f"llama-server with {gguf.name}"
    return ServerProcess(name, [str(program), *words, "--metrics", "--no-warmup"], port)


def vllm(
    script: Path,
    model: Path,
    *,
    slots: int,
    context_tokens: int,
    flags: Sequence[str] = VLLM_FLAGS,
) -> ServerProcess:
    """A model folder on vLLM, on one core: two servers that each bind all cores starve another."""
    port = free_port()
    arguments = {
        "--max-model-len": context_tokens,
        "--max-num-seqs": slots,
        "--uvicorn-log-level": "warning",
    }
    command = [
        *(str(script), "serve", str(model), str(port)),
        *flags,
        *(str(word) for pair in arguments.items() for word in pair),
    ]
    environment = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
    return ServerProcess(f"vLLM with {model.name}", command, port, environment)


def sglang(script: Path, model: Path, *, slots: int, context_tokens: int) -> ServerProcess:
    """A model folder on SGLang, on one core."""
    port = free_port()
    arguments = {
        "--context-length": context_tokens,
        "--max-running-requests": slots,
        "--max-total-tokens": slots * context_tokens,
        "--log-level": "warning",
    }
    command = [
        *(str(script), "serve", str(model), str(port)),
        *("--enable-cache-report", "--enable-metrics"),
        *(str(word) for pair in arguments.items() for word in pair),
    ]
    environment = {"OMP_NUM_THREADS": "1", "SGLANG_RETURN_ORIGINAL_LOGPROB": "1"}
    return ServerProcess(f"SGLang with {model.name}", command, port, environment)


def free_port() -> int:
    """A port that nobody listens on, and that no client is given for its end of a connection."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)  # random is seeded in some tests
        with socket.socket() as bound, suppress(OSError):
            bound.bind(("127.0.0.1", port))
            return port


def _serve_llama_cpp(gguf: str, port: int, slots: int, context_tokens: int) -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = gguf
    parameters.port = port
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context_tokens
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.endpoint_metrics = True
    parameters.warmup = False
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve_llama_cpp(sys.argv[1], *(int(word) for word in sys.argv[2:]))

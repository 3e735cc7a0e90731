"""The servers under test, each started once, and the table of figures at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.figures import Figures
from tests.conformance.runs_alone import RunsAlone
from tests.conformance.served import LLAMA_CPP, SGLANG, VLLM, RealServer, Served
from tests.servers import (
    LLAMA_SERVER_VARIABLE,
    ROOT,
    SGLANG_VARIABLE,
    VLLM_VARIABLE,
    llama_cpp,
    llama_server,
    running,
    sglang,
    vllm,
)
from trigreason.bundled import CONTEXT_TOKENS, LRM_FILE, SRM_FILE

SLOTS = 32
FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = Figures()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    figures = config.stash[FIGURES]
    if figures.rows:
        terminalreporter.section("measured on real servers")
        for line in figures.table():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def on_llama_cpp() -> Iterator[RealServer]:
    """The bundled pair as GGUF files, half precision, on llama.cpp."""
    pair = [
        llama_cpp(file, slots=SLOTS, context_tokens=CONTEXT_TOKENS) for file in (SRM_FILE, LRM_FILE)
    ]
    with running(pair):
        yield RealServer("llama.cpp", *(Served(each.root, LLAMA_CPP) for each in pair))


@pytest.fixture(scope="session")
def program() -> Path:
    """The ``llama-server`` that is installed here."""
    program = os.environ.get(LLAMA_SERVER_VARIABLE)
    if not program:
        pytest.skip(f"{LLAMA_SERVER_VARIABLE} names no llama-server program")
    return Path(program)


NO_AMX = "AMX is not ready to be used"
"""How llama-server ends where the processor has AMX and the system does not let it be used."""


@pytest.fixture(scope="session")
def on_llama_server(program: Path) -> Iterator[RealServer]:
    """The same files on the program ``llama-server``."""
    pair = [
        llama_server(program, file, slots=SLOTS, context_tokens=CONTEXT_TOKENS)
        for file in (SRM_FILE, LRM_FILE)
    ]
    with ExitStack() as stack:
        try:
            stack.enter_context(running(pair))
        except RuntimeError as error:
            if NO_AMX not in str(error):
                raise
            pytest.skip("this llama-server wants AMX, which this machine shows but does not grant")
        yield RealServer("llama-server", *(Served(each.root, LLAMA_CPP) for each in pair))


@pytest.fixture(scope="session")
def on_drafting_llama_server(program: Path, on_llama_server: RealServer) -> Iterator[RealServer]:
    """The SRM as it was, and the LRM with the SRM as its draft model."""
    lrm = llama_server(
        program, LRM_FILE, slots=SLOTS, context_tokens=CONTEXT_TOKENS, draft=SRM_FILE
    )
    with running([lrm]):
        name = "llama-server, LRM drafted for"
        yield RealServer(name, on_llama_server.srm, Served(lrm.root, LLAMA_CPP))


@pytest.fixture(scope="session")
def on_vllm() -> Iterator[RealServer]:
    """The same weights in Hugging Face format on vLLM, which computes in single precision."""
    script = os.environ.get(VLLM_VARIABLE)
    if not script:
        pytest.skip(f"{VLLM_VARIABLE} names no script that serves a model on vLLM")
    pair = [
        vllm(Path(script), ROOT / "models" / name, slots=SLOTS, context_tokens=CONTEXT_TOKENS)
        for name in ("srm", "lrm")
    ]
    with running(pair):
        yield RealServer("vLLM", *(Served(each.root, VLLM) for each in pair))


@pytest.fixture(scope="session")
def on_sglang() -> Iterator[RealServer]:
    """The same weights in Hugging Face format on SGLang, in single precision."""
    script = os.environ.get(SGLANG_VARIABLE)
    if not script:
        pytest.skip(f"{SGLANG_VARIABLE} names no script that serves a model on SGLang")
    pair = [
        sglang(Path(script), ROOT / "models" / name, slots=SLOTS, context_tokens=CONTEXT_TOKENS)
        for name in ("srm", "lrm")
    ]
    with running(pair):
        yield RealServer("SGLang", *(Served(each.root, SGLANG) for each in pair))


SERVERS = {
    "llama.cpp": "on_llama_cpp",
    "llama-server": "on_llama_server",
    "llama-server-drafting": "on_drafting_llama_server",
    "vLLM": "on_vllm",
    "SGLang": "on_sglang",
}


@pytest.fixture(scope="session", params=list(SERVERS.values()), ids=list(SERVERS))
def server(request: pytest.FixtureRequest) -> RealServer:
    """Each real server in turn: what is tested with it holds of all of them."""
    chosen: RealServer = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def runs_alone() -> RunsAlone:
    return RunsAlone()

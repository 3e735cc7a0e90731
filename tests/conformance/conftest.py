"""The servers under test, each started once, and the table of figures at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.figures import Figures
from tests.conformance.runs_alone import RunsAlone
from tests.conformance.served import LLAMA_CPP, VLLM, RealServer, Served
from tests.servers import ROOT, VLLM_VARIABLE, llama_cpp, running, vllm
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


@pytest.fixture(scope="session", params=["on_llama_cpp", "on_vllm"], ids=["llama.cpp", "vLLM"])
def server(request: pytest.FixtureRequest) -> RealServer:
    """Each real server in turn: what is tested with it holds of all of them."""
    chosen: RealServer = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def runs_alone() -> RunsAlone:
    return RunsAlone()

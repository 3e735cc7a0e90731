"""The examination of real vLLM, as it should be served and with flags that change its answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers import ROOT, VLLM_VARIABLE, ServerProcess, free_port, running, vllm
from trigreason.bundled import CONTEXT_TOKENS
from trigreason.engines.base import LogprobScale
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.connect import connect
from trigreason.engines.http import HttpEngine
from trigreason.engines.probing import (
    Examination,
    Report,
    ServerKind,
    ServerPages,
    State,
    Topic,
    verdict,
)
from trigreason.engines.template_sources import template_from
from trigreason.reasoning import Author

pytestmark = pytest.mark.slow
SRM_FOLDER = ROOT / "models" / "srm"
FLAGS = "--logprobs-mode processed_logprobs --max-logprobs 5 --no-enable-prefix-caching"


class Served(NamedTuple):
    """vLLM as it should be started, and as it should not."""

    well: str
    badly: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    script = os.environ.get(VLLM_VARIABLE)
    if not script:
        pytest.skip(f"{VLLM_VARIABLE} names no script that serves a model on vLLM")
    well = vllm(Path(script), SRM_FOLDER, slots=4, context_tokens=CONTEXT_TOKENS)
    port = free_port()
    command = [script, "serve", str(SRM_FOLDER), str(port), "--max-model-len", str(CONTEXT_TOKENS)]
    badly = ServerProcess("vLLM with odd flags", [*command, *FLAGS.split()], port)
    with running([well, badly]):
        yield Served(well.root, badly.root)


async def examined(root: str) -> Report:
    engine = await connect(root)
    assert isinstance(engine, HttpEngine)
    try:
        async with ServerPages(root, {}, 5.0) as pages:
            return await Examination(engine, root, pages, silence_seconds=60).run()
    finally:
        await engine.close()


async def test_its_template_is_the_model_folders(served: Served) -> None:
    engine = await connect(served.well)
    await engine.close()
    assert isinstance(engine, CompletionsEngine)
    own = template_from(SRM_FOLDER)
    told = engine.template
    assert (told.source, told.bos_token, told.eos_token) == (
        *(own.source, own.bos_token, own.eos_token),
    )


def states(report: Report) -> dict[Topic, State]:
    return {finding.topic: finding.state for finding in report.findings}


async def test_as_it_should_be_started(served: Served) -> None:
    report = await examined(served.well)
    assert states(report) == dict.fromkeys(Topic, State.YES) | {Topic.CONTEXT: State.NO}, (
        report.findings
    )
    assert report.server is ServerKind.VLLM
    template = report.finding(Topic.TEMPLATE)
    assert template is not None
    assert template.evidence == f"told by {served.well}/v1"
    assert report.measured.logprob_scale is LogprobScale.RAW
    assert report.measured.max_alternatives == 20
    assert report.measured.context_tokens == CONTEXT_TOKENS
    assert verdict(report, Author.SRM).state is State.YES


async def test_with_flags_that_change_its_answers(served: Served) -> None:
    report = await examined(served.badly)
    changed = dict.fromkeys((Topic.RAW, Topic.CACHE, Topic.CONTEXT), State.NO)
    changed[Topic.TEMPLATE] = State.UNKNOWN
    assert states(report) == dict.fromkeys(Topic, State.YES) | changed, report.findings
    assert report.measured.logprob_scale is LogprobScale.SAMPLING
    assert report.measured.max_alternatives == 5
    assert "Start it with --logprobs-mode raw_logprobs; else they are converted." in report.advice()
    assert verdict(report, Author.SRM).state is State.YES

"""The examination of real vLLM, as it should be served and with flags that change its answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers import ROOT, VLLM_VARIABLE, running, vllm
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
ODD_FLAGS = "--logprobs-mode processed_logprobs --max-logprobs 5 --no-enable-prefix-caching"
EXAMINATIONS = 4
PAUSE_SECONDS = 2.0


class Served(NamedTuple):
    """vLLM as it should be started, and as it should not."""

    well: str
    badly: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    script = os.environ.get(VLLM_VARIABLE)
    if not script:
        pytest.skip(f"{VLLM_VARIABLE} names no script that serves a model on vLLM")
    start = partial(vllm, Path(script), SRM_FOLDER, slots=4, context_tokens=CONTEXT_TOKENS)
    well, badly = start(), start(flags=ODD_FLAGS.split())
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


async def examined_at_a_good_moment(root: str, expected: dict[Topic, State]) -> Report:
    """An examination that saw what it should, of a few.

    Streaming and closing are told by the clock, and other work on a shared machine can hold the
    server back for as long as a tiny model takes to write its whole answer.
    """
    for _ in range(EXAMINATIONS):
        report = await examined(root)
        if states(report) == expected:
            return report
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError(report.findings)


async def test_as_it_should_be_started(served: Served) -> None:
    expected = dict.fromkeys(Topic, State.YES) | {Topic.CONTEXT: State.NO}
    report = await examined_at_a_good_moment(served.well, expected)
    assert report.server is ServerKind.VLLM
    template = report.finding(Topic.TEMPLATE)
    assert template is not None
    assert template.evidence == f"told by {served.well}/v1"
    assert report.measured.logprob_scale is LogprobScale.RAW
    assert report.measured.max_alternatives == 20
    assert report.measured.context_tokens == CONTEXT_TOKENS
    assert verdict(report, Author.SRM).state is State.YES


async def test_with_flags_that_change_its_answers(served: Served) -> None:
    expected = dict.fromkeys(Topic, State.YES)
    expected |= dict.fromkeys((Topic.RAW, Topic.CACHE, Topic.CONTEXT), State.NO)
    expected |= dict.fromkeys((Topic.TEMPLATE, Topic.THINKING), State.UNKNOWN)
    report = await examined_at_a_good_moment(served.badly, expected)
    assert report.measured.logprob_scale is LogprobScale.SAMPLING
    assert report.measured.max_alternatives == 5
    assert "Start it with --logprobs-mode raw_logprobs; else they are converted." in report.advice()
    assert verdict(report, Author.SRM).state is State.YES

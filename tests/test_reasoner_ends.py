"""Where the thinking of a run ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.reasoning.risks import RISK
from tests.runs import QUIET, told
from tests.scripted_server import (
    SURE,
    Body,
    Reply,
    Said,
    say,
    scripted_pair,
    words,
)
from tests.test_reasoner import END
from trigreason.engines.pooling import PoolingScorer
from trigreason.reasoning import (
    Author,
    StepEnd,
    StopReason,
    Thresholds,
    methods,
)


@pytest.mark.parametrize(
    ("tokens", "answer"),
    [
        (["So.", "</think>", "\n\n", "It is 3."], "It is 3."),
        (["So.", "</", "think", ">", "\n\n", "It is 3."], "It is 3."),
        (["So", ".</", "thi", "nk>\n\nIt", " is 3."], "It is 3."),
        (["So.</think>It is 3."], "It is 3."),
        (["So.", "</think>", "\n\n"], ""),
        (["So.", "</think>"], ""),
    ],
)
@pytest.mark.parametrize("per_chunk", [1, 2, 9])
async def test_end_of_thinking(tokens: Sequence[str], answer: str, per_chunk: int) -> None:
    script = [Reply([Said(text) for text in tokens], per_chunk=per_chunk)]
    async with scripted_pair(script) as double:
        run = await told(double.pair, thresholds=QUIET)
    assert run.trace.thinking == "So."
    assert run.trace.answer == answer
    assert run.trace.stop is (StopReason.COMPLETE if answer else StopReason.EMPTY)


async def test_a_stream_that_ends_without_closing_the_thinking() -> None:
    async with scripted_pair([say("One.\n\nTwo."), say("It is 3.")]) as double:
        run = await told(double.pair, thresholds=QUIET)
        asked = double.srm.prompts[1]
    assert asked.endswith("<think>\nOne.\n\nTwo.\n</think>\n\n")
    assert run.trace.steps[-1].end is StepEnd.END_OF_STREAM
    assert run.order == "run begin text accept begin text accept answer done"
    assert run.trace.answer == "It is 3."
    assert run.trace.stop is StopReason.COMPLETE


ONE_OF_ALL = Thresholds(n=1, risk_model=RISK)


@pytest.mark.parametrize("method", sorted(methods()))
@pytest.mark.parametrize("silence", [[], [Said("")], [Said("\n\n")], [Said(" ")]])
async def test_silence_ends_a_run(method: str, silence: list[Said]) -> None:
    def silent(_: Body) -> Reply:
        return Reply(silence)

    scorer = PoolingScorer("http://127.0.0.1:1")  # nothing is written, so nothing is rated
    async with scripted_pair(silent, silent, scorer=scorer) as double:
        run = await asyncio.wait_for(told(double.pair, method=method, thresholds=ONE_OF_ALL), 5)
        assert len(double.srm.bodies) + len(double.lrm.bodies) <= 3
    assert run.trace.answer == ""
    assert run.trace.stop is StopReason.EMPTY


async def test_an_lrm_that_rewrites_nothing_ends_the_thinking() -> None:
    srm = [Reply(words("So sure.\n\n", SURE))]
    async with scripted_pair(srm, [Reply([]), say("It is 3.")]) as double:
        run = await asyncio.wait_for(told(double.pair, thresholds=Thresholds(n=0)), 5)
    assert run.authors == "(S)"
    assert run.trace.answer == "It is 3."


async def test_an_srm_step_at_the_end_of_its_stream_can_be_rewritten() -> None:
    srm = [Reply(words("So sure.", SURE))]
    async with scripted_pair(srm, [say("No: better." + END)]) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0))
    assert run.authors == "(S) L"
    assert run.trace.answer_author is Author.LRM

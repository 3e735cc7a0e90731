"""Models that go round in circles: handed over, and stopped where that does not help."""

from __future__ import annotations

import pytest

from tests.runs import told
from tests.scripted_server import chatter, say, scripted_pair
from trigreason.reasoning import StepEnd, StopReason, Thresholds, Trigger

STEP = "So the train has to leave at nine.\n\n"
CIRCLE = "and then we have to look at it again, "
END = "</think>\n\nIt is."
ASKING = Thresholds(n=0, rho=1, m=1)


async def test_a_repeated_step_brings_the_lrm_in() -> None:
    srm = [chatter(STEP * 2), say("Then it is late." + END)]
    async with scripted_pair(srm, [chatter("It leaves at ten instead.\n\n")]) as double:
        run = await told(double.pair, thresholds=ASKING)
    assert run.authors == "S S L S"
    assert run.trace.handovers_by_trigger == {Trigger.REPETITION: 1}
    assert run.trace.stop is StopReason.COMPLETE


async def test_a_step_that_repeats_itself_is_ended() -> None:
    srm = [chatter("Well, " + CIRCLE * 40), say("Then it is late." + END)]
    async with scripted_pair(srm, [chatter("It leaves at ten.\n\n")]) as double:
        run = await told(double.pair, thresholds=ASKING)
    first = run.trace.steps[0]
    assert first.end is StepEnd.REPETITION
    assert first.tokens < 80
    assert run.authors == "S L S"


@pytest.mark.parametrize("per_chunk", [1, 7, 500])
async def test_where_it_is_ended_hangs_on_no_chunks(per_chunk: int) -> None:
    srm = [say("Well, " + CIRCLE * 40, per_chunk=per_chunk), say("Then." + END)]
    async with scripted_pair(srm, [chatter("It leaves at ten.\n\n")]) as double:
        run = await told(double.pair, thresholds=ASKING)
    assert run.trace.steps[0].tokens == 47


@pytest.mark.parametrize(("method", "authors"), [("srm", "S S S S"), ("trigreason", "S S L S")])
async def test_a_run_that_goes_on_repeating_is_stopped(method: str, authors: str) -> None:
    circles = [chatter(STEP * 9)] * (1 if method == "srm" else 2)
    async with scripted_pair([*circles, say("At nine.")], [chatter(STEP)]) as double:
        run = await told(double.pair, method=method, thresholds=ASKING)
    assert (run.trace.stop, run.trace.limit) == (StopReason.CLOSED, "repetition")
    assert run.authors == authors
    assert run.trace.answer == "At nine."


@pytest.mark.parametrize(("text", "steps"), [(STEP * 9 + "So.", 10), (CIRCLE * 9, 1)])
async def test_the_guard_can_be_off(text: str, steps: int) -> None:
    async with scripted_pair([say(text + END)]) as double:
        run = await told(double.pair, method="srm", thresholds=Thresholds(repeats=0))
    assert len(run.trace.standing) == steps
    assert run.trace.stop is StopReason.COMPLETE

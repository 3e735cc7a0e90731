"""Methods that decide on how a step begins, over the scripted pair."""

from __future__ import annotations

import pytest

from tests.runs import told
from tests.scripted_server import chatter, say, scripted_pair
from trigreason.reasoning import Author, StepEnd, Thresholds, Trigger

END = "</think>\n\n"
UNSURE, SURE = -0.7, -0.001
GLIMPSE = Thresholds(entropy=0.5)


async def test_an_unsure_beginning_is_thrown_away_at_its_first_token() -> None:
    srm = [chatter("Hm that is hard"), say("Then 4." + END + "4", logprob=SURE)]
    async with scripted_pair(srm, [chatter("Two and two.\n\n")]) as double:
        run = await told(double.pair, method="glimprouter", thresholds=GLIMPSE)
    draft, rewritten, last = run.trace.steps
    assert (draft.text, draft.tokens, draft.end) == ("Hm", 1, StepEnd.OPENING)
    assert not draft.standing
    assert (rewritten.author, rewritten.trigger) == (Author.LRM, Trigger.METHOD)
    assert last.text == "Then 4."
    assert run.trace.answer == "4"
    assert double.srm.bodies[1]["prompt"].endswith("Two and two.\n\n")
    assert run.trace.fired_after(0) is Trigger.METHOD


async def test_a_sure_beginning_is_written_on_in_the_same_stream() -> None:
    sure = say("So 1.\n\nAnd 2." + END + "2", logprob=SURE)
    async with scripted_pair([sure], []) as double:
        run = await told(double.pair, method="glimprouter", thresholds=GLIMPSE)
    assert run.authors == "S S"
    assert len(double.srm.bodies) == 1
    assert run.trace.answer == "2"


@pytest.mark.parametrize("alternatives", [0, 20])
async def test_without_alternatives_nothing_is_unsure(alternatives: int) -> None:
    srm = [say("Hm.\n\n" + END + "2", logprob=UNSURE), say("So." + END + "2", logprob=SURE)]
    lrm = [say("So 2.\n\n", logprob=SURE)]
    async with scripted_pair(srm, lrm, alternatives=alternatives) as double:
        run = await told(double.pair, method="glimprouter", thresholds=GLIMPSE)
    assert bool(run.trace.drafts) is bool(alternatives)


async def test_a_cue_is_seen_before_the_step_is_over() -> None:
    srm = [chatter("Wait, is that really so? Let me think"), say("So 4." + END + "4")]
    async with scripted_pair(srm, [chatter("It is.\n\n")]) as double:
        run = await told(double.pair, method="speculative_thinking", thresholds=Thresholds(m=1))
    draft = run.trace.steps[0]
    assert (draft.tokens, draft.end) == (8, StepEnd.OPENING)
    assert run.trace.answer == "4"


async def test_a_step_that_is_over_before_the_glance_is_decided_at_its_end() -> None:
    srm = [say("Wait.\n\n" + "So 4." + END + "4"), say("So 5." + END + "5")]
    async with scripted_pair(srm, [chatter("Yes.\n\n")]) as double:
        run = await told(double.pair, method="speculative_thinking", thresholds=Thresholds(m=1))
    assert [step.end for step in run.trace.drafts] == [StepEnd.BLANK_LINE]
    assert run.trace.answer == "5"

"""Methods that decide on how a step begins, over the scripted pair."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.runs import told
from tests.scripted_server import chatter, say, scripted_pair
from trigreason.engines.base import NoLogprobs, Request, TokenStream
from trigreason.engines.completions import CompletionsEngine
from trigreason.reasoning import Author, StepEnd, Thresholds, Token, Trigger

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


async def test_without_alternatives_the_method_is_refused_up_front() -> None:
    async with scripted_pair(alternatives=0) as double:
        with pytest.raises(NoLogprobs, match=r"GlimpRouter needs them.*alternatives of the pair"):
            await told(double.pair, method="glimprouter", thresholds=GLIMPSE)
        assert not double.srm.bodies


class Bare(CompletionsEngine):
    """A server that returns the logprob of each token and no other token's."""

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[Any]:
        async with super().send(request) as stream:
            yield _BareStream(stream)


class _BareStream:
    def __init__(self, stream: TokenStream) -> None:
        self._stream = stream
        self.finish, self.usage = stream.finish, stream.usage

    async def __aiter__(self) -> AsyncIterator[list[Token]]:
        async for tokens in self._stream:
            yield [replace(token, top=()) for token in tokens]


async def test_a_server_that_sends_no_alternatives_is_found_out() -> None:
    async with scripted_pair([chatter("So")]) as double:
        bare = Bare(double.srm.url, "small")
        pair = replace(double.pair, srm=bare)
        with pytest.raises(NoLogprobs, match="GlimpRouter needs them"):
            await told(pair, method="glimprouter", thresholds=GLIMPSE)
        await bare.close()
    assert not double.lrm.bodies


async def test_a_cue_is_seen_before_the_step_is_over() -> None:
    srm = [chatter("Wait, is that really so? Let me think"), say("So 4." + END + "4")]
    async with scripted_pair(srm, [chatter("It is.\n\n")]) as double:
        run = await told(double.pair, method="speculative_thinking", thresholds=Thresholds(m=1))
    draft = run.trace.steps[0]
    assert (draft.tokens, draft.end) == (8, StepEnd.OPENING)
    assert run.trace.answer == "4"


async def test_the_srm_writes_behind_its_switch_cues_alone() -> None:
    hard = chatter("Let us think about this for quite a while, it is hard")
    srm = [hard, say("So it is 4." + END + "4")]
    async with scripted_pair(srm, [chatter("Two and two.\n\n"), chatter("Four.\n\n")]) as double:
        run = await told(double.pair, method="relaygen", thresholds=Thresholds(cues=("so",)))
    (draft,) = run.trace.drafts
    assert (draft.author, draft.tokens, draft.end) == (Author.SRM, 8, StepEnd.OPENING)
    assert [step.text for step in run.trace.standing] == [
        "Two and two.\n\n",
        "Four.\n\n",
        "So it is 4.",
    ]
    assert run.authors == "L (S) L S"
    assert run.trace.answer == "4"


async def test_a_step_that_is_over_before_the_glance_is_decided_at_its_end() -> None:
    srm = [say("Wait.\n\n" + "So 4." + END + "4"), say("So 5." + END + "5")]
    async with scripted_pair(srm, [chatter("Yes.\n\n")]) as double:
        run = await told(double.pair, method="speculative_thinking", thresholds=Thresholds(m=1))
    assert [step.end for step in run.trace.drafts] == [StepEnd.BLANK_LINE]
    assert run.trace.answer == "5"

"""The loop over scripted models: who writes what, what is released when, what is asked for."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import soon
from tests.runs import told
from tests.scripted_server import (
    SURE,
    Body,
    Reply,
    Said,
    Shape,
    chatter,
    say,
    scripted_pair,
    words,
)
from trigreason.engines.base import Sampling
from trigreason.events import HandedOver, StepAccepted, ThinkingText
from trigreason.pairs import JudgePrompt
from trigreason.reasoning import (
    THINK_TAGS,
    Author,
    Message,
    Prices,
    Purpose,
    StepEnd,
    StopReason,
    Thresholds,
    Trigger,
)

BOTH_SHAPES = pytest.mark.parametrize("shape", ["chat", "legacy"])
END = "</think>\n\nIt is 3."
ONE_PRIMING = Thresholds(n=1)


# The four methods


@pytest.mark.parametrize("method", ["srm", "lrm"])
@BOTH_SHAPES
async def test_solo_is_one_request(method: str, shape: Shape) -> None:
    script = [say("First.\n\nSecond.\n\nThird." + END)]
    async with scripted_pair(srm=script, lrm=script, shape=shape) as double:
        run = await told(double.pair, method=method)
    assert run.trace.thinking == "First.\n\nSecond.\n\nThird."
    assert run.trace.answer == "It is 3."
    assert [step.end for step in run.trace.steps][-1] is StepEnd.END_OF_THINKING
    assert run.trace.stop is StopReason.COMPLETE
    assert [stretch.author for stretch in run.trace.stretches] == [Author(method)]
    assert run.trace.smt == (1 if method == "srm" else 0)
    assert set(run.trace.models) == {Author(method)}


@BOTH_SHAPES
async def test_trigreason_all_three_triggers(shape: Shape) -> None:
    lrm = [chatter("Plan.\n\nGo.\n\n"), chatter("Better.\n\n"), chatter("Settled.\n\n")]
    srm = [
        Reply(
            [*words("Fine.\n\n"), *words("Sure thing.\n\n", SURE), *words(" on" * 99)], pause=0.005
        ),
        chatter("Wait.\n\nHmm.\n\n"),
        say("Done." + END),
    ]
    async with scripted_pair(srm, lrm, shape) as double:
        run = await told(double.pair, thresholds=Thresholds(n=2))
    assert run.authors == "L L S (S) L S S L S"
    assert run.trace.thinking == (
        "Plan.\n\nGo.\n\nFine.\n\nBetter.\n\nWait.\n\nHmm.\n\nSettled.\n\nDone."
    )
    triggers = [each.trigger for each in run.events if isinstance(each, HandedOver)]
    assert triggers == [
        Trigger.STRATEGIC_PRIMING,
        None,
        Trigger.COGNITIVE_OFFLOAD,
        None,
        Trigger.INTERVENTION_REQUEST,
        None,
    ]
    assert run.trace.handovers_by_trigger == dict.fromkeys(
        [
            Trigger.STRATEGIC_PRIMING,
            Trigger.COGNITIVE_OFFLOAD,
            Trigger.INTERVENTION_REQUEST,
        ],
        1,
    )
    assert run.trace.answer_author is Author.SRM


async def test_specreason() -> None:
    srm = [chatter("Good.\n\nBad.\n\n"), say("End." + END)]
    lrm = [say("8"), say("3"), chatter("Better.\n\n"), say("9")]
    async with scripted_pair(srm, lrm) as double:
        run = await told(double.pair, method="specreason")
        bodies = double.lrm.bodies
    assert run.authors == "S (S) L S"
    assert [step.score for step in run.trace.steps] == [8, 3, None, 9]
    judged = [body for body in bodies if body["logprobs"] == 10]
    assert len(judged) == 3
    assert all(body["temperature"] == 0 and body["max_tokens"] == 3 for body in judged)
    assert judged[1]["prompt"].count("<think>") == 2, "the thinking judged, and the judge's own"
    assert "Good.\n\nBad." in judged[1]["prompt"]
    assert run.trace.use(Author.LRM).judge_tokens == 3


async def test_a_judge_that_writes_a_blank_first() -> None:
    lrm = [Reply([Said("\n"), Said(" 9")])]
    async with scripted_pair([say("Good.\n\nEnd." + END)], [*lrm, say("9")]) as double:
        run = await told(double.pair, method="specreason")
    assert [step.score for step in run.trace.steps][:1] == [9]
    assert run.trace.unreadable_scores == 0


async def test_what_a_judge_writes_behind_its_score_is_unused() -> None:
    lrm = [say("9 of 9", per_chunk=3)] * 2
    async with scripted_pair([say("Good.\n\nEnd." + END)], lrm) as double:
        run = await told(double.pair, method="specreason")
    use = run.trace.use(Author.LRM)
    assert (use.completion_tokens, use.judge_tokens, use.unused_tokens) == (6, 2, 4)


async def test_an_unreadable_score_counts_as_zero() -> None:
    lrm = [say("maybe"), chatter("Better.\n\n"), Reply([])]
    async with scripted_pair([chatter("Bad.\n\n"), say("End." + END)], lrm) as double:
        double.lrm.script = [*lrm, say("Last." + END)]
        run = await told(double.pair, method="specreason")
    assert [step.score for step in run.trace.steps] == [0, None, 0, None]
    assert run.trace.unreadable_scores == 2


# Handovers


@pytest.mark.parametrize("step", ["So.", "So.\n", "So. \n \n"])
def test_the_judge_is_shown_a_whole_step(step: str) -> None:
    prefix = JudgePrompt().prefix((), "Well.\n\n", step, THINK_TAGS)
    assert prefix.messages[0].content == "<think>\nWell.\n\nSo.\n\n"


async def test_a_handover_closes_the_stream_upstream() -> None:
    async with scripted_pair([say("Fine." + END)], [chatter("Plan.\n\n")]) as double:
        run = await told(double.pair, thresholds=ONE_PRIMING)
        assert await soon(lambda: double.lrm.disconnects == 1)
        assert double.open_streams == 0
    assert run.trace.use(Author.LRM).completion_tokens < 100


async def test_a_rewrite_continues_without_the_draft() -> None:
    srm = [Reply([*words("Kept.\n\n"), *words("So sure.\n\n", SURE)]), say("End." + END)]
    async with scripted_pair(srm, [chatter("Instead.\n\n")]) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0))
        [rewrite], [_, again] = double.lrm.prompts, double.srm.prompts
    assert rewrite.endswith("<think>\nKept.\n\n")
    assert again.endswith("<think>\nKept.\n\nInstead.\n\n")
    assert run.trace.drafts[0].text == "So sure.\n\n"
    assert run.trace.use(Author.SRM).draft_tokens == 3


async def test_srm_text_is_released_only_when_its_step_stands() -> None:
    srm = [Reply([*words("Kept one.\n\n"), *words("So sure.\n\n", SURE)]), say("End." + END)]
    async with scripted_pair(srm, [chatter("In stead.\n\n")]) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0))
    assert run.order == (
        "run begin text accept begin drop hand begin text accept hand begin text accept answer done"
    )
    srm_texts = [
        each.text
        for each in run.events
        if isinstance(each, ThinkingText) and each.author is Author.SRM
    ]
    assert srm_texts == ["Kept one.\n\n", "End."]
    lrm_texts = [
        each.text
        for each in run.events
        if isinstance(each, ThinkingText) and each.author is Author.LRM
    ]
    assert len(lrm_texts) > 1, "an LRM step is released as it is written"


@pytest.mark.parametrize("method", ["srm", "lrm"])
async def test_what_cannot_be_taken_back_is_released_as_it_comes(method: str) -> None:
    script = [say("One two three four." + END, pause=0.01)]
    async with scripted_pair(script, script) as double:
        run = await told(double.pair, method=method)
    first_accept = next(i for i, each in enumerate(run.events) if isinstance(each, StepAccepted))
    texts_before = [each for each in run.events[:first_accept] if isinstance(each, ThinkingText)]
    assert len(texts_before) >= 4


# What is sent


async def test_sampling_is_sent_in_full_and_seeds_differ() -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, top_k=20, min_p=0.01, seed=100)
    srm = [Reply(words("So sure.\n\n", SURE)), say("End." + END)]
    async with scripted_pair(srm, [chatter("Plan.\n\n"), chatter("Better.\n\n")]) as double:
        await told(double.pair, thresholds=ONE_PRIMING, sampling=sampling)
        bodies = [*double.srm.bodies, *double.lrm.bodies]
    for body in bodies:
        sent = [body[name] for name in ("temperature", "top_p", "top_k", "min_p")]
        assert sent == [0.7, 0.9, 20, 0.01]
    seeds = [body["seed"] for body in bodies]
    assert len(set(seeds)) == 4
    assert set(seeds) == {sampling.for_turn(turn).seed for turn in range(1, 5)}


async def test_a_conversation_is_asked_as_it_stands() -> None:
    turns = (Message("system", "Be brief."), Message("user", "Why?"))
    async with scripted_pair([say("So." + END)]) as double:
        await told(double.pair, turns, method="srm")
        [prompt] = double.srm.prompts
    assert prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n"
    )


@pytest.mark.parametrize("question", ["", "  \n"])
async def test_an_empty_question(question: str) -> None:
    async with scripted_pair() as double:
        with pytest.raises(ValueError, match="the question is empty"):
            await told(double.pair, question)
        assert not double.srm.bodies


async def test_an_unknown_method() -> None:
    async with scripted_pair() as double:
        with pytest.raises(ValueError, match="no method is called 'magic'"):
            await told(double.pair, method="magic")


# Accounts


async def test_requests_are_entered_with_purpose_and_tokens() -> None:
    srm = [say("Good.\n\nEnd."), say("It is 3.")]
    lrm = [say("8"), say("9")]
    prices = {Author.SRM: Prices(1.0, 2.0), Author.LRM: Prices(10.0, 20.0)}
    async with scripted_pair(srm, lrm, prices=prices) as double:
        run = await told(double.pair, method="specreason")
    trace = run.trace
    assert [stretch.purpose for stretch in trace.stretches] == [
        Purpose.WRITE,
        Purpose.JUDGE,
        Purpose.JUDGE,
        Purpose.ANSWER,
    ]
    assert [stretch.completion_tokens for stretch in trace.stretches] == [3, 1, 1, 3]
    assert trace.stretches[0].prompt_tokens == len(double.srm.prompts[0])
    assert all(stretch.first_token_seconds is not None for stretch in trace.stretches)
    assert trace.usd is not None
    assert trace.usd > 0


# Many at once


async def test_twenty_runs_on_one_pair_do_not_mix() -> None:
    def echo(body: Body) -> Reply:
        number = body["prompt"].split("number ")[1].split("<")[0]
        if body["prompt"].endswith("<think>\n"):
            return chatter(f"Plan {number}.\n\n", pause=0.002)
        return say(f"Step {number}.\n\nEnd {number}.</think>\n\nAnswer {number}.", pause=0.002)

    async with scripted_pair(echo, echo) as double:
        runs = await asyncio.gather(
            *(told(double.pair, f"number {i}", thresholds=ONE_PRIMING) for i in range(20))
        )
        assert await soon(lambda: double.open_streams == 0)
    for i, run in enumerate(runs):
        assert run.trace.thinking == f"Plan {i}.\n\nStep {i}.\n\nEnd {i}."
        assert run.trace.answer == f"Answer {i}."

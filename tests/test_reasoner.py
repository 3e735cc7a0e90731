"""The loop over scripted models: who writes what, what is released when, what is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.conftest import soon
from tests.runs import GREEDY, QUIET, told
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
from trigreason.engines.base import Capabilities, LogprobScale, NoLogprobs, Sampling
from trigreason.events import HandedOver, StepAccepted, ThinkingText
from trigreason.pairs import JudgePrompt
from trigreason.reasoning import (
    THINK_TAGS,
    Alternative,
    Author,
    Message,
    Prices,
    Purpose,
    StepEnd,
    StopReason,
    Thresholds,
    Token,
    Trigger,
    methods,
)
from trigreason.running.rescale import Rescale

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


# Where the thinking ends


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


@pytest.mark.parametrize("method", sorted(methods()))
@pytest.mark.parametrize("silence", [[], [Said("")], [Said("\n\n")], [Said(" ")]])
async def test_silence_ends_a_run(method: str, silence: list[Said]) -> None:
    def silent(_: Body) -> Reply:
        return Reply(silence)

    async with scripted_pair(silent, silent) as double:
        run = await asyncio.wait_for(told(double.pair, method=method, thresholds=ONE_PRIMING), 5)
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


# Probabilities


async def test_without_logprobs_the_offload_is_refused_up_front() -> None:
    blind = Capabilities(logprobs=False)
    async with scripted_pair(capabilities=blind) as double:
        with pytest.raises(NoLogprobs, match="--rho 1"):
            await told(double.pair)
        assert not double.srm.bodies
        assert not double.lrm.bodies


async def test_an_srm_without_logprobs_is_found_out() -> None:
    async with scripted_pair([say("So.\n\n")], shape="none") as double:
        with pytest.raises(NoLogprobs, match="rho = 1"):
            await told(double.pair, thresholds=Thresholds(n=0))


async def test_an_srm_that_no_longer_sends_logprobs_is_not_taken_to_be_away() -> None:
    def once_with(_: Body) -> Reply:
        asked = len(double.srm.bodies)
        double.srm.shape = "chat" if asked == 1 else "none"
        return Reply(words("So very sure.\n\n", SURE))

    lrm = [chatter("Better.\n\n"), say("Alone." + END)]
    async with scripted_pair(once_with, lrm) as double:
        with pytest.raises(NoLogprobs):
            await told(double.pair, thresholds=Thresholds(n=0))


async def test_models_that_send_no_logprobs_do_where_nothing_hangs_on_them() -> None:
    srm = [say("Wait.\n\nHmm.\n\n"), say("End." + END)]
    async with scripted_pair(srm, [say("Ok.\n\n")], "none") as double:
        run = await told(double.pair, thresholds=Thresholds(n=0, rho=1))
    assert run.authors == "S S L S"


async def test_the_lrm_needs_no_logprobs() -> None:
    async with scripted_pair([say("So." + END)], [say("A plan.\n\n")]) as double:
        double.lrm.shape = "none"
        run = await told(double.pair, thresholds=ONE_PRIMING)
    assert run.authors == "L S"


async def test_without_logprobs_and_without_the_offload() -> None:
    blind = Capabilities(logprobs=False)
    srm = [say("Wait.\n\nHmm.\n\n"), say("End." + END)]
    async with scripted_pair(srm, [say("Ok.\n\n")], "none", blind) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0, rho=1))
        assert all("logprobs" not in body for body in double.srm.bodies)
    assert run.authors == "S S L S"
    assert all(step.logprobs == () and step.ratio is None for step in run.trace.steps)


@pytest.mark.parametrize(
    ("reported", "wanted", "expected"),
    [
        (LogprobScale.RAW, LogprobScale.RAW, -0.25),
        (LogprobScale.SAMPLING, LogprobScale.SAMPLING, -0.25),
        (LogprobScale.RAW, LogprobScale.SAMPLING, -7.485e-5),
        (LogprobScale.SAMPLING, LogprobScale.RAW, -0.0888),
    ],
)
async def test_logprobs_are_moved_to_the_pairs_scale(
    reported: LogprobScale, wanted: LogprobScale, expected: float
) -> None:
    """At temperature 0.5: p = e^-0.25 beside e^-5, squared or rooted, and normalised."""
    told_on = Capabilities(logprob_scale=reported)
    script = [say("So it is." + END, logprob=-0.25)]
    async with scripted_pair(
        script, capabilities=told_on, logprob_scale=wanted, alternatives=0
    ) as double:
        run = await told(
            double.pair, method="srm", sampling=Sampling(temperature=0.5), thresholds=QUIET
        )
        asked = double.srm.bodies[0]["logprobs"]
    [step] = run.trace.steps
    assert step.logprobs[0] == pytest.approx(expected, rel=0.05)
    assert step.ratio == (1 if expected > -0.0488 else 0), "tau = 1.05 is a logprob of -0.0488"
    assert asked == (1 if reported is wanted else 20)


@pytest.mark.parametrize("alternatives", [20, 1, 0])
async def test_a_trace_keeps_what_else_the_srm_could_have_said(alternatives: int) -> None:
    script = [say("So.\n\n", logprob=-0.25)], [say("It is." + END, logprob=-0.5)]
    async with scripted_pair(*script, alternatives=alternatives) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0, tau=2, rho=0, m=0))
        asked = [server.bodies[0]["logprobs"] for server in (double.srm, double.lrm)]
    draft, rewritten = run.trace.steps
    assert asked == [max(1, alternatives), 1]
    assert set(draft.top) == ({(-0.25, -5.0)} if alternatives else set())
    assert not rewritten.top


def test_a_token_without_alternatives_has_no_logprob_on_another_scale() -> None:
    sampled = Capabilities(logprob_scale=LogprobScale.SAMPLING)
    moved = Rescale(sampled, LogprobScale.RAW, temperature=0.5)
    [lone, beside] = moved([Token("a", -0.25), Token("a", -0.25, top=(Alternative("a", -0.25),))])
    assert lone.logprob is None
    assert beside.logprob is not None


async def test_greedy_logprobs_stay_as_they_are() -> None:
    told_on = Capabilities(logprob_scale=LogprobScale.SAMPLING)
    async with scripted_pair([say("So." + END, -0.25)], capabilities=told_on) as double:
        run = await told(double.pair, method="srm", sampling=GREEDY)
    assert set(run.trace.steps[0].logprobs) == {-0.25}


@BOTH_SHAPES
async def test_sentinels_are_counted_and_left_out(shape: Shape) -> None:
    tokens = [Said("So", SURE), Said(" x", None), Said(" y", None), *words(END)]
    async with scripted_pair([Reply(tokens)], shape=shape) as double:
        run = await told(double.pair, method="srm")
    [step] = run.trace.steps
    assert step.without_probability == 2
    assert step.ratio == pytest.approx(0.5)


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

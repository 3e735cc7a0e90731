"""Budgets are hard limits: thinking tokens, steps, step tokens, answer tokens, seconds, context."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from time import perf_counter
from typing import Any

import pytest

from tests.conftest import soon
from tests.runs import QUIET, told
from tests.scripted_server import SURE, Reply, Said, chatter, say, scripted_pair, words
from trigreason.budget import Budget
from trigreason.engines.base import ContextTooLong
from trigreason.events import Done
from trigreason.failure import FailurePolicy
from trigreason.reasoner import reason
from trigreason.reasoning import Author, StepEnd, StopReason, Thresholds

END = "</think>\n\nIt is 3."
SLACK = 16


@pytest.mark.parametrize("room", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("per_chunk", [1, 4, 99])
async def test_thinking_tokens_are_exact(room: int, per_chunk: int) -> None:
    """a b \\n\\n c d \\n\\n e: seven tokens, and the budget cuts after each."""
    script = [say("a b\n\nc d\n\ne f g" + END, per_chunk=per_chunk), say("It is 3.")]
    async with scripted_pair(script) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(thinking_tokens=room))
        asked = double.srm.prompts[1]
    assert run.trace.thinking_tokens == room
    assert run.trace.stop is StopReason.CLOSED
    assert run.trace.limit == "thinking_tokens"
    assert asked.endswith("</think>\n\n")
    assert asked.count("</think>") == 1
    assert run.trace.answer == "It is 3."


async def test_half_a_tag_where_the_budget_ends_is_written_anew() -> None:
    half = Reply([Said("a"), Said(" b"), Said("</"), Said("thi"), Said("s"), Said(">")])
    async with scripted_pair([half, say(" c d e"), say("It is 3.")]) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(thinking_tokens=4))
    assert (run.trace.thinking, run.trace.thinking_tokens) == ("a b c d", 4)
    assert run.trace.limit == "thinking_tokens"


async def test_thinking_that_closes_with_its_last_token_is_complete() -> None:
    async with scripted_pair([say("a b" + END)]) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(thinking_tokens=3))
    assert run.trace.thinking == "a b"
    assert run.trace.stop is StopReason.COMPLETE
    assert run.trace.limit is None


async def test_drafts_come_on_top_of_the_thinking_budget() -> None:
    srm = [Reply(words("So very sure.\n\n", SURE)), say("c d e f" + END), say("It is 3.")]
    async with scripted_pair(srm, [chatter("a b\n\n")]) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0), budget=Budget(thinking_tokens=5))
    assert run.authors == "(S) L S"
    assert run.trace.thinking_tokens == 5
    assert run.trace.thinking == "a b\n\nc d"


async def test_the_open_step_is_cut_off_and_no_method_asked() -> None:
    script = [Reply(words("So very sure of it.\n\n", SURE)), say("It is 3.")]
    async with scripted_pair(script) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0), budget=Budget(thinking_tokens=4))
    [step] = run.trace.steps
    assert (step.end, step.standing, step.text) == (StepEnd.CUT_OFF, True, "So very sure of")


@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_steps(steps: int) -> None:
    script = [chatter("a\n\nb\n\nc\n\nd\n\n"), say("It is 3.")]
    async with scripted_pair(script) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(steps=steps))
        assert await soon(lambda: double.open_streams == 0)
    assert len(run.trace.standing) == steps
    assert (run.trace.stop, run.trace.limit) == (StopReason.CLOSED, "steps")
    assert run.trace.answer == "It is 3."


async def test_drafts_come_on_top_of_the_steps() -> None:
    srm = [Reply(words("So very sure.\n\n", SURE)), say("c d\n\ne f\n\ng"), say("It is 3.")]
    async with scripted_pair(srm, [chatter("a b\n\n")]) as double:
        run = await told(double.pair, thresholds=Thresholds(n=0), budget=Budget(steps=2))
    assert run.authors == "(S) L S"
    assert (run.trace.stop, run.trace.limit) == (StopReason.CLOSED, "steps")


async def test_step_tokens() -> None:
    script = [say("a b c d e f g" + END)]
    async with scripted_pair(script) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(step_tokens=3))
    assert [step.tokens for step in run.trace.steps] == [3, 3, 1]
    assert [step.end for step in run.trace.steps] == [
        StepEnd.TOKEN_LIMIT,
        StepEnd.TOKEN_LIMIT,
        StepEnd.END_OF_THINKING,
    ]


@pytest.mark.parametrize("per_chunk", [1, 99])
@pytest.mark.parametrize("closes", [True, False])
async def test_answer_tokens(closes: bool, per_chunk: int) -> None:
    """Whether the answer comes in the same stream or in one of its own."""
    answer = "one two three four five"
    script = (
        [say(f"a.</think> {answer}", per_chunk=per_chunk)]
        if closes
        else [say("a.", per_chunk=per_chunk), say(answer, per_chunk=per_chunk)]
    )
    async with scripted_pair(script) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(answer_tokens=3))
        assert await soon(lambda: double.open_streams == 0)
    assert run.trace.answer == "one two three"
    assert run.trace.answer_tokens == 3
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "answer_tokens")


@pytest.mark.parametrize("per_chunk", [1, 99])
async def test_answer_tokens_of_a_server_that_does_not_keep_to_them(per_chunk: int) -> None:
    answer = Reply(words("one two" + " more" * 200), per_chunk=per_chunk, exceeds=True)
    async with scripted_pair([say("a."), answer]) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(answer_tokens=3))
        assert await soon(lambda: double.open_streams == 0)
    assert (run.trace.answer, run.trace.answer_tokens) == ("one two more", 3)
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "answer_tokens")


@pytest.mark.slow
async def test_seconds_with_a_consumer_slower_than_the_model() -> None:
    """Tokens are always there already, so that nothing is ever waited for."""
    async with scripted_pair([chatter(pause=0.001)]) as double:
        how: dict[str, Any] = {"thresholds": QUIET, "budget": Budget(seconds=0.3)}
        async with aclosing(reason(double.pair, "Why?", **how)) as events:
            begun = perf_counter()
            async for event in events:
                await asyncio.sleep(0.05)
                last = event
        assert perf_counter() - begun < 1
    assert isinstance(last, Done)
    assert (last.trace.stop, last.trace.limit) == (StopReason.TRUNCATED, "seconds")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("srm", "thinking", "answer"),
    [
        ([Reply([], then="stall")], "", ""),
        ([say("a\n\nb c", then="stall")], "a\n\nb c", ""),
        ([say("a</think>\n\nIt is", then="stall")], "a", "It is"),
        ([say("a"), say("It is", then="stall")], "a", "It is"),
        ([chatter()], None, ""),
    ],
)
async def test_seconds(srm: list[Reply], thinking: str | None, answer: str) -> None:
    async with scripted_pair(srm) as double:
        begun = perf_counter()
        run = await told(double.pair, thresholds=QUIET, budget=Budget(seconds=0.3))
        assert 0.25 < perf_counter() - begun < 1.5
        assert await soon(lambda: double.open_streams == 0)
    assert thinking is None or run.trace.thinking == thinking
    assert run.trace.answer == answer
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "seconds")


@pytest.mark.slow
@pytest.mark.parametrize("per_chunk", [1, 99])
async def test_seconds_spent_with_the_judge(per_chunk: int) -> None:
    """The step under judgement was written and is not lost."""
    srm = [say("Good.\n\nBad.\n\nMore", per_chunk=per_chunk, then="stall")]
    async with scripted_pair(srm, [say("9"), Reply([], then="stall")]) as double:
        run = await told(double.pair, method="specreason", budget=Budget(seconds=0.3))
        assert await soon(lambda: double.open_streams == 0)
    assert run.trace.thinking.startswith("Good.\n\nBad.\n\n")
    assert run.trace.steps[-1].end is StepEnd.CUT_OFF
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "seconds")


FULL = Reply([], status=400, error="This model's maximum context length is 9 tokens")


async def test_a_full_context_truncates() -> None:
    async with scripted_pair([say("a\n\nb c", then="length"), FULL]) as double:
        run = await told(double.pair, thresholds=QUIET)
    assert run.trace.thinking == "a\n\nb c"
    assert run.trace.steps[-1].end is StepEnd.CUT_OFF
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "context")


async def test_of_two_limits_the_first_is_named() -> None:
    async with scripted_pair([say("a b", then="length"), say("It is.")]) as double:
        run = await told(double.pair, thresholds=QUIET, budget=Budget(steps=1))
    assert (run.trace.stop, run.trace.limit) == (StopReason.CLOSED, "steps")


async def test_a_server_that_counts_more_tokens_than_arrive_still_answers() -> None:
    srm = [say("a\n\nb c", then="length"), say("It is.")]
    async with scripted_pair(srm) as double:
        run = await told(double.pair, thresholds=QUIET)
    assert run.trace.answer == "It is."
    assert (run.trace.stop, run.trace.limit) == (StopReason.CLOSED, "context")


async def test_an_answer_in_thinking_that_was_cut_off_is_asked_for_all_the_same() -> None:
    srm = [say("It may be \\boxed{3} if", then="length"), say("It is 4.")]
    async with scripted_pair(srm) as double:
        run = await told(double.pair, thresholds=QUIET)
    assert run.trace.answer == "It is 4."


async def test_a_question_that_does_not_fit_fails() -> None:
    async with scripted_pair([FULL]) as double:
        with pytest.raises(ContextTooLong):
            await told(double.pair, thresholds=QUIET)


async def test_a_context_that_is_full_for_the_judge() -> None:
    srm = [chatter("Good.\n\nBad.\n\n")]
    async with scripted_pair(srm, [say("9"), FULL]) as double:
        run = await told(double.pair, method="specreason")
    assert [step.end for step in run.trace.steps] == [StepEnd.BLANK_LINE, StepEnd.CUT_OFF]
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "context")


@pytest.mark.parametrize(
    "srm", [[say("a</think>It is", then="length")], [say("a"), say("It is", then="length")]]
)
async def test_a_context_that_fills_with_the_answer(srm: list[Reply]) -> None:
    async with scripted_pair(srm) as double:
        run = await told(double.pair, thresholds=QUIET)
    assert run.trace.answer == "It is"
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "context")


async def test_a_context_that_is_full_at_a_handover() -> None:
    async with scripted_pair([FULL], [chatter("a b\n\n")]) as double:
        run = await told(double.pair, thresholds=replace(QUIET, n=1))
    assert run.trace.thinking == "a b\n\n"
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "context")


async def test_the_server_is_told_how_much_room_there_is() -> None:
    budget = Budget(thinking_tokens=100, answer_tokens=10)
    async with scripted_pair([say("a b\n\nc d.")], [chatter("x y z\n\n")]) as double:
        double.srm.script = [say("a b."), say("It is 3.")]
        await told(double.pair, thresholds=replace(QUIET, n=1), budget=budget)
        room = [body["max_tokens"] for body in (*double.lrm.bodies, *double.srm.bodies)]
    assert room == [110, 96 + 10, 10]


@pytest.mark.parametrize(("steps", "room"), [(1, 9 + SLACK), (2, 2 * (9 + SLACK)), (50, 100)])
async def test_steps_that_are_counted_bound_the_room(steps: int, room: int) -> None:
    """A step may outgrow its limit until a character or a tag is whole."""
    budget = Budget(thinking_tokens=100, answer_tokens=10, step_tokens=9)
    async with scripted_pair([], [say("a b.</think>It is 3.")]) as double:
        await told(double.pair, thresholds=replace(QUIET, n=steps), budget=budget)
        [asked] = double.lrm.bodies
    assert asked["max_tokens"] == room + 10


async def test_what_broke_off_takes_room() -> None:
    budget = Budget(thinking_tokens=100, answer_tokens=10)
    srm = [say("a b\n\nc d e", then="break"), say(" f" + END)]
    at_once = FailurePolicy(backoff_seconds=0)
    async with scripted_pair(srm, failure=at_once) as double:
        await told(double.pair, thresholds=QUIET, budget=budget)
        room = [body["max_tokens"] for body in double.srm.bodies]
    assert room == [110, 110 - 6]


async def test_the_answer_comes_from_the_last_author() -> None:
    async with scripted_pair([], [chatter("a b\n\n"), say("It is 3.")]) as double:
        run = await told(double.pair, thresholds=replace(QUIET, n=1), budget=Budget(steps=1))
    assert run.trace.answer_author is Author.LRM

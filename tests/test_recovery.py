"""Failures that pass, failures that do not, and what a run makes of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.runs import QUIET, told
from tests.scripted_server import Double, Reply, Said, Script, chatter, say, scripted_pair
from tests.test_reasoner_failures import nothing_left
from trigreason.budget import Budget
from trigreason.engines.base import (
    EngineError,
    EngineFailed,
    EngineResting,
    EngineUnreachable,
    PromptRefused,
    Request,
    Usage,
)
from trigreason.engines.breaker import Breaker
from trigreason.engines.completions import CompletionsEngine
from trigreason.events import WentOnAlone
from trigreason.failure import Away, FailurePolicy
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Degraded, Message, StepEnd, StopReason, Thresholds, Token

QUICK = FailurePolicy(retries=2, backoff_seconds=0.001)
END = "</think>\n\nIt is."
DOWN = Reply([], status=503)
TORN: dict[str, Any] = {"then": "break"}


async def answered(srm: Script, lrm: Script = (), method: str = "srm", **how: Any) -> Any:
    """A run over scripts, and the double it ran on."""
    thresholds = how.pop("thresholds", QUIET)
    budget = how.pop("budget", None)
    async with scripted_pair(srm, lrm, failure=QUICK, **how) as double, nothing_left(double):
        return await told(double.pair, method=method, thresholds=thresholds, budget=budget), double


def behind_think(double: Double, model: Author = Author.SRM) -> list[str]:
    """What each prompt held of the assistant's turn."""
    server = double.srm if model is Author.SRM else double.lrm
    return [prompt.partition("<think>\n")[2] for prompt in server.prompts]


async def test_a_step_goes_on_where_it_broke_off() -> None:
    run, double = await answered([say("a b\n\nc d", **TORN), say(" e\n\nf" + END)])
    assert [step.text for step in run.trace.standing] == ["a b\n\n", "c d e\n\n", "f"]
    assert behind_think(double) == ["", "a b\n\nc d"]
    assert double.srm.bodies[0]["seed"] == double.srm.bodies[1]["seed"]
    assert run.trace.stop is StopReason.COMPLETE
    assert run.trace.stretches[0].failed
    assert run.trace.stretches[0].unused_tokens == 0


async def test_an_answer_goes_on_where_it_broke_off() -> None:
    run, double = await answered([say("a</think>\n\nIt", **TORN), say(" is 5.")])
    assert run.trace.answer == "It is 5."
    assert run.trace.answer_by == {Author.SRM: 4}
    assert behind_think(double) == ["", "a</think>\n\nIt"]


async def test_an_answer_of_its_own_request_goes_on() -> None:
    run, double = await answered([say("a"), say("It", **TORN), DOWN, say(" is.")])
    assert run.trace.answer == "It is."
    assert behind_think(double) == ["", "a\n</think>\n\n", *["a\n</think>\n\nIt"] * 2]


async def test_the_judge_is_asked_again() -> None:
    judged = [say("9"), DOWN, say("9")]
    run, _ = await answered([say("a\n\nb\n\nc" + END)], [*judged, say("9")], "specreason")
    assert [step.score for step in run.trace.steps] == [9, 9, 9]
    assert len(run.trace.stretches) == 1 + 4


async def test_attempts_count_anew_after_every_token() -> None:
    torn = [say("a\n\n", **TORN) for _ in range(6)]
    run, _ = await answered([*torn, say("b" + END)])
    assert len(run.trace.standing) == 7


@pytest.mark.parametrize("closes", [True, False])
async def test_the_srm_goes_on_alone(closes: bool) -> None:
    srm = [say("b\n\nc" + END)] if closes else [say("b\n\nc"), say("It is.")]
    run, double = await answered(srm, [DOWN] * 3, "trigreason", thresholds=Thresholds(n=2))
    assert run.trace.degraded == Degraded(
        Author.LRM, 0, "the server failed with status 503 (as told)"
    )
    assert run.authors == "S S"
    assert run.trace.answer == "It is."
    assert run.trace.stop is StopReason.COMPLETE
    assert len(double.lrm.bodies) == 1 + QUICK.retries
    [alone] = [each for each in run.events if isinstance(each, WentOnAlone)]
    assert alone.author is Author.SRM
    assert "large at" in alone.reason


async def test_the_srm_goes_on_in_the_lrms_step() -> None:
    lrm = [say("a b", **TORN), DOWN, DOWN, DOWN]
    run, _ = await answered([say(" c\n\nd" + END)], lrm, "trigreason", thresholds=Thresholds(n=2))
    assert [step.text for step in run.trace.standing] == ["a b", " c\n\n", "d"]
    assert run.trace.steps[0].end is StepEnd.CUT_OFF
    assert run.trace.degraded is not None


async def test_who_is_away_is_not_asked_for_the_answer() -> None:
    """Although the last step, and all that the budget allows, was its own."""
    lrm = [say("a b", **TORN), DOWN, DOWN]
    run, double = await answered(
        [say("It is.")], lrm, "trigreason", thresholds=Thresholds(n=2), budget=Budget(steps=1)
    )
    assert run.authors == "L"
    assert run.trace.answer_by == {Author.SRM: 2}
    assert len(double.lrm.bodies) == 1 + QUICK.retries


async def test_the_lrm_finishes_the_srms_answer() -> None:
    srm = [say("b</think>\n\nIt", **TORN), DOWN, DOWN, DOWN]
    lrm = [chatter("a\n\n"), say(" is.")]
    run, double = await answered(srm, lrm, "trigreason", thresholds=Thresholds(n=1, rho=1))
    assert run.trace.answer == "It is."
    assert run.trace.answer_by == {Author.SRM: 2, Author.LRM: 1}
    assert behind_think(double, Author.LRM)[1] == "a\n\nb</think>\n\nIt"


async def test_without_a_judge_the_srm_goes_on_in_its_stream() -> None:
    srm = [say("a\n\nb\n\nc" + END)]
    run, double = await answered(srm, [say("9"), DOWN, DOWN, DOWN], "specreason")
    assert run.trace.degraded == replace(run.trace.degraded, author=Author.LRM, step=1)
    assert [step.score for step in run.trace.steps] == [9, None, None]
    assert [step.end for step in run.trace.steps[:2]] == [StepEnd.BLANK_LINE] * 2
    assert run.trace.answer == "It is."
    assert len(double.srm.bodies) == 1


async def test_half_a_tag_is_not_left_to_the_other_model() -> None:
    half = [Said("a"), Said(" b"), Said("</"), Said("thi")]
    lrm = [Reply(half, "break"), DOWN, DOWN, DOWN]
    srm = [say("</think>\n\nIt is.")]
    run, _ = await answered(srm, lrm, "trigreason", thresholds=Thresholds(n=2))
    assert run.trace.thinking == "a b"
    assert run.trace.answer == "It is."


async def test_what_brings_nothing_is_not_tried_for_ever() -> None:
    half = Reply([Said("\n")], "break")
    async with scripted_pair(
        [chatter("a\n\n"), say("It is.")], [half] * 9, failure=QUICK
    ) as double:
        run = await told(double.pair, method="specreason", budget=Budget(steps=1))
    assert run.trace.degraded is not None
    assert len(double.lrm.bodies) == 1 + QUICK.retries


async def test_a_stream_that_breaks_before_its_text_is_not_opened_for_ever() -> None:
    nothing = Reply([], "break")
    srm = [say("a b" + END)]
    run, double = await answered(
        srm, [nothing] * 9, "trigreason", thresholds=Thresholds(n=1, rho=1)
    )
    assert len(double.lrm.bodies) == 1 + QUICK.retries
    assert run.trace.answer == "It is."


class _TornStream:
    finish = None

    def __init__(self, tokens: AsyncIterator[list[Token]]) -> None:
        self.usage = Usage()
        self._tokens = tokens

    def __aiter__(self) -> AsyncIterator[list[Token]]:
        return self._tokens


class HalfACharacter(CompletionsEngine):
    """A model whose every stream breaks within its first character, as raw bytes can."""

    asked = 0

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[Any]:
        self.asked += 1

        async def tokens() -> AsyncIterator[list[Token]]:
            yield [Token("\udcf0\udc9f", -1.0)]
            raise EngineUnreachable("it broke", "there", "Look there.")

        yield _TornStream(tokens())


async def test_a_stream_that_breaks_within_a_character_is_not_opened_for_ever() -> None:
    torn = HalfACharacter("http://there", "torn")
    async with scripted_pair([say("a b" + END)]) as double:
        pair = replace(double.pair, lrm=torn, failure=QUICK)
        run = await told(pair, thresholds=Thresholds(n=1, rho=1))
    assert torn.asked == 1 + QUICK.retries
    assert run.trace.answer == "It is."


async def test_busy_servers_open_no_breaker() -> None:
    busy = Reply([], status=429)
    async with scripted_pair([*[busy] * 5, say("a" + END)]) as double:
        pair = replace(double.pair, failure=replace(QUICK, retries=9))
        run = await told(pair, method="srm")
    assert run.trace.answer == "It is."


@pytest.mark.parametrize(
    ("srm", "method"),
    [([DOWN] * 3, "srm"), ([Reply([], status=401)], "trigreason"), ([DOWN] * 3, "trigreason")],
)
async def test_when_a_failure_is_the_end(srm: list[Reply], method: str) -> None:
    """The method knows no other model; the key is wrong; the configuration says so."""
    policy = replace(QUICK, srm_away=Away.FAIL)
    async with scripted_pair(srm, [chatter("a\n\n")], failure=policy) as double:
        with pytest.raises(EngineError) as caught:
            await told(double.pair, method=method, thresholds=Thresholds(n=1))
        assert caught.value.details["trace"].degraded is None
        assert len(double.srm.bodies) == len(srm)


async def test_a_model_that_has_worked_and_is_then_refused_is_away() -> None:
    """Its key has run out, say; one that never worked is not set up right."""
    refused = Reply([], status=403)
    srm, lrm = say("Wait.\n\nHmm.\n\n"), say("a\n\n")
    run, _ = await answered(
        [srm, say("b" + END)], [lrm, refused], "trigreason", thresholds=Thresholds(n=1, rho=1)
    )
    assert run.authors == "L S S S"
    assert run.trace.degraded == replace(run.trace.degraded, author=Author.LRM, step=3)
    assert run.trace.answer == "It is."


async def test_a_model_that_never_worked_is_not_set_up_right() -> None:
    """Whatever the other one has done."""
    refused, lrm = [Reply([], status=401)], [chatter("a\n\n"), say("b" + END)]
    async with scripted_pair(refused, lrm, failure=QUICK) as double:
        with pytest.raises(EngineError) as caught:
            await told(double.pair, thresholds=Thresholds(n=1, rho=1))
    assert caught.value.details["trace"].thinking == "a\n\n"


async def test_both_away() -> None:
    async with scripted_pair([DOWN] * 3, [DOWN] * 3, failure=QUICK) as double:
        with pytest.raises(EngineFailed, match=r"small at .*the LRM was away before"):
            await told(double.pair, thresholds=Thresholds(n=1))


async def test_the_clock_runs_on_between_attempts() -> None:
    patient = FailurePolicy(retries=99, backoff_seconds=60, longest_wait_seconds=60)
    async with scripted_pair([DOWN] * 99, failure=patient) as double, nothing_left(double):
        run = await told(double.pair, method="srm", budget=Budget(seconds=0.1))
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "seconds")
    assert run.trace.seconds < 5


async def test_cancelling_between_attempts() -> None:
    patient = FailurePolicy(retries=99, backoff_seconds=60, longest_wait_seconds=60)
    async with scripted_pair([DOWN] * 99, failure=patient) as double, nothing_left(double):
        running = asyncio.create_task(completed(reason(double.pair, "Why?", "srm")))
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_an_engine_that_keeps_failing_is_left_alone() -> None:
    now = [0.0]
    attempts = QUICK.retries + 1
    script = [*[DOWN] * (attempts + 1), say("a" + END)]
    async with scripted_pair(script, failure=replace(QUICK, srm_away=Away.FAIL)) as double:
        breaker = Breaker(failures=2, rest_seconds=30, clock=lambda: now[0])
        double.pair.srm.__dict__["breaker"] = breaker
        with pytest.raises(EngineFailed):
            await told(double.pair, method="srm")
        assert str(breaker.state) == "closed", "a run counts once, however often it tries"
        with pytest.raises(EngineResting):
            await told(double.pair, method="srm")
        assert str(breaker.state) == "open"
        with pytest.raises(
            EngineResting,
            match=r"status 503 .* left alone for 30 s",
        ):
            await told(double.pair, method="srm")
        assert len(double.srm.bodies) == attempts + 1, "nothing was sent"
        now[0] = 31.0
        trials = [breaker.enter(), breaker.enter()]
        assert breaker.enter() is None, "a few runs may try"
        for trial in trials:
            assert trial is not None
            breaker.left(trial)
        run = await told(double.pair, method="srm")
    assert run.trace.answer == "It is."
    assert str(breaker.state) == "closed"


async def test_what_never_reached_the_server_says_nothing_of_it() -> None:
    async with scripted_pair([say("a" + END)]) as double:
        engine = double.pair.srm
        run = object()
        failed = engine.breaker.enter(run)
        assert failed is not None
        engine.breaker.failed(failed, "down")
        ended_by_the_assistant = (Message("user", "a"), Message("assistant", "b"))
        with pytest.raises(PromptRefused):
            await completed(reason(double.pair, ended_by_the_assistant, "srm"))
        assert engine.breaker.last_failure == "down"
        assert engine.breaker.has_tried(run), "its failure still counts"
        assert not double.srm.bodies

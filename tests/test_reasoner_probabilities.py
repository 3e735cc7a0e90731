"""Probabilities in a run: needed, missing, on another scale, kept in the trace."""

from __future__ import annotations

import pytest

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
from tests.test_reasoner import BOTH_SHAPES, END, ONE_PRIMING
from trigreason.engines.base import Capabilities, LogprobScale, NoLogprobs, Sampling
from trigreason.reasoning import (
    Alternative,
    Thresholds,
    Token,
)
from trigreason.running.rescale import Rescale


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

"""The requests that follow from a recorded run are those that the loop really sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from trigreason.budget import Budget
from trigreason.bundled import load_pair, problems, profile
from trigreason.engines.base import Sampling
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Stretch, Thresholds, Trace
from trigreason.studies.simulation import Deployment, Server, simulate

BUSY = replace(profile(), n=2, k=1, m=2)
"""All triggers fire, and the LRM writes several steps in a row."""

METHODS = (
    ("lrm", profile()),
    ("specreason", replace(profile(), judge_first=2)),
    ("trigreason", profile()),
    ("trigreason", BUSY),
)
QUESTIONS = [each.question for each in problems()[10::70]]


async def recorded(
    pair: Pair, question: str, method: str, thresholds: Thresholds, *, per_step: bool, tokens: int
) -> Trace:
    return await completed(
        reason(
            pair,
            question,
            method,
            thresholds=thresholds,
            sampling=Sampling(temperature=0),
            budget=Budget(thinking_tokens=tokens, answer_tokens=64),
            request_per_step=per_step,
        )
    )


def asked(requests: Sequence[Stretch]) -> list[tuple[object, ...]]:
    """What of a request does not hang on the clock."""
    return [
        (
            each.author.value,
            each.purpose.value,
            each.trigger,
            each.prompt_tokens,
            each.completion_tokens - each.unused_tokens,
        )
        for each in requests
    ]


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [900, 70])
async def test_one_way_of_asking_follows_from_the_other(tokens: int) -> None:
    async for per_step, stretches in both_ways(tokens, bills_closed_streams=False):
        assert per_step.fingerprint() == stretches.fingerprint()
        for recorded_trace in (per_step, stretches):
            check(recorded_trace, per_step, Deployment(request_per_step=True))
            check(recorded_trace, stretches, Deployment())


@pytest.mark.slow
async def test_steps_that_the_server_ends_are_asked_for_as_they_were() -> None:
    """Not one way from the other: a stopped step counts its blank line as a token of its own."""
    lrm = Server(bills_closed_streams=True)
    async for per_step, stretches in both_ways(900, bills_closed_streams=True):
        check(per_step, per_step, Deployment(lrm=lrm, request_per_step=True))
        check(stretches, stretches, Deployment(lrm=lrm))


def check(recorded_trace: Trace, real: Trace, deployment: Deployment) -> None:
    assert asked(simulate(recorded_trace, deployment).requests) == asked(real.stretches)


async def both_ways(
    tokens: int, *, bills_closed_streams: bool
) -> AsyncIterator[tuple[Trace, Trace]]:
    """Runs of all methods, with a request per step and with one per stretch."""
    pair = await load_pair()
    try:
        lrm = pair.lrm
        lrm.capabilities = replace(lrm.capabilities, bills_closed_streams=bills_closed_streams)
        for question in QUESTIONS:
            for method, thresholds in METHODS:
                per_step, stretches = [
                    await recorded(pair, question, method, thresholds, per_step=each, tokens=tokens)
                    for each in (True, False)
                ]
                yield per_step, stretches
    finally:
        await pair.close()

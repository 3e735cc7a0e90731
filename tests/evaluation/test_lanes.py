"""Runs of the bundled pair do not depend on what runs beside them."""

from __future__ import annotations

import asyncio

import pytest

from trigreason.budget import Budget
from trigreason.bundled import problems, profile
from trigreason.configuration import bundled_pair
from trigreason.evaluation.arms import Arm, seed_for
from trigreason.evaluation.lanes import opened_lanes
from trigreason.reasoning import Message, Trace

ARMS = [
    Arm(method=method, thresholds=profile(), budget=Budget(thinking_tokens=900, answer_tokens=64))
    for method in ("srm", "lrm", "specreason", "trigreason")
]


@pytest.mark.slow
async def test_the_same_runs_in_another_order_are_bit_for_bit_the_same() -> None:
    jobs = [(number, arm) for number in range(0, 140, 35) for arm in ARMS]

    async def answers(order: list[tuple[int, Arm]]) -> dict[tuple[int, str], Trace]:
        async with opened_lanes(bundled_pair()) as lanes, asyncio.TaskGroup() as group:
            tasks = {
                (number, arm.method): group.create_task(
                    lanes.answer(
                        (Message("user", problems()[number].question),),
                        arm,
                        seed_for(0, str(number), 1),
                    )
                )
                for number, arm in order
            }
        return {key: task.result() for key, task in tasks.items()}

    once, again = await answers(jobs), await answers(jobs[::-1])
    for key, trace in once.items():
        assert trace.fingerprint() == again[key].fingerprint()
        assert [step.logprobs for step in trace.steps] == [
            step.logprobs for step in again[key].steps
        ]

"""Overconfident steps of a trajectory, and the questions on which the models differ most."""

from __future__ import annotations

import pytest

from tests.studies.recordings import LRM, step, trace
from trigreason.paper.kinds.activation import activation
from trigreason.paper.kinds.overconfidence import confidence, questions_with_gap
from trigreason.reasoning import CognitiveOffload, Direction

SURE, HALF, BLIND = (-0.01, -0.01), (-0.01, -1.0), (None, None)


def test_only_the_srm_s_own_steps_count_drafts_included() -> None:
    recorded = trace(
        [
            step(logprobs=SURE),
            step(logprobs=HALF),
            step(logprobs=SURE, standing=False),
            step(logprobs=SURE, author=LRM),
            step(text=" \n\n", logprobs=SURE),
            step(logprobs=BLIND),
        ]
    )
    seen = confidence(recorded, CognitiveOffload())
    assert seen.overconfident == (True, False, True)
    assert (seen.steps, seen.count, seen.contains) == (3, 2, True)
    under = confidence(recorded, CognitiveOffload(direction=Direction.UNDER))
    assert under.overconfident == (False, True, False)


@pytest.mark.parametrize(("logprobs", "contains"), [(SURE, True), (HALF, False), (BLIND, False)])
def test_a_trajectory_contains_one_or_not(
    logprobs: tuple[float | None, ...], contains: bool
) -> None:
    assert confidence(trace([step(logprobs=logprobs)]), CognitiveOffload()).contains is contains


def test_questions_with_the_largest_gap_come_first() -> None:
    srm = {"even": [1, 1], "wide": [0, 0], "narrow": [1, 0], "other": [0]}
    lrm = {"narrow": [1, 1], "wide": [1, 1], "even": [1, 1]}
    assert questions_with_gap(srm, lrm, 2) == ["wide", "narrow"]
    assert questions_with_gap(srm, lrm, 9) == ["wide", "narrow", "even"]


def test_blank_steps_and_drafts_are_no_steps_of_the_final_thinking() -> None:
    counts = activation(trace([step(), step(standing=False), step(text="\n\n"), step(author=LRM)]))
    assert (counts.steps, counts.triggered) == (2, 0)

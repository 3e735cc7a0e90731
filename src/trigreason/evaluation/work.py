"""Scorers: whether an answer is right, and what it cost."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, cast

from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    MetricProtocol,
    SampleScore,
    Score,
    Scorer,
    Target,
    accuracy,
    grouped,
    mean,
    metric,
    scorer,
    stderr,
)
from inspect_ai.scorer import Value as Measured
from inspect_ai.solver import TaskState

from trigreason.evaluation.grading import AnswerKind, grade
from trigreason.evaluation.outputs import RUN, thinking_in
from trigreason.reasoning import StopReason

GROUP = "group"
"""The key in a sample's metadata for the question's group, a part of the task."""


@metric
def by_group() -> Metric:
    """Accuracy in each group of a task's questions; empty if there is only one group."""
    accuracies = cast(MetricProtocol, grouped(accuracy(), GROUP, all=False))

    def measure(scores: list[SampleScore]) -> Measured:
        groups = {(score.sample_metadata or {}).get(GROUP) for score in scores}
        return accuracies(scores) if len(groups) > 1 else {}

    return measure


@scorer(metrics=[accuracy(), stderr(), by_group()])
def right() -> Scorer:
    """Whether the answer is the wanted one, graded by the question's kind of answer.

    If the answer text says nothing, the last box of the thinking counts.

    With epochs, a question counts with the mean of its answers, and the standard error is that of
    the mean over questions: answers to the same question are one cluster.
    """

    async def score(state: TaskState, target: Target) -> Score:
        given = state.metadata
        kind, letters = AnswerKind(given["kind"]), given["letters"]
        answer, thinking = state.output.completion, thinking_in(state.output)
        # in a thread, because comparing two expressions may take seconds
        graded = await asyncio.to_thread(grade, kind, answer, target.text, letters, thinking)
        return Score(value=CORRECT if graded.right else INCORRECT, answer=graded.given)

    return score


@scorer(metrics={"*": [mean()]})
def work() -> Scorer:
    """What the answer cost: shares, tokens, requests, seconds, and USD if prices are known.

    Unknown values are NaN. A model that is no pair has no such score.
    """

    async def score(state: TaskState, target: Target) -> Score | None:
        run = (state.output.metadata or {}).get(RUN)
        return None if run is None else Score(value=measures(run))

    return score


COUNTED = (
    "smt",
    "thinking_tokens",
    "answer_tokens",
    "drafts",
    "draft_tokens",
    "srm_requests",
    "lrm_requests",
    "srm_tokens",
    "lrm_tokens",
    "seconds",
    "usd",
)


def measures(run: Mapping[str, Any]) -> dict[str, float]:
    """A run's summary as numbers only, with one for each trigger's handovers."""
    names = [name for name in COUNTED if name in run]
    counted = {name: math.nan if run[name] is None else float(run[name]) for name in names}
    handovers = {trigger: float(count) for trigger, count in run["handovers"].items()}
    return counted | handovers | {"truncated": float(run["stop"] == StopReason.TRUNCATED)}

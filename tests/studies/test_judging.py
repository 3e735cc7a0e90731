"""The judge's scores of recorded trajectories, by the bundled LRM itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.studies.recordings import step, trace
from trigreason.budget import Budget
from trigreason.bundled import load_pair, problems, profile
from trigreason.bundled.families import FAMILIES
from trigreason.configuration import bundled_pair
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.lanes import opened_lanes
from trigreason.evaluation.runs import Run
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Message, StepEnd, StepRecord, Thresholds, Trace
from trigreason.studies.judging import (
    Judgements,
    Trajectory,
    judge_all,
    judge_quality,
    score_steps,
)

pytestmark = pytest.mark.slow

BUDGET = Budget(thinking_tokens=900, answer_tokens=64)


@pytest.mark.slow
async def test_scores_are_those_that_specreason_was_given() -> None:
    """With every step kept the thinking is the same, so the judge must say the same again."""
    pair = await load_pair(caching=False)
    try:
        keeping = Thresholds(accept=0)
        question = problems()[0].question
        answered = await completed(
            reason(pair, question, "specreason", thresholds=keeping, budget=BUDGET)
        )
        recorded = [each.score for each in answered.steps]
        assert len(set(recorded)) > 1
        assert await score_steps(pair, Trajectory.of(answered)) == recorded
    finally:
        await pair.close()


async def test_what_was_judged_is_not_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "judged.jsonl"
    arm = Arm(method="srm", thresholds=profile(), budget=BUDGET)
    async with opened_lanes(bundled_pair()) as lanes:
        messages = (Message("user", problems()[0].question),)
        trajectory = Trajectory.of(await lanes.answer(messages, arm, 0))
        heard: list[int] = []
        first = await judge_all(lanes, [trajectory], Judgements(file), told=heard.append)
        assert heard == [1]
        file.write_text(file.read_text().replace('"scores": [', '"scores": [5.0, '))
        kept = await judge_all(lanes, [trajectory], Judgements(file))
        assert kept == [[5.0, *first[0]]], "this can only be the file's"
        [other] = await judge_all(lanes, [trajectory], Judgements(file), Author.SRM)
        assert len(other) == len(trajectory.steps), "another judge is asked for itself"


def test_a_line_that_a_crash_cut_off_costs_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    kept = Judgements(file)
    kept.put("one", "judge", [9.0, None])
    with file.open("a") as out:
        out.write('{"key": "two", "sco')
    again = Judgements(file)
    assert again.get("one") == [9.0, None]
    assert again.get("two") is None
    again.put("two", "judge", [1.0])
    again.put("three", "judge", [])
    last = Judgements(file)
    assert [last.get(key) for key in ("one", "two", "three")] == [[9.0, None], [1.0], []]


def test_white_space_belongs_to_the_step_before_it() -> None:
    texts = ["one\n\n", " \n\n", "two\n\n", "\n"]
    steps = [StepRecord(Author.SRM, text, 1, StepEnd.BLANK_LINE, 0) for text in texts]
    whole = Trace("srm", Thresholds(), (Message("user", "?"),), {}, steps=steps)
    assert Trajectory.of(whole).steps == ("one\n\n \n\n", "two\n\n\n")


def judged(number: int, *, right: bool, scores: tuple[float | None, float | None]) -> Run:
    """A run whose first step is wrong and thrown away; the next is right, and a third unscored."""
    problem = problems()[number]
    chain = FAMILIES[problem.family].solve(problem.question).steps
    texts = (f"{chain[-1]}\n\n", f"{chain[0]}\n\n")
    steps = [
        replace(step(text, standing=at > 0), score=score)
        for at, (text, score) in enumerate(zip(texts, scores, strict=True))
    ]
    steps.append(step(f"{chain[1]}\n\n"))
    recorded = trace(steps, "specreason", question=problem.question)
    return Run(trace=recorded, right=right, group=problem.family)


def test_a_judge_that_sees_errors_and_one_that_praises_them() -> None:
    good = [judged(at, right=at % 2 == 0, scores=(2, 8 - at % 2)) for at in range(12)]
    told = judge_quality(good)
    assert told.steps is not None
    assert told.runs is not None
    assert (told.steps.value, told.steps.wrong, told.steps.right) == (1, 12, 12)
    assert (told.runs.value, told.runs.wrong, told.runs.right) == (1, 6, 6)
    assert "a wrong step has the lower score with a chance of 1.00" in str(told)
    bad = [judged(at, right=at % 2 == 1, scores=(8 - at % 2, 2)) for at in range(12)]
    told = judge_quality(bad)
    assert told.steps is not None
    assert told.runs is not None
    assert (told.steps.value, told.runs.value) == (0, 0)


def test_scores_that_are_not_there_count_for_nothing() -> None:
    silent = [judged(at, right=at % 2 == 0, scores=(None, None)) for at in range(12)]
    told = judge_quality(silent)
    assert (told.steps, told.runs) == (None, None)
    assert str(told) == "too few scored steps are known to be right or wrong"
    halves = [judged(at, right=at % 2 == 0, scores=(None, 8 - at % 2)) for at in range(12)]
    told = judge_quality(halves)
    assert told.steps is None, "no wrong step has a score"
    assert told.runs is not None
    assert told.runs.value == 1

"""The judge's scores of recorded trajectories, by the bundled LRM itself."""

from __future__ import annotations

from pathlib import Path

from trigreason.budget import Budget
from trigreason.bundled import load_pair, problems, profile
from trigreason.configuration import bundled_pair
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.lanes import opened_lanes
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Message, StepEnd, StepRecord, Thresholds, Trace
from trigreason.studies.judging import Judgements, Trajectory, judge_all, score_steps

BUDGET = Budget(thinking_tokens=900, answer_tokens=64)


async def test_scores_are_those_that_specreason_was_given() -> None:
    """With every step kept the thinking is the same, so the judge must say the same again."""
    pair = await load_pair(caching=False)
    try:
        keeping = Thresholds(accept=0)
        question = problems()[0].question
        trace = await completed(
            reason(pair, question, "specreason", thresholds=keeping, budget=BUDGET)
        )
        recorded = [each.score for each in trace.steps]
        assert len(set(recorded)) > 1
        assert await score_steps(pair, Trajectory.of(trace)) == recorded
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
    trace = Trace("srm", Thresholds(), (Message("user", "?"),), {}, steps=steps)
    assert Trajectory.of(trace).steps == ("one\n\n \n\n", "two\n\n\n")

"""What is made of an item's runs, from runs whose numbers can be told by looking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.paper.handwritten import ScriptedJudges, recorded, run, step
from trigreason.paper.item_files import catalogue
from trigreason.paper.kinds import STUDIES
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import Author, Prices, Trigger

PRIMED, OFFLOADED = Trigger.STRATEGIC_PRIMING, Trigger.COGNITIVE_OFFLOAD


def made(
    name: str,
    arms: Sequence[Recorded],
    judging: ScriptedJudges | None = None,
    *,
    measured: bool = True,
    **setting: Any,
) -> Numbers:
    item = catalogue()[name]
    quick = item.quick.model_copy(update=setting)
    work = Work(
        item=item,
        setting=quick,
        recorded=arms,
        judging=judging or ScriptedJudges(),
        measured=measured,
    )
    return STUDIES[item.kind](work)


def values(rows: Sequence[MeasuredNumber]) -> dict[tuple[str, str], float]:
    return {(row.arm, row.measure): row.estimate.value for row in rows if not row.question}


def solo(author: str, outcomes: Sequence[bool], seconds: float = 1.0) -> Recorded:
    """Questions a, b, c …, one answer each, by one model alone."""
    runs = [
        run(sample, [step(author)], right=right, method=author, seconds=seconds)
        for sample, right in zip("abcdef", outcomes, strict=False)
    ]
    return recorded(runs, author)


def test_accuracy_smt_and_what_is_kept_of_the_lrm_s() -> None:
    mixed = [
        run("a", [step("lrm", tokens=3, trigger=PRIMED), step("srm", tokens=1)], right=True),
        run("b", [step("lrm", tokens=1, trigger=PRIMED), step("srm", tokens=3)], right=False),
    ]
    rows = made(
        "fig4", [solo("srm", [False, False]), solo("lrm", [True, True]), recorded(mixed)]
    ).rows
    assert values(rows) == {
        ("SRM only", "accuracy"): 0,
        ("SRM only", "smt"): 1,
        ("LRM only", "accuracy"): 1,
        ("LRM only", "smt"): 0,
        ("TrigReason", "accuracy"): 0.5,
        ("TrigReason", "smt"): 0.5,
        ("TrigReason", "accuracy_vs_lrm"): 0.5,
        ("TrigReason", "accuracy_minus_lrm"): -0.5,
    }


def test_smt_is_told_in_times_specreason_s() -> None:
    ours = recorded([run("a", [step("lrm", tokens=2), step("srm", tokens=6)])])
    theirs = recorded([run("a", [step("lrm", tokens=6), step("srm", tokens=2)])], "specreason")
    assert values(made("fig4", [theirs, ours]).rows)["TrigReason", "smt_vs_specreason"] == 3
    none = recorded([run("a", [step("lrm", tokens=6)])], "specreason")
    measures = {measure for _, measure in values(made("fig4", [none, ours]).rows)}
    assert "smt_vs_specreason" not in measures, "nothing is so many times nothing"


def test_figure_1_has_smt_accuracy_and_seconds() -> None:
    spec = recorded([run("a", [step("srm"), step("lrm", tokens=12)], seconds=9)], "specreason")
    ours = recorded([run("a", [step("srm")], right=False, seconds=6)])
    told = made("fig1", [solo("lrm", [True], seconds=10), spec, ours])
    assert values(told.rows) == {
        ("LRM only", "accuracy"): 1,
        ("LRM only", "smt"): 0,
        ("LRM only", "seconds"): 10,
        ("SpecReason", "accuracy"): 1,
        ("SpecReason", "smt"): 0.25,
        ("SpecReason", "seconds"): 9,
        ("SpecReason", "seconds_vs_lrm"): pytest.approx(-0.1),
        ("TrigReason", "accuracy"): 0,
        ("TrigReason", "smt"): 1,
        ("TrigReason", "seconds"): 6,
        ("TrigReason", "seconds_vs_lrm"): pytest.approx(-0.4),
        ("TrigReason", "seconds_vs_specreason"): pytest.approx(-1 / 3),
    }


def test_a_question_counts_once_however_often_it_was_answered() -> None:
    runs = [
        run("a", [step("srm")], right=True, epoch=1),
        run("a", [step("srm")], right=True, epoch=2),
        run("a", [step("srm")], right=True, epoch=3),
        run("b", [step("srm")], right=False),
    ]
    rows = made("table1", [recorded(runs, "srm")]).rows
    assert values(rows)["SRM only", "accuracy"] == 0.5


def test_runs_that_nobody_scored_have_no_accuracy() -> None:
    with pytest.raises(ValueError, match="no question"):
        made("fig4", [recorded([run("a", [step("srm")], right=None)])])


def test_shares_of_steps_are_pooled_and_drafts_are_none() -> None:
    runs = [
        run("a", [step("lrm", trigger=PRIMED), *[step("srm")] * 3]),
        run(
            "b",
            [
                step("srm", standing=False),
                step("lrm", trigger=OFFLOADED),
                *[step("srm")] * 4,
                step("srm", text="\n\n"),
                step("lrm", trigger=Trigger.REPETITION),
            ],
        ),
    ]
    told = values(made("table2", [recorded(runs, label="0.92-1-1")]).rows)
    assert told["0.92-1-1", "priming"] == pytest.approx(1 / 10)
    assert told["0.92-1-1", "offload"] == pytest.approx(1 / 10)
    assert told["0.92-1-1", "request"] == 0
    assert told["0.92-1-1", "repetition"] == pytest.approx(1 / 10)
    assert told["0.92-1-1", "triggered"] == pytest.approx(3 / 10)


def test_latency_is_compared_with_the_lrm_s_and_specreason_s() -> None:
    spec = recorded([run("a", [step("srm")], seconds=15), run("b", [step("srm")], seconds=9)],
                    "specreason")  # fmt: skip
    ours = recorded([run("a", [step("srm")], seconds=6), run("b", [step("srm")], seconds=6)])
    told = values(made("fig2c", [solo("lrm", [True, True], seconds=10), spec, ours]).rows)
    assert told == {
        ("LRM only", "seconds"): 10,
        ("SpecReason", "seconds"): 12,
        ("TrigReason", "seconds"): 6,
        ("SpecReason", "seconds_vs_lrm"): pytest.approx(0.2),
        ("TrigReason", "seconds_vs_lrm"): pytest.approx(-0.4),
        ("TrigReason", "seconds_vs_specreason"): pytest.approx(-0.5),
    }


def test_a_cost_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1 of 1 runs of LRM only .* give both engines prices"):
        made("fig2d", [solo("lrm", [True]), recorded([run("a", [step("srm")])], "specreason")])


def test_a_cost_that_is_known_of_some_runs_alone_is_refused() -> None:
    known, unknown = run("a", [step("lrm")]), run("b", [step("lrm")])
    known.trace.prices[Author.LRM] = Prices(1.0, 1.0)
    with pytest.raises(ValueError, match="1 of 2 runs of LRM only"):
        made("fig2d", [recorded([known, unknown], "lrm")])


def test_a_model_alone_sends_one_request_wherever_it_is_served() -> None:
    short, long = ([step("lrm", tokens=tokens)] for tokens in (60, 3))
    one = made("fig2c", [recorded([run("a", short, method="lrm")], "lrm")], measured=False)
    many = made("fig2c", [recorded([run("a", long * 20, method="lrm")], "lrm")], measured=False)
    assert values(one.rows) == pytest.approx(values(many.rows))


def test_the_first_right_trajectory_goes_to_every_judge() -> None:
    steps = [step("srm", "one 9\n\n"), step("srm", "two 4\n\n"), step("srm", "three\n\n")]
    runs = [run("a", steps, right=False), run("b", steps)]
    judging = ScriptedJudges(["A", "B"])
    told = made("fig2a", [recorded(runs, "srm")], judging)
    assert [each.messages[0].content for each in judging.asked] == ["question b"] * 2
    assert values(told.rows) == {("A", "score"): 6.5, ("B", "score"): 6.5}
    assert told.detail["scores"] == {"A": [9, 4, None], "B": [9, 4, None]}
    assert any("B wrote no digit for 1 of 3 steps" in note for note in told.notes)


def test_without_a_right_trajectory_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="raise --limit"):
        made("fig2a", [recorded([run("a", [step("srm"), step("srm")], right=False)], "srm")])


def rejected_arms() -> list[Recorded]:
    judged = [step("srm", score=9), step("srm", score=3, standing=False), step("lrm")]
    half = [step("srm", "fine 8\n\n"), step("srm", "poor 2\n\n")]
    return [
        recorded([run("a", judged), run("b", judged)], "specreason"),
        recorded([run("a", half), run("b", half, right=False), run("a", half, epoch=2)], "srm"),
        recorded([run("a", [step("lrm", "7\n\n")]), run("b", [step("lrm", "no\n\n")])], "lrm"),
    ]


def test_rejections_of_three_kinds_of_trajectories() -> None:
    judging = ScriptedJudges()
    told = made("fig2b", rejected_arms(), judging, questions=None)
    assert values(told.rows) == {
        ("SpecReason", "rejected"): 0.5,
        ("SRM, right", "rejected"): 0.5,
        ("LRM's own", "rejected"): 0.5,
    }
    by_question = {(row.arm, row.question): row.estimate.value for row in told.rows if row.question}
    assert by_question["LRM's own", "a"] == 0, "7 is enough"
    assert by_question["LRM's own", "b"] == 1, "no digit counts as 0, as SpecReason has it"
    assert ("SRM, right", "b") not in by_question


def test_rejections_on_the_questions_that_the_srm_solves() -> None:
    told = made("fig2b", rejected_arms(), questions=1)
    assert {row.question for row in told.rows} == {"a", ""}


def test_no_more_trajectories_are_judged_than_wanted() -> None:
    judging = ScriptedJudges()
    made("fig2b", rejected_arms(), judging, questions=None, trajectories=1)
    assert len(judging.asked) == 1 + 2, "one right SRM run on a, and the LRM's two"


def test_overconfidence_of_wrong_and_right_trajectories() -> None:
    over, under = step("srm", sure=4), step("srm", sure=2)
    runs = [
        run("a", [over, under], right=False),
        run("b", [under, under], right=True),
        run("c", [over, over], right=True),
    ]
    lrm = solo("lrm", [True, True, True])
    told = values(made("appendix-d", [recorded(runs, "srm"), lrm]).rows)
    assert told == {
        ("wrong trajectories", "overconfident_trajectories"): 1,
        ("right trajectories", "overconfident_trajectories"): 0.5,
        ("all steps", "overconfident_steps"): 0.5,
    }


def test_overconfidence_on_the_questions_with_the_largest_gap() -> None:
    over, under = step("srm", sure=4), step("srm", sure=2)
    runs = [run("a", [over], right=False), run("b", [under], right=True)]
    lrm = solo("lrm", [True, True])
    told = made("appendix-d", [recorded(runs, "srm"), lrm], questions=1)
    assert values(told.rows)["all steps", "overconfident_steps"] == 1
    assert any("1 trajectories on the 1 questions" in note for note in told.notes)


def test_overconfidence_needs_probabilities() -> None:
    blind = run("a", [step("srm", tokens=0)])
    with pytest.raises(ValueError, match="serve the SRM with logprobs"):
        made("appendix-d", [recorded([blind], "srm"), solo("lrm", [True])])


def test_candidates_are_what_hesitating_steps_have_and_the_list_has_not() -> None:
    hesitating = step("srm", "Wait, hold your horses here.\n\n")
    plain = step("srm", "Add both numbers here.\n\n")
    told = made("appendix-e", [recorded([run("a", [hesitating, plain] * 5)], "srm")])
    mined = told.detail["pair · task"]
    found = {each["words"] for each in mined["candidates"]}
    assert "hold" in found
    assert not any("wait" in words for words in found)
    assert {each["words"] for each in mined["in force"]} >= {"wait"}
    assert (mined["steps"], mined["hesitating"]) == (10, 5)


def test_without_hesitation_there_is_nothing_to_mine() -> None:
    told = made("appendix-e", [recorded([run("a", [step("srm")])], "srm")])
    assert not told.detail
    assert told.notes == ["pair, task: 0 of 1 steps hesitate, so there is nothing to compare."]

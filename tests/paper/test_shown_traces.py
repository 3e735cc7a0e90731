"""Traces and steps that are shown: which ones are chosen, and what the page has of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.paper.handwritten import ScriptedJudges, recorded, run, step
from trigreason.bundled import Problem, problems
from trigreason.bundled.families import FAMILIES
from trigreason.evaluation.runs import Run
from trigreason.paper.item_files import catalogue
from trigreason.paper.kinds import STUDIES
from trigreason.paper.kinds.cases import Case, find_cases, longest_row
from trigreason.paper.kinds.certain_steps import LEAST_TOKENS, SHOWN, highest
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import Message, StepRecord, Thresholds


def made(name: str, *arms: Recorded) -> Numbers:
    item = catalogue()[name]
    work = Work(item=item, setting=item.quick, recorded=arms, judging=ScriptedJudges())
    return STUDIES[item.kind](work)


def found(srm: Recorded, lrm: Recorded) -> dict[str, Case]:
    return {case.risk: case for case in find_cases(srm, lrm, Thresholds(rho=0.85))}


def asked(problem: Problem, answered: Run) -> Run:
    """The run as one on a bundled problem, whose steps are checked."""
    answered.trace.messages = (Message("user", problem.question),)
    return replace(answered, group=problem.family)


WAIT = "Wait, is that so?\n\n"
LRM = recorded(
    [run(name, [step("lrm")], method="lrm", right=name != "hard") for name in ("a", "b", "hard")],
    "lrm",
)


def srm(*runs: tuple[str, list[StepRecord], bool]) -> Recorded:
    return recorded([run(name, steps, right=right) for name, steps, right in runs], "srm")


def test_cases_are_of_wrong_runs_whose_question_the_lrm_solves() -> None:
    stuck = [step("srm", sure=4), step("srm", WAIT), step("srm", WAIT)]
    nothing = srm(("a", stuck, True), ("hard", stuck, False))
    assert found(nothing, LRM) == {}
    cases = found(srm(("a", stuck, False), ("b", stuck, True)), LRM)
    assert set(cases) == {"Path divergence", "Cognitive overload", "Recovery inability"}
    assert {(case.srm.sample, case.lrm.sample) for case in cases.values()} == {("a", "a")}


def test_the_most_certain_step_beyond_rho_is_the_overload() -> None:
    certain = [step("srm", tokens=20, sure=17), step("srm", tokens=20, sure=18)]
    more = [step("srm", tokens=20, sure=19), step("srm", tokens=20, sure=2)]
    case = found(srm(("a", certain, False), ("b", more, False)), LRM)["Cognitive overload"]
    assert (case.srm.sample, case.step) == ("b", 0)
    at_rho = [step("srm", tokens=20, sure=17)]
    assert "Cognitive overload" not in found(srm(("a", at_rho, False)), LRM)


def test_two_steps_in_a_row_that_hesitate_are_being_stuck() -> None:
    once = [step("srm", WAIT, sure=0), step("srm", sure=0), step("srm", WAIT, sure=0)]
    assert "Recovery inability" not in found(srm(("a", once, False)), LRM)
    twice = [step("srm", sure=0), step("srm", WAIT, sure=0), step("srm", "Hmm.\n\n", sure=0)]
    case = found(srm(("a", once, False), ("b", twice, False)), LRM)["Recovery inability"]
    assert (case.srm.sample, case.step) == ("b", 1)
    again = "The first two numbers add up to three.\n\n"
    circles = [step("srm", again, sure=0) for _ in range(4)]
    case = found(srm(("a", twice, False), ("b", circles, False)), LRM)["Recovery inability"]
    assert (case.srm.sample, case.step) == ("b", 1), "the first of them says something new"


@pytest.mark.parametrize(
    ("flags", "row"),
    [("", (0, 0)), ("..", (0, 0)), ("x", (1, 0)), (".xx.xx", (2, 1)), ("x.xxx", (3, 2))],
)
def test_the_longest_row(flags: str, row: tuple[int, int]) -> None:
    assert longest_row([flag == "x" for flag in flags]) == row


def test_where_steps_are_checked_the_first_wrong_one_decides() -> None:
    problem = problems()[0]
    first, second, *_ = FAMILIES[problem.family].solve(problem.question).steps
    late = [step("srm", each, tokens=20, sure=19) for each in (first, second, second)]
    early = [step("srm", second, tokens=20, sure=10)]
    runs = [
        asked(problem, run("a", steps, right=False, epoch=epoch))
        for epoch, steps in ((1, late), (2, early))
    ]
    lrm = recorded([run("a", [step("lrm")], method="lrm")], "lrm")
    cases = found(recorded(runs, "srm"), lrm)
    assert (cases["Path divergence"].srm.epoch, cases["Path divergence"].step) == (2, 0)
    assert (cases["Cognitive overload"].srm.epoch, cases["Cognitive overload"].step) == (1, 2)


def test_the_page_shows_the_steps_around_the_decisive_one() -> None:
    steps = [step("srm", f"step {at}\n\n", tokens=20, sure=at) for at in range(20)]
    told = made("fig3", srm(("a", steps, False)), LRM)
    overload = next(each for each in told.tables if "Cognitive overload" in each.title)
    assert [row[0] for row in overload.rows] == ["17", "18", "19", "20 ←"]
    assert overload.rows[-1][1:] == ("step 19", "0.95", "")
    assert "pair, task: no run shows this risk: Recovery inability." in told.notes


def test_the_highest_ratios_of_wrong_runs() -> None:
    def of(tokens: int, sure: int, text: str) -> StepRecord:
        return step("srm", f"{text}\n\n", tokens=tokens, sure=sure)

    wrong = [of(20, 18, "much"), of(20, 10, "half"), of(10, 9, "short"), of(20, 18, "much")]
    wrong += [of(LEAST_TOKENS - 1, LEAST_TOKENS - 1, "too short"), of(LEAST_TOKENS, 1, "little")]
    right = [of(20, 20, "all")]
    told = made("table4", srm(("a", wrong, False), ("b", right, True)))
    assert [(row.arm, row.estimate.value) for row in told.rows] == [
        ("question a, answer 1, step 1", 0.9),
        ("question a, answer 1, step 3", 0.9),
        ("question a, answer 1, step 2", 0.5),
        ("question a, answer 1, step 6", 0.1),
    ]
    [table] = told.tables
    assert [row[1:] for row in table.rows][:2] == [
        ("0.900", "not checked", "much"),
        ("0.900", "not checked", "short"),
    ]
    many = [run("a", [of(20, 20, f"step {at}") for at in range(SHOWN + 3)], right=False)]
    assert len(highest(many, 1.05)) == SHOWN


def test_without_a_wrong_run_there_is_no_table() -> None:
    with pytest.raises(ValueError, match="no wrong trajectory of pair's SRM on task"):
        made("table4", srm(("a", [step("srm", tokens=20)], True)))

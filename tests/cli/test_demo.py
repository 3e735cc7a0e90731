"""``trigreason demo``, and what the command says about itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.cli.commands import Command
from tests.runs import check_accounts, check_replay
from tests.scripted_server import say, scripted_pair
from trigreason.answers import is_right
from trigreason.bundled import Problem, problems
from trigreason.cli import demo
from trigreason.cli.demo import BOX, Demo, perform, pick
from trigreason.cli.options import WrongUse
from trigreason.configuration import PairSettings, PlannedPair, bundled_pair, engine_at
from trigreason.engines.base import Sampling
from trigreason.pairs import Pair
from trigreason.reasoning import Author, trace_from_json

OTHER = PlannedPair(
    "pair",
    PairSettings(srm="a", lrm="a"),
    dict.fromkeys(Author, engine_at("http://localhost:1/v1", "--srm")),
)


def test_it_ends_with_the_table(command: Command) -> None:
    told = command("demo", "--count", "2")
    assert (told.code, told.err) == (0, "")
    assert "\x1b" not in told.out
    shown = [line.split() for line in told.out.splitlines()]
    (head,) = [index for index, line in enumerate(shown) if "three ways" in " ".join(line)]
    names = {" ".join(line[:2]) for line in shown[head:]}
    assert {"right answers", "thinking tokens", "drafts (their", "LRM requests"} <= names
    assert sum("The answer" in line or "right" in line for line in told.out.splitlines()) >= 2
    assert max(map(len, told.out.splitlines())) <= 80


@pytest.mark.slow
def test_json_has_every_trace(command: Command) -> None:
    told = command("demo", "--count", "1", "--json", "--method", "specreason").json
    assert told["method"] == "specreason"
    assert len(told["problems"]) == 1
    for problem in told["problems"]:
        assert set(problem["traces"]) == {"specreason", "lrm", "srm"}
        for method, values in problem["traces"].items():
            trace = trace_from_json(values)
            check_accounts(trace)
            check_replay(trace)
            assert problem["right"][method] is is_right(trace.answer, problem["target"])


def test_a_method_is_not_compared_with_itself(command: Command) -> None:
    told = command("demo", "--count", "1", "--method", "lrm")
    assert "LRM only   SRM only" in told.out


def test_problems_are_drawn_by_the_seed_alone() -> None:
    assert pick(problems(), 3, None, 1) == pick(problems(), 3, None, 1)
    assert len({tuple(pick(problems(), 3, None, seed)) for seed in range(5)}) > 1
    everything = pick(problems(), len(problems()), None, 0)
    assert sorted(everything) == sorted(problems())


def test_families_take_turns() -> None:
    families = {problem.family for problem in problems()}
    assert {each.family for each in pick(problems(), len(families), None, 0)} == families
    one = problems()[0].family
    assert {each.family for each in pick(problems(), 4, one, 0)} == {one}


def test_what_there_is_not() -> None:
    with pytest.raises(WrongUse, match="no family is called 'chess'"):
        pick(problems(), 1, "chess", 0)
    with pytest.raises(WrongUse, match="too many"):
        pick(problems(), len(problems()) + 1, None, 0)


@pytest.mark.parametrize(("plan", "ending"), [(bundled_pair(), ""), (OTHER, BOX)])
async def test_other_models_are_asked_for_the_box_that_they_are_graded_by(
    plan: PlannedPair, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem("counting", "How many are 2 and 3?", "5")
    task = Demo(plan, [problem], "trigreason", Sampling())
    said = [say(r"So.</think>\n\n\boxed{5}")]
    async with scripted_pair(said * 2, said * 2) as double:

        @asynccontextmanager
        async def opened(*_: object) -> AsyncIterator[Pair]:
            yield double.pair

        monkeypatch.setattr(demo, "opened_pair", opened)
        await perform(task, None)
    asked = f"{problem.question}\n\n{ending}".strip()
    for prompt in (*double.srm.prompts, *double.lrm.prompts):
        assert f"user\n{asked}<|im_end|>" in prompt
    assert {method: task.right(method) for method in task.traces} == dict.fromkeys(task.traces, 1)


def test_help_and_version(command: Command) -> None:
    assert command("--version").out.startswith("trigreason ")
    for arguments in ((), ("--help",), ("trace",), ("demo", "--help")):
        told = command(*arguments)
        assert (told.code, told.err) == (0, "")
        assert "Usage" in told.out


def test_every_threshold_has_its_flag_and_the_papers_default(command: Command) -> None:
    told = command("solve", "--help").out
    for each in ("--n", "--tau", "τ", "--rho", "ρ", "--direction", "--k", "--m", "20", "1.05"):
        assert each in told


def test_no_such_command(command: Command) -> None:
    command("frobnicate").check_complaint(2, "No such command", "--help")

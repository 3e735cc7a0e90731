"""Comparisons of the bundled pair, as Inspect runs them and as they are gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from trigreason import bundled
from trigreason.configuration import (
    bundled_pair,
    opening,
    planned_pair,
    read_configuration,
)
from trigreason.engines.base import EngineRefused, NotAModel
from trigreason.engines.embedded import load
from trigreason.engines.embedded.engine import EmbeddedEngine
from trigreason.evaluation.answering import own_arm
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import ArmOutcome, Plan, compare
from trigreason.evaluation.lanes import Lanes
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Message, Trace

pytestmark = pytest.mark.slow

PAIR = bundled_pair()
ARMS = tuple(replace(own_arm(PAIR), method=method) for method in ("lrm", "trigreason"))
FAMILIES = ("boolean_expressions", "navigate")
Named = tuple[str, str, int]


@dataclass
class Noted:
    """A watcher that writes down what it is told."""

    planned: int = 0
    kept: list[Named] = field(default_factory=list)
    made: list[Named] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    times_opened: int = 0

    def opened(self) -> None:
        self.times_opened += 1

    def begin(self, planned: int, kept: Mapping[Arm, Iterable[Run]]) -> None:
        self.planned = planned
        self.kept = [named(arm, run) for arm, runs in kept.items() for run in runs]

    def finished(self, arm: Arm, run: Run) -> None:
        self.made.append(named(arm, run))

    def failed(self, arm: Arm, reason: str) -> None:
        self.reasons.append(reason)


def named(arm: Arm, run: Run) -> Named:
    assert run.trace.method == arm.method
    return arm.method, run.sample, run.epoch


def a_plan(logs: Path, **changes: object) -> Plan:
    plan = Plan(task="bundled", pair=PAIR, arms=ARMS, logs=logs, groups=FAMILIES, limit=2)
    return replace(plan, **changes)  # type: ignore[arg-type]  # changes are a plan's own


def done(plan: Plan) -> tuple[list[ArmOutcome], Noted]:
    noted = Noted()
    return [replace(each, runs=list(each.runs)) for each in compare(plan, noted)], noted


def fingerprints(outcomes: Iterable[ArmOutcome]) -> list[list[tuple[str, int, str]]]:
    return [
        [(run.sample, run.epoch, run.trace.fingerprint()) for run in outcome.runs]
        for outcome in outcomes
    ]


@pytest.mark.slow
def test_what_is_there_is_not_run_again(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, limit=1)
    first, noted = done(plan)
    assert (noted.planned, noted.kept) == (1, [])
    assert sorted(noted.made) == [(arm.method, "boolean_expressions/0", 1) for arm in ARMS]
    assert all(outcome.complete and outcome.errors == [] for outcome in first)
    assert all(run.right is not None and run.target for each in first for run in each.runs)

    again, noted = done(plan)
    assert (len(noted.kept), noted.made) == (2, [])
    assert again == first

    more, noted = done(a_plan(tmp_path, limit=2, epochs=2))
    assert len(noted.kept) == 2
    assert len(noted.made) == 2 * (2 * 2 - 1)
    assert not set(noted.kept) & set(noted.made)
    assert len(list(tmp_path.glob("*.eval"))) == len(ARMS), "what was gone on with is removed"

    fewer, noted = done(plan)
    assert noted.made == []
    assert fingerprints(fewer) == fingerprints(first)
    assert [outcome.log for outcome in fewer] == [outcome.log for outcome in more]


@pytest.mark.slow
def test_more_answers_and_more_questions_in_turns_make_no_run_twice(tmp_path: Path) -> None:
    plan, made = a_plan(tmp_path, arms=ARMS[:1]), list[Named]()
    for limit, epochs in ((1, 3), (3, 1), (3, 3)):
        ((outcome,), noted) = done(replace(plan, limit=limit, epochs=epochs))
        assert outcome.complete
        made += noted.made
    assert len(made) == len(set(made)) == 9
    assert len(list(tmp_path.glob("**/*.eval"))) == 1


@pytest.mark.slow
def test_arms_and_seeds_share_a_folder(tmp_path: Path) -> None:
    small = a_plan(tmp_path, arms=ARMS[:1], limit=1)
    ((first,), _) = done(small)
    other_arm = replace(ARMS[0], budget=replace(ARMS[0].budget, thinking_tokens=40))
    outcomes, noted = done(replace(small, arms=(ARMS[0], other_arm)))
    assert (len(noted.kept), len(noted.made)) == (1, 1)
    assert outcomes[0] == first
    assert outcomes[1].runs[0].trace.thinking_tokens <= 40
    _, noted = done(replace(small, seed=1))
    assert (len(noted.kept), len(noted.made)) == (0, 1)


@pytest.mark.slow
def test_a_run_that_fails_is_tried_again_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Lanes.answer

    async def refusing(self: Lanes, messages: tuple[Message, ...], arm: Arm, seed: int) -> Trace:
        """A double of a server that refuses one arm's questions of one kind."""
        if arm.method == "lrm" and "starting point" in messages[-1].content:
            raise EngineRefused("the server said 400", "somewhere", "Ask for something else.")
        return await answer(self, messages, arm, seed)

    plan = a_plan(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Lanes, "answer", refusing)
        (lrm, trigreason), noted = done(plan)
    assert (lrm.complete, trigreason.complete) == (False, True)
    assert [run.sample for run in lrm.runs] == ["boolean_expressions/0"]
    ((sample, epoch, reason),) = [(e.sample, e.epoch, e.reason) for e in lrm.errors]
    assert (sample, epoch) == ("navigate/0", 1)
    assert reason == "somewhere: the server said 400. Ask for something else."
    assert noted.reasons == [reason]

    (lrm, trigreason), noted = done(plan)
    assert noted.made == [("lrm", "navigate/0", 1)]
    assert lrm.complete
    assert not lrm.errors


CONFIGURED = """
[engines.small]
file = "{srm}"

[engines.large]
file = "{lrm}"

[pairs.mine]
srm = "small"
lrm = "large"
budget = {{ thinking_tokens = 300, answer_tokens = 32 }}
"""


@pytest.mark.slow
def test_a_pair_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "trigreason.toml"

    def plan(**models: Path) -> Plan:
        file.write_text(CONFIGURED.format(**models))
        pair = planned_pair(read_configuration(file, {}), "mine")
        return a_plan(tmp_path / "logs", pair=pair, arms=(own_arm(pair),), limit=1, config=file)

    loaded: list[Path] = []

    async def counting(path: Path, **how: Any) -> EmbeddedEngine:
        loaded.append(path)
        return await load(path, **how)

    monkeypatch.setattr(opening, "load", counting)
    mine = plan(srm=bundled.SRM_FILE, lrm=bundled.LRM_FILE)
    ((outcome,), noted) = done(mine)
    assert sorted(loaded) == sorted([bundled.SRM_FILE, bundled.LRM_FILE]), "each but once"
    assert noted.times_opened == 1
    assert outcome.complete, outcome.errors
    (run,) = outcome.runs
    assert (run.pair, run.trace.method) == ("mine", "trigreason")
    monkeypatch.chdir(tmp_path)
    _, noted = done(replace(mine, config=Path("trigreason.toml"), connections=3))
    assert noted.made == [], "neither the folder nor the connections make another comparison"
    with pytest.raises(ValueError, match=rf"other models .*LRM {bundled.LRM_FILE}"):
        compare(plan(srm=bundled.SRM_FILE, lrm=bundled.SRM_FILE))


@pytest.mark.slow
def test_models_that_cannot_be_loaded_are_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = 0

    async def failing(path: Path, **how: Any) -> EmbeddedEngine:
        nonlocal loads
        loads += 1
        raise NotAModel("llama.cpp cannot load it", str(path), "Try another.")

    monkeypatch.setattr(opening, "load", failing)
    file = tmp_path / "trigreason.toml"
    file.write_text(CONFIGURED.format(srm=bundled.SRM_FILE, lrm=bundled.LRM_FILE))
    pair = planned_pair(read_configuration(file, {}), "mine")
    noted = Noted()
    with pytest.raises(NotAModel, match="cannot load it"):
        compare(a_plan(tmp_path / "logs", pair=pair, config=file), noted)
    assert loads <= 2, "each model once"
    assert noted.times_opened == 0


def test_two_comparisons_in_one_folder_at_once(tmp_path: Path) -> None:
    told = "another comparison or calibration is at"
    with FileLock(tmp_path / ".lock"), pytest.raises(ValueError, match=told):
        compare(a_plan(tmp_path))


@pytest.mark.slow
def test_a_log_that_was_cut_off(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, arms=ARMS[:1], limit=1)
    ((outcome,), _) = done(plan)
    assert outcome.log is not None
    outcome.log.write_bytes(outcome.log.read_bytes()[:3000])
    with pytest.raises(ValueError, match=rf"{outcome.log.name} cannot be read.*move it away"):
        compare(plan)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"arms": ()}, "one arm or more"),
        ({"arms": (ARMS[0], ARMS[0])}, "no two of them alike"),
        ({"epochs": 0}, "one epoch or more"),
    ],
)
def test_plans_that_cannot_be(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        a_plan(tmp_path, **changes)


def test_questions_that_are_not_there_leave_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no group 'navigation'"):
        compare(a_plan(tmp_path / "logs", groups=("navigation",)))
    assert not (tmp_path / "logs").exists()

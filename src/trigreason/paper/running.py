"""An item carried out: its runs made or read from logs, and turned into a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from trigreason.configuration import BUNDLED, PlannedPair
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import Plan
from trigreason.evaluation.runs import Run
from trigreason.paper.item import Item, ItemSetting
from trigreason.paper.judging import Judges
from trigreason.paper.kinds import STUDIES
from trigreason.paper.result import Result
from trigreason.paper.wanted import Wanted, arm_of, described
from trigreason.paper.work import Recorded, Work


class ComparedArm(Protocol):
    """What a comparison says of one arm: its finished runs, and how many were wanted."""

    @property
    def arm(self) -> Arm: ...

    @property
    def runs(self) -> Sequence[Run]: ...

    @property
    def planned(self) -> int: ...


Compare = Callable[[Plan, Mapping[Arm, str]], Sequence[ComparedArm]]
"""Carries out a plan, as ``trigreason.evaluation.comparison.compare`` does; with it come the
names of its arms.
"""


def carry_out(
    item: Item, wanted: Wanted, compare: Compare, tell: Callable[[str], None] = lambda _: None
) -> Result:
    """Make the runs that the logs lack, and make the item's numbers of all of them.

    All items share a log folder per pair and task, so an arm that another item ran already is
    not run again. ``tell`` hears in words what goes on besides the runs.

    Raises:
        EngineError, ValueError: the runs cannot be made, or there are too few of them.
    """
    setting = wanted.setting(item)
    recorded: list[Recorded] = []
    for pair in wanted.pairs:
        for task in setting.tasks:
            recorded += _recorded(pair, task, setting, wanted, compare)
    work = Work(
        item=item,
        setting=setting,
        recorded=recorded,
        judging=Judges(wanted, tell),
        measured=wanted.measured,
    )
    made = STUDIES[item.kind](work)
    return Result(
        item=item,
        quick=wanted.quick,
        rows=made.rows,
        setup=_setup(wanted, setting, recorded),
        notes=[*made.notes, *_stand_in(recorded), *_incomplete(recorded)],
        detail=made.detail,
        missing=sum(each.missing for each in recorded),
    )


def _recorded(
    pair: PlannedPair, task: str, setting: ItemSetting, wanted: Wanted, compare: Compare
) -> list[Recorded]:
    planned = [(each, arm_of(pair, each, setting)) for each in setting.arms()]
    plan = Plan(
        task=task,
        pair=pair,
        arms=tuple(dict.fromkeys(arm for _, arm in planned)),
        logs=wanted.out / "logs" / pair.name / task,
        data=wanted.data,
        limit=setting.limit,
        epochs=setting.epochs,
        seed=wanted.seed,
        connections=wanted.connections,
        config=wanted.config,
    )
    names: dict[Arm, str] = {}
    for each, arm in planned:
        names.setdefault(arm, each.label)
    outcomes = {outcome.arm: outcome for outcome in compare(plan, names)}
    for arm, outcome in outcomes.items():
        if not outcome.runs:
            raise ValueError(
                f"{names[arm]} ({pair.name}, {task}) has no finished run; inspect view "
                f"--log-dir {plan.logs} shows why, and the same command tries again"
            )
    return [
        Recorded(
            pair=pair.name,
            task=task,
            planned=each,
            arm=arm,
            runs=outcomes[arm].runs,
            missing=outcomes[arm].planned - len(outcomes[arm].runs),
        )
        for each, arm in planned
    ]


def _setup(wanted: Wanted, setting: ItemSetting, recorded: Sequence[Recorded]) -> dict[str, Any]:
    return {
        "pairs": {pair.name: dict(described(pair)) for pair in wanted.pairs},
        "tasks": list(setting.tasks),
        "data": wanted.data or "as shipped or from the hub",
        "questions": {
            f"{each.pair} · {each.task}": len({run.sample for run in each.runs})
            for each in recorded
        },
        "epochs": setting.epochs,
        "seed": wanted.seed,
        "arms": [
            {"pair": each.pair, "task": each.task, "label": each.planned.label}
            | each.arm.to_args()
            | {"runs": len(each.runs)}
            for each in recorded
        ],
    }


def _stand_in(recorded: Sequence[Recorded]) -> list[str]:
    """What to know of SpecReason with the bundled pair."""
    if any(each.pair == BUNDLED and each.arm.method == "specreason" for each in recorded):
        return [
            "The bundled LRM is a poor judge (see the bundled pair's page), so SpecReason's "
            "numbers with it say nothing about SpecReason with other models."
        ]
    return []


def _incomplete(recorded: Sequence[Recorded]) -> list[str]:
    """A sentence for each arm that has fewer answers than wanted."""
    return [
        f"{each.planned.label} ({each.pair}, {each.task}) lacks {each.missing} of "
        f"{each.missing + len(each.runs)} answers; the same command tries them again."
        for each in recorded
        if each.missing
    ]

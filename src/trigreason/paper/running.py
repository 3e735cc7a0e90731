"""Computes an item's result from its runs, which are read from logs or made now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from trigreason.configuration import PlannedPair
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.comparison import Plan
from trigreason.evaluation.runs import Run
from trigreason.paper.item import Item, ItemSetting
from trigreason.paper.judging import Judges
from trigreason.paper.kinds import STUDIES
from trigreason.paper.notes import notes_on
from trigreason.paper.reproduction import Reproduction, arm_of, described
from trigreason.paper.result import Result
from trigreason.paper.work import Recorded, Work


class ComparedArm(Protocol):
    """One arm of a comparison: its finished runs, and the number of planned ones."""

    @property
    def arm(self) -> Arm: ...

    @property
    def runs(self) -> Sequence[Run]: ...

    @property
    def planned(self) -> int: ...


Compare = Callable[[Plan, Mapping[Arm, str]], Sequence[ComparedArm]]
"""Runs a plan like ``trigreason.evaluation.comparison.compare``; the mapping names its arms."""


def carry_out(
    item: Item,
    options: Reproduction,
    compare: Compare,
    tell: Callable[[str], None] = lambda _: None,
) -> Result:
    """Make the runs that the logs lack, and compute the item's result from all runs.

    All items share one log folder per pair and task, so an arm is not run again for another
    item. ``tell`` is called with messages about work besides the runs.

    Raises:
        EngineError, ValueError: the runs fail, or there are too few of them.
    """
    setting = options.setting(item)
    recorded: list[Recorded] = []
    for pair in options.pairs:
        for task in setting.tasks:
            recorded += _recorded(pair, task, setting, options, compare)
    work = Work(
        item=item,
        setting=setting,
        recorded=recorded,
        judging=Judges(options, tell),
        measured=options.measured,
    )
    numbers = STUDIES[item.kind](work)
    return Result(
        item=item,
        quick=options.quick,
        rows=numbers.rows,
        setup=_setup(options, setting, recorded),
        notes=[*numbers.notes, *notes_on(recorded)],
        tables=numbers.tables,
        detail=numbers.detail,
        missing=sum(arm.missing for arm in recorded),
    )


def _recorded(
    pair: PlannedPair, task: str, setting: ItemSetting, options: Reproduction, compare: Compare
) -> list[Recorded]:
    arms = [(planned, arm_of(pair, task, planned, setting)) for planned in setting.arms()]
    plan = Plan(
        task=task,
        pair=pair,
        arms=tuple(dict.fromkeys(arm for _, arm in arms)),
        logs=options.out / "logs" / pair.name / task,
        data=options.data,
        limit=setting.limit,
        epochs=setting.epochs,
        seed=options.seed,
        connections=options.connections,
        config=options.config,
    )
    names: dict[Arm, str] = {}
    for planned, arm in arms:
        names.setdefault(arm, planned.label)
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
            planned=planned,
            arm=arm,
            runs=outcomes[arm].runs,
            missing=outcomes[arm].planned - len(outcomes[arm].runs),
        )
        for planned, arm in arms
    ]


def _setup(
    options: Reproduction, setting: ItemSetting, recorded: Sequence[Recorded]
) -> dict[str, Any]:
    return {
        "pairs": {pair.name: dict(described(pair)) for pair in options.pairs},
        "tasks": list(setting.tasks),
        "data": options.data or "as shipped or from the hub",
        "questions": {
            f"{arm.pair} · {arm.task}": len({run.sample for run in arm.runs}) for arm in recorded
        },
        "epochs": setting.epochs,
        "seed": options.seed,
        "arms": [
            {"pair": arm.pair, "task": arm.task, "label": arm.planned.label}
            | arm.arm.to_args()
            | {"runs": len(arm.runs)}
            for arm in recorded
        ],
    }

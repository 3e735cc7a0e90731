"""From what somebody wants to sizes and arms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trigreason.budget import Budget
from trigreason.bundled import profile
from trigreason.configuration import PairSettings, PlannedPair, bundled_pair
from trigreason.engines.base import Sampling
from trigreason.paper.item import PlannedArm
from trigreason.paper.item_files import catalogue
from trigreason.paper.reproduction import Reproduction, arm_of
from trigreason.reasoning import Direction, Thresholds
from trigreason.reasoning.thresholds import AS_IN_THE_PAPER

OWN = Thresholds(rho=0.75, k=3)
GREEDY, SHORT = Sampling(temperature=0), Budget(thinking_tokens=9)
OTHER = PlannedPair(
    "other",
    PairSettings(srm="s", lrm="l").model_copy(
        update={"thresholds": OWN, "sampling": GREEDY, "budget": SHORT}
    ),
)


def wanted(**given: Any) -> Reproduction:
    defaults: dict[str, Any] = {"out": Path("out"), "pairs": (OTHER,)}
    return Reproduction(**(defaults | given))


def test_sizes_are_the_item_s_unless_others_are_wanted() -> None:
    item = catalogue()["fig4"]
    assert wanted().setting(item) == item.full
    changed = wanted(tasks=("bbh",), limit=3, epochs=2, budget=99).setting(item)
    assert (changed.tasks, changed.limit, changed.epochs, changed.thinking_tokens) == (
        ("bbh",), 3, 2, 99,
    )  # fmt: skip
    assert changed.methods == item.full.methods
    assert wanted(pairs=(bundled_pair(),), quick=True).setting(item) == item.quick


def test_an_arm_is_the_paper_s_with_the_item_s_changes_and_nothing_of_the_pair_s() -> None:
    setting = catalogue()["fig4"].full
    changes = {"n": 5, "direction": "under"}
    arm = arm_of(OTHER, "aime24", PlannedArm(label="a", changes=changes), setting)
    assert arm.thresholds == replace(AS_IN_THE_PAPER, n=5, direction=Direction.UNDER)
    assert (arm.sampling, arm.budget) == (Sampling(), Budget())
    short = arm_of(OTHER, "aime24", PlannedArm(label="a", thinking_tokens=7), setting)
    assert short.budget.thinking_tokens == 7
    by_task = arm_of(OTHER, "arc_challenge", PlannedArm(label="a"), setting)
    assert by_task.thresholds == replace(AS_IN_THE_PAPER, n=5)


SWEPT = {"fig6a": "rho", "fig6b": "n", "fig6c": "m", "figk": "k", "figtau": "tau", "fig7": ""}


@pytest.mark.parametrize("name", ["fig1", "fig2c", "fig2d", "fig4", "fig5", "table1", *SWEPT])
def test_the_quick_size_says_the_bundled_pair_s_thresholds(name: str) -> None:
    """All but the swept one, and what an item says that it changes."""
    setting, own = catalogue()[name].quick, replace(profile(), risk_model=None, risk=0.5)
    changed = {"fig6c": {"k", "rho"}, "figk": {"rho"}}.get(name, set()) | {SWEPT.get(name)}
    for planned in setting.arms():
        if planned.method == "trigreason":
            given = arm_of(bundled_pair(), "bundled", planned, setting).thresholds
            for each in ("n", "tau", "rho", "direction", "k", "m"):
                if each not in changed:
                    assert getattr(given, each) == getattr(own, each), (planned.label, each)
            assert given.repeats == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"quick": True}, "made for the bundled pair"),
        ({"pairs": (bundled_pair(),)}, "cannot do the paper's tasks; add --quick"),
        ({"pairs": (bundled_pair(),), "quick": True, "tasks": ("bbh",)}, "has its own task"),
        ({"pairs": (OTHER, OTHER)}, "named twice"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wanted(**given)


def test_the_bundled_pair_may_do_a_task_that_is_named() -> None:
    assert wanted(pairs=(bundled_pair(),), tasks=("bundled",)).tasks == ("bundled",)

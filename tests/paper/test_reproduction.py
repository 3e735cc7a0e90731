"""From what somebody wants to sizes and arms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trigreason.bundled import profile
from trigreason.configuration import PairSettings, PlannedPair, bundled_pair
from trigreason.paper.item import PlannedArm
from trigreason.paper.item_files import catalogue
from trigreason.paper.reproduction import Reproduction, arm_of
from trigreason.reasoning import Direction, Thresholds

OWN = Thresholds(rho=0.75, k=3)
OTHER = PlannedPair("other", PairSettings(srm="s", lrm="l").model_copy(update={"thresholds": OWN}))


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


def test_an_arm_is_the_pair_s_own_with_the_item_s_changes() -> None:
    setting = catalogue()["fig4"].full
    arm = arm_of(OTHER, PlannedArm(label="a", changes={"n": 5, "direction": "under"}), setting)
    expected = replace(OWN, n=5, direction=Direction.UNDER)
    assert arm.thresholds == expected
    assert arm.budget == replace(OTHER.settings.budget, thinking_tokens=8192)
    own = arm_of(OTHER, PlannedArm(label="a", thinking_tokens=7), setting)
    assert own.budget.thinking_tokens == 7


def test_the_quick_size_leaves_the_bundled_pair_its_profile() -> None:
    setting = catalogue()["fig4"].quick
    [*_, planned] = setting.arms()
    assert arm_of(bundled_pair(), planned, setting).thresholds == replace(
        profile(), risk_model=None
    )


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

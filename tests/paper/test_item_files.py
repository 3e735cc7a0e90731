"""The items that come along fit the schema, and a wrong item says what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trigreason.evaluation.questions import TASKS
from trigreason.paper.drawing import FIGURES
from trigreason.paper.item_files import catalogue, chosen, read_item
from trigreason.paper.kinds import STUDIES
from trigreason.studies.simulation import DEPLOYMENTS

EVERYTHING = [
    "fig1", "fig2a", "fig2b", "fig2c", "fig2d", "fig3", "fig4", "fig5", "fig6a", "fig6b", "fig6c",
    "fig7", "fig8", "figk", "figtau", "table1", "table2", "table4", "appendix-d", "appendix-e",
]  # fmt: skip

IN_THE_PAPER = {
    "Figure 1": ["fig1"],
    "Figure 2(a)": ["fig2a"],
    "Figure 2(b)": ["fig2b"],
    "Figure 2(c)": ["fig2c"],
    "Figure 2(d)": ["fig2d"],
    "Figure 3": ["fig3"],
    "Figure 4": ["fig4"],
    "Figure 5": ["fig5"],
    "Figure 6(a)": ["fig6a"],
    "Figure 6(b)": ["fig6b"],
    "Figure 6(c)": ["fig6c"],
    "Figure 7": ["fig7"],
    "Figure 8": ["fig8"],
    "Figure 9": ["fig3"],
    "Figure 10": ["fig3"],
    "Figure 11": ["fig3"],
    "Table 1": ["table1"],
    "Table 2": ["table2"],
    "Table 3": ["appendix-e"],
    "Table 4": ["table4"],
    "Table 5": ["table4"],
}
"""Every figure and table of the paper, and the items whose section names it."""

PAPER_SAYS = {
    ("table1", "bbh", "TrigReason", "accuracy"): 0.687,
    ("table1", "arc_challenge", "LRM only", "accuracy"): 0.957,
    ("table2", "aime24", "0.85-20-1", "offload"): 0.2595,
    ("table2", "aime24", "0.85-20-0", "accuracy"): 0.2333,
    ("fig2c", "aime24", "SpecReason", "seconds_vs_lrm"): 0.2244,
    ("fig2c", "aime24", "TrigReason", "seconds_vs_specreason"): -0.439,
    ("fig2d", "aime24", "SpecReason", "usd_vs_lrm"): 0.4231,
    ("fig2d", "aime24", "TrigReason", "usd_vs_specreason"): -0.733,
    ("fig4", "aime25", "TrigReason", "accuracy_vs_lrm"): 1.047,
    ("fig1", "unnamed", "SpecReason", "smt"): 0.3555,
    ("fig1", "unnamed", "TrigReason", "smt"): 0.6137,
    ("table4", "aime24", "Table 4, step 1", "ratio"): 0.955,
    ("table4", "aime24", "Table 5, step 5", "ratio"): 0.929,
    ("fig5", "aime24", "TrigReason", "accuracy_minus_lrm"): -0.0249,
    ("fig6b", "aime24", "n = 0 for n = 20", "accuracy_change"): -0.254,
    ("fig8", "aime24", "LRM's own", "rejected"): 0.534,
    ("appendix-d", "aime24", "wrong trajectories", "overconfident_trajectories"): 0.946,
}
"""Numbers read off the paper's text once more."""

GOOD = """
title = "t"
section = "s"
kind = "plane"
about = "a"
[paper]
models = "m"
said = "x"
numbers = [{ task = "t", arm = "a", measure = "accuracy", value = 0.5 }]
[full]
tasks = ["aime24"]
epochs = 1
thinking_tokens = 10
methods = ["srm"]
[quick]
tasks = ["bundled"]
epochs = 1
thinking_tokens = 10
methods = ["srm"]
"""


def test_all_items_are_there_in_the_paper_s_order() -> None:
    assert list(catalogue()) == EVERYTHING


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_item_names_what_there_is(name: str) -> None:
    item = catalogue()[name]
    assert item.kind in STUDIES
    assert item.kind in FIGURES
    for setting in (item.full, item.quick):
        assert set(setting.tasks) <= set(TASKS)
        assert setting.deployment is None or setting.deployment in DEPLOYMENTS
    assert item.quick.tasks == ("bundled",)
    assert item.quick.thinking_tokens < 1024


def test_numbers_are_the_paper_s() -> None:
    given = {
        (item.id, each.task, each.arm, each.measure): each.value
        for item in catalogue().values()
        for each in item.paper.numbers
    }
    assert {key: given[key] for key in PAPER_SAYS} == PAPER_SAYS


def test_figure_4_has_the_best_pair_and_the_range_of_smt() -> None:
    numbers = catalogue()["fig4"].paper.numbers
    [best] = [each for each in numbers if each.value == 1.193]
    assert (best.task, best.models) == ("aime24", "Qwen3-0.6B + Qwen3-30B-A3B-Thinking-2507")
    [times] = [each for each in numbers if each.measure == "smt_vs_specreason"]
    assert (times.low, times.high) == (1.70, 4.79)
    assert not any(each.measure == "smt" for each in numbers), "those of Figure 1 are not here"


def named_in(section: str) -> set[str]:
    """The figures and tables that a section names, one by one."""
    names: set[str] = set()
    number = r"\d+(?:\([a-z]\))?"
    for kind, numbers in re.findall(rf"(Figure|Table)s? ((?:{number}(?:, | and )?)+)", section):
        names |= {f"{kind} {each}" for each in re.findall(number, numbers)}
    return names


def test_every_figure_and_table_of_the_paper_has_an_item() -> None:
    found: dict[str, list[str]] = {}
    for item in catalogue().values():
        for name in named_in(item.section):
            found.setdefault(name, []).append(item.id)
    assert found == IN_THE_PAPER


def test_the_shares_of_table_2_add_up_to_its_totals() -> None:
    shares: dict[str, dict[str, float]] = {}
    for each in catalogue()["table2"].paper.numbers:
        assert each.value is not None
        shares.setdefault(each.arm, {})[each.measure] = each.value
    assert len(shares) == 5
    for arm, own in shares.items():
        total = own["offload"] + own["priming"] + own["request"]
        assert total == pytest.approx(own["triggered"], abs=2e-4), arm


def test_items_come_in_their_order_and_once() -> None:
    assert [item.id for item in chosen(["table1", "fig4", "table1"])] == ["fig4", "table1"]


def test_an_unknown_item_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no item is called 'fig6d'; did you mean fig6"):
        chosen(["fig6d"])


def test_a_sweep_gives_an_arm_per_value_and_method() -> None:
    arms = catalogue()["fig7"].full.arms()
    assert len(arms) == 20
    assert {(arm.method, arm.thinking_tokens) for arm in arms} == {
        (method, tokens)
        for method in ("srm", "lrm", "specreason", "trigreason")
        for tokens in (2048, 4096, 8192, 16384, 32768)
    }
    by_n = {
        arm.x: arm.changes["n"] for arm in catalogue()["fig6b"].full.arms() if arm.x is not None
    }
    assert by_n == {0: 0, 10: 10, 20: 20, 30: 30, 40: 40, 50: 50}


def test_models_alone_have_no_thresholds_of_their_own() -> None:
    """So that items share their runs."""
    for item in catalogue().values():
        for setting in (item.full, item.quick):
            for arm in setting.arms():
                assert arm.method == "trigreason" or not arm.changes, (item.id, arm.label)


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('kind = "pie"', 'kind = "plane"', "kind: Input should be"),
        ("epochs = 0", "epochs = 1", "full.epochs: Input should be greater"),
        ('methods = ["magic"]', 'methods = ["srm"]', "full.methods.0: Input should be"),
        ("colour = 1\nepochs = 1", "epochs = 1", "full.colour: Extra inputs"),
        ("methods = []", 'methods = ["srm"]', "full: has no arms"),
        ("thresholds = { roh = 1 }\nepochs = 1", "epochs = 1", "unknown threshold 'roh'"),
        ("thresholds = { rho = 2 }\nepochs = 1", "epochs = 1", "rho"),
        ('measure = "accurate"', 'measure = "accuracy"', "no measure is called 'accurate'"),
        ("value = 0.5, low = 0.1", "value = 0.5", "needs either value"),
        ('kind = "sweep"', 'kind = "plane"', "full: a sweep varies something"),
        ('kind = "deployment"', 'kind = "plane"', "deployment needs full.deployment"),
        ("kind = ", 'kind = "plane"', "is no TOML"),
    ],
)
def test_a_wrong_item_says_what_is_wrong(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD)
    assert read_item(file).id == "mine"
    file.write_text(GOOD.replace(right, wrong, 1))
    with pytest.raises(ValueError, match=told) as caught:
        read_item(file)
    assert str(caught.value).startswith("mine.toml: ")
    assert "\n" not in str(caught.value)


def test_arms_have_different_names(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    config = '{ label = "one" }'
    file.write_text(GOOD.replace('methods = ["srm"]', f"configs = [{config}, {config}]", 1))
    with pytest.raises(ValueError, match="two arms are both called 'one'"):
        read_item(file)

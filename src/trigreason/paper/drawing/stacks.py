"""Table 2 as a figure: the share of steps by trigger, with accuracy beside it."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import PAPER, TRIGGERS, figure
from trigreason.paper.drawing.bars import GAP, draw_groups, rows_needed
from trigreason.paper.drawing.lists import groups_of
from trigreason.paper.drawing.look import titled
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import Result
from trigreason.reasoning import Trigger
from trigreason.reasoning.names import TRIGGER_NAMES

_PARTS = {
    "offload": Trigger.COGNITIVE_OFFLOAD,
    "priming": Trigger.STRATEGIC_PRIMING,
    "request": Trigger.INTERVENTION_REQUEST,
    "repetition": Trigger.REPETITION,
}
"""The measures that are stacked, from left to right, and their triggers."""


def stacks(result: Result) -> Figure:
    """One row per setting, measured ones first."""
    has_paper = result.shares_the_papers_axis
    accuracy = groups_of(result, "accuracy", with_paper=has_paper)
    drawn = figure(9.6, 1.5 + 0.25 * rows_needed(accuracy))
    left, right = drawn.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    draw_groups(right, accuracy, MEASURES["accuracy"])
    right.set_xlim(0, 118)
    right.set_xticks(range(0, 101, 20))
    at = 0.0
    for shares_of_arms in _groups(result):
        for shares, is_paper in shares_of_arms:
            at += 1
            _stack(left, shares, at, is_paper=is_paper)
        at += GAP
    left.set_xlim(0, 1.12 * left.get_xlim()[1])
    left.set_xlabel("share of the final thinking's steps (%)")
    left.set_ylabel("ρ-n-m" if has_paper else "ρ-n-m, reversed: r < ρ fires")
    left.grid(visible=False, axis="y")
    for measure, trigger in _PARTS.items():
        of_paper = has_paper and result.paper(measure)
        if any(row.estimate.value for row in result.of(measure)) or of_paper:
            look = TRIGGERS[trigger]
            name = TRIGGER_NAMES[trigger]
            left.bar(0, 0, color=look.colour, hatch=look.hatch, edgecolor="white", label=name)
    if has_paper:
        left.bar(0, 0, facecolor="white", edgecolor=PAPER.colour, hatch=PAPER.hatch, label="paper")
    handles, labels = left.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=5)
    titled(drawn, result)
    return drawn


def _groups(result: Result) -> list[list[tuple[dict[str, float], bool]]]:
    """Each arm's shares, in the order of the accuracies, and whether they are the paper's."""
    measured: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    paper: dict[str, dict[str, dict[str, float]]] = {}
    for row in result.rows:
        arms = measured.setdefault((row.pair, row.task), {})
        arms.setdefault(row.arm, {})[row.measure] = row.estimate.value
    for number in result.item.paper.numbers if result.shares_the_papers_axis else ():
        assert number.value is not None, "Table 2 gives no ranges"
        shares = paper.setdefault(number.task, {}).setdefault(number.arm, {})
        shares[number.measure] = number.value
    return [
        [({part: shares.get(part, 0.0) for part in _PARTS}, is_paper) for shares in arms.values()]
        for is_paper, sources in ((False, measured), (True, paper))
        for arms in sources.values()
    ]


def _stack(panel: Axes, shares: dict[str, float], at: float, *, is_paper: bool) -> None:
    left = 0.0
    for measure, share in shares.items():
        if not share:
            continue
        look = TRIGGERS[_PARTS[measure]]
        panel.barh(
            at,
            100 * share,
            left=left,
            height=0.72,
            facecolor="white" if is_paper else look.colour,
            edgecolor=look.colour if is_paper else "white",
            hatch=PAPER.hatch if is_paper else look.hatch,
            linewidth=1.2 if is_paper else 0.4,
        )
        left += 100 * share
    panel.annotate(
        f"{left:.1f}",
        (left, at),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
    )

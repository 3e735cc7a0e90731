"""Measured numbers and the paper's as bars, grouped by source."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import figure
from trigreason.paper.drawing.bars import Bar, Group, draw_groups, rows_needed
from trigreason.paper.drawing.look import titled
from trigreason.paper.item import PaperNumber
from trigreason.paper.kinds.costs import cost_of
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import MeasuredNumber, Result

_SHOWN = {
    "methods": ("accuracy",),
    "overview": ("smt", "accuracy", "seconds"),
    "overconfidence": ("overconfident_trajectories", "overconfident_steps"),
}
"""The measures that a kind draws, one panel each."""


def lists(result: Result) -> Figure:
    """One panel per measure."""
    measures = _SHOWN[result.item.kind]
    groups = {measure: groups_of(result, measure) for measure in measures}
    rows = max(rows_needed(bars) for bars in groups.values())
    height = 0.9 + 0.24 * rows
    drawn = figure(5.8 if len(measures) == 1 else 4.4 * len(measures) + 0.6, height)
    panels = drawn.subplots(1, len(measures), squeeze=False)[0]
    for panel, measure in zip(panels, measures, strict=True):
        draw_groups(panel, groups[measure], MEASURES[measure])
        panel.set_ylim(rows - 0.7, -0.8)
        if MEASURES[measure].unit == "%":
            panel.set_xlim(0, 112)
            panel.set_xticks(range(0, 101, 20))
        else:
            panel.set_xlim(0, 1.15 * panel.get_xlim()[1])
    titled(drawn, result)
    return drawn


def groups_of(result: Result, measure: str, *, with_paper: bool = True) -> list[Group]:
    """The measured bars by pair and task, then the paper's by task."""
    measured: dict[str, list[Bar]] = {}
    for row in result.of(measure):
        measured.setdefault(f"{row.pair} pair, {row.task} task", []).append(_bar_of(row))
    paper: dict[str, list[Bar]] = {}
    for number in result.paper(measure) if with_paper else ():
        paper.setdefault(f"paper, {number.task} task", []).append(_paper_bar(number))
    return [Group(heading, bars) for heading, bars in (measured | paper).items()]


def _bar_of(row: MeasuredNumber) -> Bar:
    return Bar(row.arm, row.estimate.value, row.estimate, row.method)


def _paper_bar(number: PaperNumber) -> Bar:
    """A bar up to the paper's value, or across the paper's range."""
    measure = MEASURES[number.measure]
    if number.value is not None:
        text = measure.as_printed(number.value)
        return Bar(number.arm, number.value, is_paper=True, text=text)
    ends: Sequence[float] = [end for end in (number.low, number.high) if end is not None]
    text = " to ".join(measure.as_printed(end) for end in ends)
    if number.low is None:
        return Bar(number.arm, ends[-1], is_paper=True, text=f"up to {text}")
    return Bar(number.arm, ends[-1], is_paper=True, base=ends[0], text=text)


_AGAINST = {"vs_lrm": "LRM only", "vs_specreason": "SpecReason"}


def changes(result: Result) -> Figure:
    """Absolute numbers on the left; differences, including the paper's, on the right."""
    measure = cost_of(result.item)
    absolute = groups_of(result, measure)
    relative = _differences(result, measure)
    height = 1.0 + 0.26 * max(rows_needed(absolute), rows_needed(relative))
    drawn = figure(9.4, height)
    left, right = drawn.subplots(1, 2)
    draw_groups(left, absolute, MEASURES[measure])
    left.set_ylim(max(rows_needed(absolute), rows_needed(relative)) - 0.7, -0.8)
    left.set_xlim(0, left.get_xlim()[1] * 1.15)
    draw_groups(right, relative, MEASURES[f"{measure}_vs_lrm"])
    right.set_xlabel("change (%)")
    right.axvline(0, color="black", linewidth=0.8)
    low, high = right.get_xlim()
    room = 0.16 * (high - low)
    right.set_xlim(low - room, high + room)
    titled(drawn, result)
    return drawn


def _differences(result: Result, measure: str) -> list[Group]:
    groups: dict[str, list[Bar]] = {}
    for suffix, reference in _AGAINST.items():
        for group in groups_of(result, f"{measure}_{suffix}"):
            bars = [bar._replace(label=f"{bar.label} vs {reference}") for bar in group.bars]
            groups.setdefault(group.heading, []).extend(bars)
    return [Group(heading, bars) for heading, bars in groups.items()]

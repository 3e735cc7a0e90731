"""Latency or cost per answer, and the differences between methods."""

from __future__ import annotations

from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import figure
from trigreason.paper.drawing.bars import Bar, Group, draw_groups, rows_needed
from trigreason.paper.drawing.lists import groups_of
from trigreason.paper.drawing.look import titled
from trigreason.paper.kinds.deployment import cost_of
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import Result

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

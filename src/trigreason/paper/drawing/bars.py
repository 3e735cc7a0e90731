"""Horizontal bars with intervals and numbers; the paper's bars are hollow and hatched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from trigreason.evaluation.figures.style import PAPER, look_of, reach
from trigreason.evaluation.statistics import Estimate
from trigreason.paper.measures import Measure


class Bar(NamedTuple):
    """One bar: from ``base`` to ``value``, in stored units, with the interval of ``estimate``.

    ``base`` is above 0 only for a range that the paper gives. ``text`` is written at the bar's end
    instead of the number.
    """

    label: str
    value: float
    estimate: Estimate | None = None
    method: str = ""
    is_paper: bool = False
    base: float = 0.0
    text: str = ""


class Group(NamedTuple):
    """Bars under a heading."""

    heading: str
    bars: Sequence[Bar]


GAP = 1.4
"""The space between groups, in bars; it holds the next heading."""


def draw_groups(panel: Axes, groups: Sequence[Group], measure: Measure) -> None:
    """Draw groups of bars into a panel, from the top down."""
    at = 0.0
    ticks: list[float] = []
    labels: list[str] = []
    for group in groups:
        panel.text(
            0.01,
            at,
            group.heading,
            transform=panel.get_yaxis_transform(),
            va="center",
            ha="left",
            fontsize=8.5,
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
        for bar in group.bars:
            at += 1
            ticks.append(at)
            labels.append(bar.label)
            _draw(panel, bar, at, measure)
        at += GAP
    panel.set_yticks(ticks, labels)
    panel.set_ylim(at - 0.7, -0.8)
    panel.set_xlabel(measure.axis)
    panel.grid(visible=False, axis="y")


def rows_needed(groups: Sequence[Group]) -> float:
    """The height of the groups, in bars."""
    return sum(len(group.bars) + GAP for group in groups)


def _draw(panel: Axes, bar: Bar, at: float, measure: Measure) -> None:
    scale = measure.scale
    width = scale * (bar.value - bar.base)
    if bar.is_paper:
        panel.barh(
            at,
            width,
            left=scale * bar.base,
            height=0.72,
            facecolor="white",
            edgecolor=PAPER.colour,
            hatch=PAPER.hatch,
        )
    else:
        panel.barh(at, width, height=0.72, color=look_of(bar.method).colour)
    end = bar.value
    if bar.estimate is not None:
        below, above = reach(bar.estimate, scale)
        error = [[below], [above]]
        panel.errorbar(scale * bar.value, at, xerr=error, color="black", elinewidth=1, capsize=2)
        end += (above if bar.value >= 0 else -below) / scale
    panel.annotate(
        bar.text or measure.shown(bar.value),
        (scale * end, at),
        xytext=(4 if bar.value >= 0 else -4, 0),
        textcoords="offset points",
        va="center",
        ha="left" if bar.value >= 0 else "right",
        fontsize=8,
    )

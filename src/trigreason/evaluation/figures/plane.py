"""The accuracy-efficiency plane: accuracy against the share of thinking that the SRM wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from trigreason.evaluation.figures.point_labels import Label, place
from trigreason.evaluation.figures.style import look_of, reach
from trigreason.evaluation.statistics import Estimate


class ArmPoint(NamedTuple):
    """One arm: its name, method and position; shares from 0 to 1."""

    name: str
    method: str
    smt: Estimate
    accuracy: Estimate


def draw_plane(panel: Axes, points: Sequence[ArmPoint]) -> None:
    """Draw arms with intervals in both directions, in per cent, and a name beside each."""
    for point in points:
        look = look_of(point.method)
        panel.errorbar(
            100 * point.smt.value,
            100 * point.accuracy.value,
            xerr=[[end] for end in reach(point.smt, 100)],
            yerr=[[end] for end in reach(point.accuracy, 100)],
            color=look.colour,
            marker=look.marker,
            markersize=7.5,
            markeredgecolor="white",
            markeredgewidth=0.8,
            linestyle="none",
            elinewidth=1.1,
            capsize=2.5,
        )
    panel.set_xlabel("SMT: thinking tokens written by the SRM (%)")
    panel.set_ylabel("accuracy, pass@1 (%)")
    panel.set_xlim(-6, 106)
    low = min(100 * point.accuracy.low for point in points)
    high = max(100 * point.accuracy.high for point in points)
    room = max(2.0, 0.08 * (high - low))
    panel.set_ylim(max(-4.0, low - room), min(104.0, high + room))
    place(panel, [_label(point) for point in points])


def _label(point: ArmPoint) -> Label:
    x, y = point.smt, point.accuracy
    return Label(point.name, 100 * x.value, 100 * y.value, *reach(x, 100), *reach(y, 100))

"""Rejection rates per question, with their mean and the paper's numbers."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import METHODS, PAPER, figure, reach
from trigreason.paper.drawing.look import titled
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import MeasuredNumber, Result

_BARS = {
    "SpecReason": METHODS["specreason"],
    "SRM, right": METHODS["srm"],
    "LRM's own": METHODS["lrm"],
}
"""The styles of the bars, by whose trajectories were judged."""

_FEW = 4
_NARROW = 16
"""Up to ``_FEW`` questions with ids shorter than ``_NARROW`` are labelled with their ids."""


def questions(result: Result) -> Figure | None:
    """One panel per pair and task: bars per question, for their mean, and of the paper."""
    groups: dict[tuple[str, str], list[MeasuredNumber]] = {}
    for row in result.rows:
        groups.setdefault((row.pair, row.task), []).append(row)
    if not groups:
        return None
    most = max(len({row.question for row in rows}) for rows in groups.values())
    drawn = figure(max(6.0, 2.5 + 0.22 * most), 1.4 + 2.9 * len(groups))
    panels = drawn.subplots(len(groups), 1, squeeze=False)[:, 0]
    for panel, ((pair, task), rows) in zip(panels, groups.items(), strict=True):
        _panel(panel, result, rows)
        if len(groups) > 1:
            panel.set_title(f"{pair} pair, {task} task")
    panels[0].bar(0, 0, facecolor="white", edgecolor=PAPER.colour, hatch=PAPER.hatch, label="paper")
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=4)
    titled(drawn, result)
    return drawn


def _panel(panel: Axes, result: Result, rows: Sequence[MeasuredNumber]) -> None:
    arms = [arm for arm in _BARS if any(row.arm == arm for row in rows)]
    about = list(dict.fromkeys(row.question for row in rows if row.question))
    places = {name: at for at, name in enumerate(about)}
    mean_at, paper_at = len(about) + 0.5, len(about) + 1.7
    width = 0.8 / len(arms)
    for number, arm in enumerate(arms):
        offset = (number - (len(arms) - 1) / 2) * width
        of_arm = [row for row in rows if row.arm == arm]
        _measured(panel, of_arm, arm, places, mean_at, offset, width)
        _paper(panel, result, arm, paper_at + offset, width)
    ticks = [*places.values(), mean_at, paper_at]
    panel.set_xticks(ticks, [*_short(about), "mean", "paper"])
    if len(about) > _FEW:
        panel.tick_params(axis="x", labelsize=8)
    panel.axvline(len(about) - 0.25, color="#999999", linewidth=0.8)
    panel.set_xlabel("question")
    panel.set_ylabel(MEASURES["rejected"].axis)
    panel.set_ylim(0, 105)
    panel.set_xlim(-0.7, paper_at + 0.7)
    panel.grid(visible=False, axis="x")


def _measured(
    panel: Axes,
    rows: Sequence[MeasuredNumber],
    arm: str,
    places: dict[str, int],
    mean_at: float,
    offset: float,
    width: float,
) -> None:
    where = [places[row.question] if row.question else mean_at for row in rows]
    panel.bar(
        [at + offset for at in where],
        [100 * row.estimate.value for row in rows],
        width=width,
        facecolor=_BARS[arm].colour,
        hatch=_BARS[arm].hatch,
        edgecolor="white",
        linewidth=0.3,
        label=arm,
    )
    for row in rows:
        if not row.question and len(places) > _FEW:  # of fewer the interval is nearly the axis
            panel.errorbar(
                mean_at + offset,
                100 * row.estimate.value,
                yerr=[[end] for end in reach(row.estimate, 100)],
                color="black",
                elinewidth=1,
                capsize=2,
            )


def _paper(panel: Axes, result: Result, arm: str, at: float, width: float) -> None:
    for number in result.paper("rejected"):
        if number.arm == arm:
            bottom = 0.0 if number.low is None else number.low
            top = number.value if number.value is not None else number.high
            assert top is not None, "a number of the paper has an upper end"
            panel.bar(
                at,
                100 * (top - bottom),
                bottom=100 * bottom,
                width=width * 0.9,
                facecolor="white",
                edgecolor=_BARS[arm].colour,
                hatch=PAPER.hatch,
            )


def _short(about: Sequence[str]) -> list[str]:
    """The questions' labels: their ids, or their numbers if the ids do not fit."""
    if len(about) <= _FEW and all(len(name) < _NARROW for name in about):
        return list(about)
    return [str(number) for number in range(1, len(about) + 1)]

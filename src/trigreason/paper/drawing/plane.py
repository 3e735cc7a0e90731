"""The accuracy-efficiency plane: accuracy against SMT, one panel per task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigreason.evaluation.figures.plane import ArmPoint, draw_plane
from trigreason.evaluation.figures.style import PAPER, figure
from trigreason.paper.drawing.look import titled
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import Result

_LINES = ("--", ":")
_HEIGHT = 0.13
"""The height of the paper's lines, relative to the panel; taller ones would cross labels."""


def plane(result: Result) -> Figure:
    """Each pair's methods as points, and the paper's SMT as short lines on the axis."""
    tasks = list(dict.fromkeys(row.task for row in result.rows))
    drawn = figure(1.4 + 4.2 * len(tasks), 4.2)
    panels = drawn.subplots(1, len(tasks), squeeze=False)[0]
    titled(drawn, result, *_beside(result))
    _paper_lines(panels[0], result)
    if panels[0].get_legend_handles_labels()[0]:
        drawn.legend(loc="outside lower center", ncols=2)
    for panel in panels[1:]:
        _paper_lines(panel, result)
    for panel, task in zip(panels, tasks, strict=True):
        if len(tasks) > 1:
            panel.set_title(task)
        draw_plane(panel, _points(result, task))
    return drawn


def _points(result: Result, task: str) -> list[ArmPoint]:
    smt = {(row.pair, row.arm): row.estimate for row in result.of("smt") if row.task == task}
    several = len(result.pairs) > 1
    return [
        ArmPoint(
            f"{row.arm}, {row.pair}" if several else row.arm,
            row.method,
            smt[row.pair, row.arm],
            row.estimate,
        )
        for row in result.of("accuracy")
        if row.task == task and (row.pair, row.arm) in smt
    ]


_RELATIVE = {
    "accuracy_vs_lrm": "accuracy of TrigReason, % of LRM only's",
    "smt_vs_specreason": "SMT of TrigReason, times SpecReason's",
}


def _beside(result: Result) -> Iterator[str]:
    """TrigReason's relative numbers, and the paper's beside them; not where the paper has none."""
    for name, title in _RELATIVE.items():
        own = [row.estimate.value for row in result.of(name) if row.method == "trigreason"]
        numbers = result.paper(name)
        ends = (end for each in numbers for end in (each.value, each.low, each.high))
        paper = [end for end in ends if end is not None]
        if own and paper:
            yield f"{title}: {_range(name, own)} (paper: {_range(name, paper)})"


def _range(name: str, values: Sequence[float]) -> str:
    ends = dict.fromkeys(MEASURES[name].shown(end) for end in (min(values), max(values)))
    return " to ".join(ends)


def _paper_lines(panel: Axes, result: Result) -> None:
    numbers = [number for number in result.paper("smt") if number.value is not None]
    for number, line in zip(numbers, _LINES, strict=False):
        assert number.value is not None, "only values are lines"
        panel.axvline(
            100 * number.value,
            ymax=_HEIGHT,
            color=PAPER.colour,
            linestyle=line,
            linewidth=2,
            label=f"paper: {number.arm}, SMT {MEASURES['smt'].as_printed(number.value)} %",
        )

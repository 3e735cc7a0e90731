"""A sweep: accuracy above, SMT below, the paper's points hollow."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import PAPER, figure, look_of, reach
from trigreason.paper.drawing.look import titled
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import MeasuredNumber, Result
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.names import SYMBOLS


def sweep(result: Result) -> Figure:
    """One column of panels per pair and task; the swept values are evenly spaced."""
    varied = (result.item.quick if result.quick else result.item.full).sweep
    assert varied is not None, "the schema requires a sweep for this kind"
    beside = result.paper("accuracy") if result.shares_the_papers_axis else []
    paper = [number.x for number in beside if number.x is not None]
    measured = [row.x for row in result.rows if row.x is not None]
    values = sorted({*paper, *measured})
    measures = ["accuracy"] if varied.of == "thinking_tokens" else ["accuracy", "smt"]
    groups = list(dict.fromkeys((row.pair, row.task) for row in result.rows))
    drawn = figure(1.0 + 4.6 * len(groups), 1.3 + 2.3 * len(measures))
    panels = drawn.subplots(len(measures), len(groups), sharex=True, sharey="row", squeeze=False)
    for column, group in enumerate(groups):
        for panel, measure in zip(panels[:, column], measures, strict=True):
            rows = [row for row in result.of(measure) if (row.pair, row.task) == group]
            _lines(panel, rows, values)
            if measure == "accuracy":
                _references(panel, rows, len(values))
            if result.shares_the_papers_axis:
                _paper_points(panel, result, measure, values)
            panel.set_ylim(0, 105)
        unit = " (tokens of thinking)" if varied.of == "thinking_tokens" else ""
        if varied.of == "rho" and result.is_reversed:
            unit = " (reversed: the offload fires for r < ρ)"
        ticks = [_tick(value, varied.of, is_reversed=result.is_reversed) for value in values]
        panels[-1, column].set_xticks(range(len(values)), ticks)
        panels[-1, column].set_xlabel(f"{SYMBOLS.get(varied.of, varied.of)}{unit}")
        if len(groups) > 1:
            panels[0, column].set_title(f"{group[0]} pair, {group[1]} task")
    for panel, measure in zip(panels[:, 0], measures, strict=True):
        panel.set_ylabel(MEASURES[measure].axis)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=2)
    titled(drawn, result)
    return drawn


def _lines(panel: Axes, rows: Sequence[MeasuredNumber], values: Sequence[float]) -> None:
    """One line per method, shifted slightly so that intervals do not overlap."""
    methods = list(dict.fromkeys(row.method for row in rows if row.x is not None))
    for at, method in enumerate(methods):
        look = look_of(method)
        aside = 0.05 * (at - (len(methods) - 1) / 2)
        of_method = [row for row in rows if row.method == method]
        points = [(row.x, row.estimate) for row in of_method if row.x is not None]
        panel.errorbar(
            [values.index(x) + aside for x, _ in points],
            [100 * estimate.value for _, estimate in points],
            yerr=list(zip(*(reach(estimate, 100) for _, estimate in points), strict=True)),
            color=look.colour,
            marker=look.marker,
            linestyle=look.line,
            capsize=2,
            elinewidth=1,
            label=method_title(method),
        )


def _references(panel: Axes, rows: Sequence[MeasuredNumber], count: int) -> None:
    """One horizontal line for each model alone."""
    for row in rows:
        if row.x is None:
            look = look_of(row.method)
            panel.plot(
                [-0.3, count - 0.7],
                [100 * row.estimate.value] * 2,
                color=look.colour,
                linestyle=look.line,
                linewidth=1.4,
                label=row.arm,
            )


def _paper_points(panel: Axes, result: Result, measure: str, values: Sequence[float]) -> None:
    points = [
        (values.index(number.x), 100 * number.value)
        for number in result.paper(measure)
        if number.x is not None and number.value is not None
    ]
    if points:
        panel.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=PAPER.colour,
            marker=PAPER.marker,
            fillstyle="none",
            linestyle=PAPER.line,
            linewidth=0.9,
            label=f"paper: {result.item.paper.models}, AIME24",
        )


def _tick(value: float, of: str, *, is_reversed: bool) -> str:
    shown = f"{value:,g}"
    never = 0 if is_reversed else 1
    is_off = (of in ("n", "m") and value == 0) or (of == "rho" and value == never)
    return f"{shown}\n(off)" if is_off else shown

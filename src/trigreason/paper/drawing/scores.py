"""Figure 2(a): each judge's score along one trajectory."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import PAPER, figure
from trigreason.paper.drawing.look import titled
from trigreason.paper.result import Result

_LINES = (
    ("#1b2a41", "s", "-"),
    ("#c9803a", "o", "--"),
    ("#3a7d44", "^", "-."),
    ("#8b6fa8", "D", ":"),
    ("#7fb3d5", "v", "-"),
)


def scores(result: Result) -> Figure:
    """Scores by step on the left; their means, with the paper's range, on the right."""
    series = result.detail["scores"]
    drawn = figure(7.4, 3.8)
    panel, means = drawn.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    for at, (name, values) in enumerate(series.items()):
        colour, marker, line = _LINES[at % len(_LINES)]
        shown = [math.nan if value is None else value for value in values]
        steps = range(1, len(values) + 1)
        panel.plot(
            steps, shown, color=colour, marker=marker, linestyle=line, label=name, markersize=5
        )
    for at, row in enumerate(result.of("score")):
        name = row.arm
        colour, marker, _ = _LINES[list(series).index(name) % len(_LINES)]
        means.plot(at, row.estimate.value, color=colour, marker=marker, markersize=8)
        means.annotate(
            f"{row.estimate.value:.2f}",
            (at, row.estimate.value),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    _paper_range(means, result)
    panel.set_ylim(-0.5, 9.5)
    panel.set_yticks(range(10))
    panel.set_xlabel("step of the trajectory")
    panel.set_ylabel("score (0 to 9)")
    means.set_xlabel("mean")
    means.grid(visible=False, axis="x")
    drawn.legend(loc="outside lower center", ncols=3)
    titled(drawn, result)
    return drawn


def _paper_range(means: Axes, result: Result) -> None:
    count = len(result.of("score"))
    [score] = result.paper("score")
    assert score.low is not None, "the paper gives the lower end"
    assert score.high is not None, "the paper gives the upper end"
    means.bar(
        count,
        score.high - score.low,
        bottom=score.low,
        width=0.5,
        facecolor="white",
        edgecolor=PAPER.colour,
        hatch=PAPER.hatch,
        label=f"paper: {result.item.paper.models}, {score.low} to {score.high}",
    )
    means.set_xticks([])
    means.set_xlim(-0.6, count + 0.8)

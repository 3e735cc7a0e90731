"""The report's figures, drawn from the summaries of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import LineStyleType

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.figures.plane import ArmPoint, draw_plane
from trigreason.evaluation.figures.style import (
    AUTHORS,
    GRID,
    TRIGGERS,
    Look,
    figure,
    look_of,
    reach,
    style,
)
from trigreason.evaluation.report.collect import Comparison
from trigreason.evaluation.statistics import Estimate
from trigreason.evaluation.summary import ArmSummary, accuracy_by_group
from trigreason.reasoning import Author
from trigreason.reasoning.names import TRIGGER_NAMES

WIDTH = 6.2
"""Inches; the same for all figures, so that letters have one size on the page."""

LINES: tuple[LineStyleType, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (8, 2)),
    (0, (1, 3)),
    (0, (6, 1, 1, 1)),
)
"""The line styles of several arms with the same method."""


class Drawn(NamedTuple):
    """A figure; ``name`` is for its files and identifiers, ``told`` says what it shows."""

    name: str
    title: str
    told: str
    figure: Figure


class BarPart(NamedTuple):
    """A part of stacked bars: one value for each bar."""

    name: str
    look: Look
    values: Sequence[float]


def draw(comparison: Comparison) -> list[Drawn]:
    """The figures for which the runs have data."""
    summaries = comparison.summaries()
    with style():
        drawn = [
            _plane(comparison, summaries),
            _authorship(comparison, summaries),
            _handovers(comparison, summaries),
            _latency(comparison),
            _groups(comparison),
        ]
    return [item for item in drawn if item is not None]


def _plane(comparison: Comparison, summaries: Mapping[Arm, ArmSummary]) -> Drawn | None:
    points = [
        ArmPoint(name, arm.method, summary.smt, summary.accuracy)
        for arm, name in comparison.names.items()
        if (summary := summaries[arm]).smt is not None and summary.accuracy is not None
    ]
    if not points:
        return None
    drawn = figure(WIDTH, 4.2)
    draw_plane(drawn.subplots(), points)
    text = "Up is better, and so is right: the same accuracy with more of the SRM's thinking."
    return Drawn("plane", "Accuracy and thrift", text, drawn)


def _authorship(comparison: Comparison, summaries: Mapping[Arm, ArmSummary]) -> Drawn:
    arms = [summaries[arm] for arm in comparison.names]
    srm, lrm = AUTHORS[Author.SRM], AUTHORS[Author.LRM]
    parts = [
        BarPart("thinking, SRM", srm, [arm.standing[Author.SRM].value for arm in arms]),
        BarPart("thinking, LRM", lrm, [arm.standing[Author.LRM].value for arm in arms]),
        BarPart(
            "answer",
            Look("#9a9a9a"),
            [sum(tokens.value for tokens in arm.answer.values()) for arm in arms],
        ),
        BarPart(
            "drafts thrown away",
            Look("#f2d3d3", hatch="///"),
            [arm.draft_tokens.value for arm in arms],
        ),
        BarPart(
            "scores, and read past the end",
            Look("#f0f0f0", hatch="..."),
            [_unused(arm) for arm in arms],
        ),
    ]
    drawn = _stacked(list(comparison.names.values()), parts, "tokens generated per answer (mean)")
    text = "Tokens that both models generated for an answer, by what became of them."
    return Drawn("written", "Who wrote what", text, drawn)


def _unused(summary: ArmSummary) -> float:
    kept = [*summary.standing.values(), *summary.answer.values(), summary.draft_tokens]
    generated = sum(tokens.value for tokens in summary.generated.values())
    return max(0.0, generated - sum(tokens.value for tokens in kept))


def _handovers(comparison: Comparison, summaries: Mapping[Arm, ArmSummary]) -> Drawn | None:
    named = {arm: name for arm, name in comparison.names.items() if summaries[arm].handovers}
    if not named:
        return None
    parts = [
        BarPart(
            TRIGGER_NAMES[trigger],
            look,
            [_value(summaries[arm].handovers.get(trigger)) for arm in named],
        )
        for trigger, look in TRIGGERS.items()
    ]
    drawn = _stacked(list(named.values()), parts, "handovers to the LRM per answer (mean)")
    text = "How often each trigger brought the LRM in."
    return Drawn("handovers", "Handovers by trigger", text, drawn)


def _value(estimate: Estimate | None) -> float:
    return estimate.value if estimate else 0.0


def _stacked(names: Sequence[str], parts: Sequence[BarPart], axis: str) -> Figure:
    """Horizontal bars from the top down, with their sums."""
    shown = [part for part in parts if any(part.values)]
    drawn = figure(WIDTH, 1.3 + 0.36 * len(names))
    panel = drawn.subplots()
    ends = [0.0] * len(names)
    for part in shown:
        panel.barh(
            range(len(names)),
            part.values,
            left=ends,
            height=0.66,
            color=part.look.colour,
            edgecolor="white",
            hatch=part.look.hatch,
            linewidth=0.8,
            label=part.name,
        )
        ends = [end + value for end, value in zip(ends, part.values, strict=True)]
    for at, end in enumerate(ends):
        panel.annotate(
            f"{end:,.0f}" if end >= 100 else f"{end:.1f}",
            (end, at),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.set_xlim(0, 1.12 * max(*ends, 0.1))
    panel.set_xlabel(axis)
    panel.grid(visible=False, axis="y")
    drawn.legend(loc="outside lower center", ncols=min(len(shown), 3), handlelength=1.8)
    return drawn


def _latency(comparison: Comparison) -> Drawn:
    drawn = figure(WIDTH, 3.6)
    panel = drawn.subplots()
    seen: dict[str, int] = {}
    for arm, name in comparison.names.items():
        seconds = sorted(run.seconds for run in comparison.arms[arm].runs)
        look, earlier = look_of(arm.method), seen.setdefault(arm.method, 0)
        seen[arm.method] += 1
        panel.ecdf(
            seconds,
            color=look.colour,
            linestyle=LINES[earlier % len(LINES)] if earlier else look.line,
            linewidth=1.8,
            label=name,
        )
    longest = max(run.seconds for arm in comparison.arms.values() for run in arm.runs)
    panel.set_xlim(0, longest * 1.03 or 1.0)
    _mark_shares(panel)
    panel.set_xlabel("seconds from question to answer")
    panel.set_ylabel("share of answers (%)")
    drawn.legend(loc="outside lower center", ncols=2, handlelength=2.8)
    text = "How many answers were there after so many seconds, while all runs shared the machines."
    return Drawn("latency", "Latency", text, drawn)


def _mark_shares(panel: Axes) -> None:
    panel.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0", "25", "50", "75", "95"])
    panel.set_ylim(0, 1.02)


def _groups(comparison: Comparison) -> Drawn | None:
    accuracies = {arm: accuracy_by_group(comparison.arms[arm].runs) for arm in comparison.names}
    groups = sorted({group for by_group in accuracies.values() for group in by_group})
    if not groups:
        return None
    drawn = figure(WIDTH, 1.2 + (0.2 + 0.13 * len(accuracies)) * len(groups))
    panel = drawn.subplots()
    between = 0.62 / max(1, len(accuracies) - 1)
    for index, (arm, by_group) in enumerate(accuracies.items()):
        shift = between * index - 0.31 * (len(accuracies) > 1)
        dots = [(groups.index(name) + shift, accuracy) for name, accuracy in by_group.items()]
        _dots(panel, dots, arm, comparison)
    panel.set_yticks(range(len(groups)), [group or "(no group)" for group in groups])
    panel.set_ylim(len(groups) - 0.4, -0.6)
    panel.set_xlim(-2, 102)
    panel.set_xlabel("accuracy, pass@1 (%)")
    panel.grid(visible=False, axis="y")
    for edge in range(1, len(groups)):
        panel.axhline(edge - 0.5, color=GRID, linewidth=0.7)
    drawn.legend(loc="outside lower center", ncols=min(4, len(accuracies)))
    text = "Accuracy in each group of questions, with 95 % intervals."
    return Drawn("groups", "Accuracy by group", text, drawn)


def _dots(
    panel: Axes, dots: Sequence[tuple[float, Estimate]], arm: Arm, comparison: Comparison
) -> None:
    look = look_of(arm.method)
    errors = [reach(estimate, 100) for _, estimate in dots]
    panel.errorbar(
        [100 * estimate.value for _, estimate in dots],
        [at for at, _ in dots],
        xerr=[[below for below, _ in errors], [above for _, above in errors]],
        color=look.colour,
        marker=look.marker,
        markersize=5,
        linestyle="none",
        elinewidth=1,
        label=comparison.names[arm],
    )

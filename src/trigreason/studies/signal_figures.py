"""Figures of ``study signals``: the AUC of every signal, and error rates along the main ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import INK, Look, figure, reach, save, style
from trigreason.studies.signal_study import Level, MeasuredSignal, SignalStudy

LOOK = Look("#1b2a41", "o")
CHANCE = Look("#555555", line="--")
CURVES = ("ratio@", "mean_ratio@", "mean_logprob", "min_logprob", "tokens", "position", "steps")
"""Key prefixes of the signals that have enough values for a curve."""


def draw_signals(study: SignalStudy, folder: Path) -> list[Path]:
    """Write ``signals-auc`` and, per level, ``signals-curves-…`` as PNG and SVG; returns paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"signals-auc": _forest(study)}
    for name, level in _named_levels(study):
        drawn[f"signals-curves-{name}"] = curves(level, name, study.tau)
    return [path for name, each in drawn.items() for path in save(each, folder / name)]


def _named_levels(study: SignalStudy) -> list[tuple[str, Level]]:
    both = [("steps", study.steps), ("trajectories", study.trajectories)]
    return [(name, level) for name, level in both if level is not None]


def _forest(study: SignalStudy) -> Figure:
    """AUC and interval of each signal, with chance in the middle."""
    shown = _named_levels(study)
    rows = [sum(each.auc is not None for each in level.signals) for _, level in shown]
    with style():
        drawn = figure(6.4, 1.1 + 0.24 * sum(rows) + 0.5 * len(rows))
        panels = drawn.subplots(
            len(shown), 1, sharex=True, squeeze=False, height_ratios=[max(row, 1) for row in rows]
        )
        for panel, (name, level) in zip(panels[:, 0], shown, strict=True):
            _forest_panel(panel, name, level)
        panels[-1, 0].set_xlabel(
            "AUC: .5 is chance; below it low numbers mark errors, above it high ones.\n"
            "Hollow: the 95 % interval includes chance."
        )
        panels[-1, 0].xaxis.label.set(horizontalalignment="right", x=1)
    return drawn


def _forest_panel(panel: Axes, name: str, level: Level) -> None:
    panel.set_title(f"wrong {name} ({level.wrong:,} of {level.count:,})", loc="left")
    panel.axvline(0.5, color=CHANCE.colour, linestyle=CHANCE.line, linewidth=1)
    measured = [(each.signal.name, each.auc) for each in level.signals if each.auc is not None]
    for row, (_, auc) in enumerate(measured):
        across = [[auc.value - auc.low], [auc.high - auc.value]]
        panel.errorbar(
            auc.value, row, xerr=np.maximum(across, 0), fmt=LOOK.marker, color=LOOK.colour,
            markersize=5, capsize=2, linewidth=1.2,
            markerfacecolor="white" if auc.high_marks_errors is None else LOOK.colour,
        )  # fmt: skip
    panel.set_yticks(range(len(measured)), [signal for signal, _ in measured])
    panel.set_ylim(len(measured) - 0.4, -0.6)
    panel.set_xlim(-0.02, 1.02)
    panel.grid(axis="x", visible=False)


def curves(level: Level, name: str, tau: float) -> Figure:
    """The error rate in each tenth of a signal, with its interval."""
    main = level.ratio(tau)
    shown = [main] + [
        each
        for each in level.signals
        if each.signal.key.startswith(CURVES) and "ratio" not in each.signal.key and each.curve
    ]
    columns = 3
    lines = -(-len(shown) // columns)
    with style():
        drawn = figure(7.6, 0.5 + 2.2 * lines)
        panels = drawn.subplots(lines, columns, sharey=True, squeeze=False)
        for panel, each in zip(panels.flat, shown, strict=False):
            _curve_panel(panel, each, level)
        for panel in panels.flat[len(shown) :]:
            panel.remove()
        for row in panels:
            row[0].set_ylabel(f"wrong {name} (%)")
        panels[0, 0].legend(loc="upper right")
    return drawn


def _curve_panel(panel: Axes, measured: MeasuredSignal, level: Level) -> None:
    at = [each.mean for each in measured.curve]
    rates = [100 * each.error.value for each in measured.curve]
    reaches = np.array([reach(each.error, 100) for each in measured.curve]).T
    panel.axhline(
        100 * level.error.value,
        color=CHANCE.colour,
        linestyle=CHANCE.line,
        linewidth=1,
        label="all together",
    )
    panel.errorbar(
        at, rates, yerr=reaches, fmt=LOOK.marker, linestyle=LOOK.line, color=LOOK.colour,
        markersize=4, capsize=2, linewidth=1.2, ecolor=INK, elinewidth=0.8,
    )  # fmt: skip
    panel.set_xlabel(measured.signal.name)
    panel.set_ylim(0, 100)

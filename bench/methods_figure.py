"""Accuracy against the LRM's tokens: one line per method, from its lowest share to its highest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trigreason.evaluation.figures.style import figure, look_of, reach, save, style
from trigreason.evaluation.summary import ArmSummary
from trigreason.reasoning import Author

Point = tuple[str, str, ArmSummary]
"""A row's label, its method, and its numbers."""


def draw(points: Sequence[Point], path: Path) -> list[Path]:
    """Write the picture as ``path`` + .svg and + .png."""
    lines: dict[str, list[Point]] = {}
    for point in points:
        lines.setdefault(point[0], []).append(point)
    with style():
        drawn = figure(7.2, 4.6)
        panel = drawn.subplots()
        for label, own in lines.items():
            look = look_of(own[0][1])
            own.sort(key=lambda point: point[2].standing[Author.LRM].value)
            tokens = [summary.standing[Author.LRM].value for _, _, summary in own]
            right = [summary.accuracy for _, _, summary in own if summary.accuracy]
            below, above = zip(*(reach(each, 100) for each in right), strict=True)
            panel.errorbar(
                tokens,
                [100 * each.value for each in right],
                yerr=[below, above],
                label=label,
                color=look.colour,
                marker=look.marker,
                linestyle="--" if label.endswith("r > ρ") else "-",
                linewidth=1.2,
                elinewidth=0.6,
                markersize=5,
            )
        panel.set_xlabel("tokens of thinking that the LRM wrote, per question")
        panel.set_ylabel("right (%)")
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(drawn, path)

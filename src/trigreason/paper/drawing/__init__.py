"""Draws an item's figure, by the item's kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import save, style
from trigreason.paper.drawing.candidates import candidates
from trigreason.paper.drawing.lists import changes, lists
from trigreason.paper.drawing.plane import plane
from trigreason.paper.drawing.questions import questions
from trigreason.paper.drawing.scores import scores
from trigreason.paper.drawing.stacks import stacks
from trigreason.paper.drawing.sweep import sweep
from trigreason.paper.item import Kind
from trigreason.paper.result import Result


def _nothing(_: Result) -> None:
    """Steps are texts, which the page shows."""


FIGURES: dict[Kind, Callable[[Result], Figure | None]] = {
    "overview": lists,
    "cases": _nothing,
    "certain steps": _nothing,
    "plane": plane,
    "methods": lists,
    "sweep": sweep,
    "activation": stacks,
    "deployment": changes,
    "judges": scores,
    "rejections": questions,
    "overconfidence": lists,
    "hesitation": candidates,
}


def draw(result: Result, path: Path) -> list[Path]:
    """Draw the item to ``path``.png and .svg; returns no paths if there is nothing to draw."""
    with style():
        figure = FIGURES[result.item.kind](result)
        return [] if figure is None else save(figure, path)

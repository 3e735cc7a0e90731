"""The look that all figures share: colours and marks, and how to begin and save a figure.

Colours differ mainly in lightness, so that they can be told apart in grey print, and each comes
with a marker, a hatch and a line style that are enough alone. Figures are drawn through
Matplotlib's objects within ``with style():``, without its global state or a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trigreason.evaluation.statistics import Estimate
from trigreason.reasoning import Author, Trigger


@dataclass(frozen=True, slots=True)
class Look:
    """A colour, a marker, a hatch and a line style."""

    colour: str
    marker: str = "o"
    hatch: str = ""
    line: str = "-"


METHODS = {
    "srm": Look("#7fb3d5", "v", "...", ":"),
    "lrm": Look("#1b2a41", "s", "", "--"),
    "random": Look("#bdbdbd", "x", "\\\\\\", ":"),
    "periodic": Look("#969696", "+", "---", ":"),
    "planning": Look("#737373", "1", "|||", ":"),
    "specreason": Look("#c9803a", "D", "///", "-."),
    "rsd": Look("#d9964a", "d", "--", "-."),
    "glimprouter": Look("#d6a5c9", "P", "ooo", "-."),
    "speculative_thinking": Look("#a3528f", "X", "++", "-."),
    "splitreason": Look("#6b1f5c", "*", "**", "-."),
    "steer": Look("#8f6bb8", "<", "xx", "-."),
    "relaygen": Look("#c08bb4", ">", "\\", "-."),
    "learned": Look("#2b6fb3", "h", "OO", "--"),
    "trigreason": Look("#3a7d44", "o", "xxx", "-"),
}
"""The looks of methods: baselines are grey, those of other papers are orange and purple."""

AUTHORS = {Author.SRM: METHODS["srm"], Author.LRM: METHODS["lrm"]}

TRIGGERS = {
    Trigger.STRATEGIC_PRIMING: Look("#b7d7a8", hatch="..."),
    Trigger.COGNITIVE_OFFLOAD: Look("#3a7d44"),
    Trigger.INTERVENTION_REQUEST: Look("#1b2a41", hatch="xxx"),
    Trigger.JUDGE_REJECTION: Look("#c9803a", hatch="///"),
    Trigger.LOW_REWARD: Look("#e0a96d", hatch="\\\\"),
    Trigger.REPETITION: Look("#e3c567", hatch="---"),
    Trigger.METHOD: Look("#6b5b95", hatch="+++"),
}

PAPER = Look("#555555", "o", "///", "--")
"""A number from the paper, not measured here; its marker is hollow."""

OTHER = Look("#8b6fa8", "^")
"""A method without its own look."""

INK = "#222222"
GRID = "#e4e4e4"

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "text.parse_math": False,  # names come from users: a $ in one is a $
    "svg.fonttype": "none",
    "svg.hashsalt": "trigreason",
}

DOTS_PER_INCH = 160


@contextmanager
def style() -> Iterator[None]:
    """Put this around all drawing: Matplotlib reads its settings when an artist is made."""
    with rc_context(STYLE):
        yield


def figure(width: float, height: float) -> Figure:
    """An empty figure of this size, in inches."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def look_of(method: str) -> Look:
    return METHODS.get(method, OTHER)


def reach(estimate: Estimate, scale: float = 1.0) -> tuple[float, float]:
    """The lengths of an error bar below and above the number; 0 if the interval is unknown."""
    if not estimate.has_interval:
        return 0.0, 0.0
    below, above = estimate.value - estimate.low, estimate.high - estimate.value
    return max(scale * below, 0.0), max(scale * above, 0.0)


def save(drawn: Figure, path: Path) -> list[Path]:
    """Write ``path`` + .png and ``path`` + .svg: the same bytes for the same figure."""
    paths = [path.with_name(f"{path.name}.png"), path.with_name(f"{path.name}.svg")]
    with style():
        drawn.savefig(paths[0], dpi=DOTS_PER_INCH, metadata={"Software": None})
        drawn.savefig(paths[1], metadata={"Date": None})
    return paths

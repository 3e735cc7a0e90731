"""Places names beside points so that they cover neither points nor each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from trigreason.evaluation.figures.style import INK

RADII = (7.0, 12.0, 20.0, 30.0, 42.0, 56.0, 72.0, 90.0, 110.0)
"""How far from its point a name may stand, in points (1/72 inch)."""

DIRECTIONS = (45, -45, 135, -135, 90, -90, 20, -20, 160, -160, 70, -70, 110, -110)
"""The directions from a point to its name, in degrees, the best first."""

LINE_FROM = 20.0
"""A name at least this far from its point (points) gets a line to it."""

MARKER = 5.0
"""Half the size of the square that a point's marker keeps free, in points."""

OVER_A_NAME, OVER_A_BAR, LINE_OVER_A_POINT = 1000.0, 25.0, 60.0
"""Cost, in points of distance, of covering a name or marker, of covering an error bar, and of a
line that runs over another point."""


class Label(NamedTuple):
    """A name, its point, and the lengths of its error bars each way, in the panel's data units."""

    text: str
    x: float
    y: float
    left: float = 0.0
    right: float = 0.0
    below: float = 0.0
    above: float = 0.0


class LabelPlace(NamedTuple):
    """A place for a name: its offset in points, and which corner of the name goes there."""

    radius: float
    x: float
    y: float
    across: Literal["left", "center", "right"]
    along: Literal["bottom", "center", "top"]


def place(panel: Axes, labels: Sequence[Label], size: float = 8.5) -> None:
    """Write each name near its point and within the panel, where it covers the least.

    The panel's limits must be final.
    """
    figure = panel.figure.get_figure(root=True)
    assert figure is not None, "a panel belongs to a figure"
    figure.draw_without_rendering()
    crowd = _Crowd(panel, labels, pixels=figure.dpi / 72)
    for at, label in enumerate(labels):
        text = panel.annotate(
            label.text,
            (label.x, label.y),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=size,
            annotation_clip=False,
        )
        text.set_in_layout(False)
        chosen = crowd.seat(at, text.get_window_extent())
        text.set_position((chosen.x, chosen.y))
        text.set_horizontalalignment(chosen.across)
        text.set_verticalalignment(chosen.along)
        if chosen.radius >= LINE_FROM:
            _line(panel, label, chosen)


@dataclass(slots=True)
class _Crowd:
    """What a name should not cover, in pixels."""

    panel: Axes
    labels: Sequence[Label]
    pixels: float
    points: list[tuple[float, float]] = field(init=False)
    markers: list[Bbox] = field(init=False)
    bars: list[Bbox] = field(init=False)
    names: list[Bbox] = field(default_factory=list)

    def __post_init__(self) -> None:
        half = MARKER * self.pixels
        self.points = [self._pixel(label.x, label.y) for label in self.labels]
        self.markers = [
            Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in self.points
        ]
        self.bars = [
            Bbox.from_extents(*self._pixel(*start), *self._pixel(*end))
            for label in self.labels
            for start, end in (
                ((label.x - label.left, label.y), (label.x + label.right, label.y)),
                ((label.x, label.y - label.below), (label.x, label.y + label.above)),
            )
        ]

    def seat(self, at: int, measured: Bbox) -> LabelPlace:
        """The best place for a name; ``measured`` is its box with a corner at its point."""
        chosen = min(_places(), key=lambda place: self._cost(at, measured, place))
        self.names.append(self._box(measured, chosen))
        return chosen

    def _cost(self, at: int, measured: Bbox, chosen: LabelPlace) -> float:
        box, frame = self._box(measured, chosen), self.panel.bbox
        if box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1:
            return math.inf
        return (
            chosen.radius
            + OVER_A_NAME * box.count_overlaps([*self.markers, *self.names])
            + OVER_A_BAR * box.count_overlaps(self.bars)
            + LINE_OVER_A_POINT * self._run_over(at, chosen)
        )

    def _run_over(self, at: int, chosen: LabelPlace) -> int:
        """How many other points the line to a name would run over."""
        if chosen.radius < LINE_FROM:
            return 0
        x, y = self.points[at]
        steps = (share / 12 for share in range(1, 13))
        line = [
            (x + share * chosen.x * self.pixels, y + share * chosen.y * self.pixels)
            for share in steps
        ]
        others = self.markers[:at] + self.markers[at + 1 :]
        return sum(any(box.contains(*point) for point in line) for box in others)

    def _box(self, measured: Bbox, chosen: LabelPlace) -> Bbox:
        shift_x = {"left": 0.0, "center": 0.5, "right": 1.0}[chosen.across] * measured.width
        shift_y = {"bottom": 0.0, "center": 0.5, "top": 1.0}[chosen.along] * measured.height
        return measured.translated(
            chosen.x * self.pixels - shift_x, chosen.y * self.pixels - shift_y
        )

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        across, along = self.panel.transData.transform((x, y))
        return float(across), float(along)


def _line(panel: Axes, label: Label, chosen: LabelPlace) -> None:
    panel.annotate(
        "",
        (label.x, label.y),
        xytext=(chosen.x, chosen.y),
        textcoords="offset points",
        arrowprops={
            "arrowstyle": "-",
            "color": INK,
            "linewidth": 0.5,
            "shrinkA": 0,
            "shrinkB": MARKER,
        },
        annotation_clip=False,
    ).set_in_layout(False)


def _places() -> Iterator[LabelPlace]:
    """The places around a point, the nearest first."""
    for radius in RADII:
        for direction in DIRECTIONS:
            x, y = math.cos(math.radians(direction)), math.sin(math.radians(direction))
            yield LabelPlace(
                radius,
                radius * x,
                radius * y,
                "left" if x > 0.2 else "right" if x < -0.2 else "center",
                "bottom" if y > 0.4 else "top" if y < -0.4 else "center",
            )

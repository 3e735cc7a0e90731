"""The front as a picture: accuracy against what is saved, on the held-out questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from trigreason.evaluation.figures.point_labels import Label, place
from trigreason.evaluation.figures.style import (
    INK,
    METHODS,
    PAPER,
    Look,
    figure,
    reach,
    save,
    style,
)
from trigreason.evaluation.statistics import Estimate
from trigreason.reasoning.methods import method_title
from trigreason.studies.calibration.front import FrontPoint, hull
from trigreason.studies.calibration.labelled import Calibration, SettingRow

NAME = "calibration"
FOUND = METHODS["trigreason"]
BARE = Look(PAPER.colour, "s", line="--")


def draw_front(found: Calibration, folder: Path) -> list[Path]:
    """Draw the front into ``folder``, which is made; returns the files, PNG and SVG.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with style():
        drawn = figure(6.4, 4.4)
        _draw(drawn.subplots(), found)
    return save(drawn, folder / NAME)


def _draw(panel: Axes, found: Calibration) -> None:
    is_smt = found.thrift_name == "smt"
    ends = (found.default, found.recommended)
    bare = [row for row in found.rows if row.setting.is_without_triggers]
    rest = [row for row in found.rows if row not in bare and row.setting not in ends]
    _coins(panel, found, bare)
    _points(panel, found, bare, BARE, "no triggers", size=5.5, filled=False)
    _points(panel, found, rest, FOUND, "found by the search", size=5.5)
    default, recommended = map(found.row, ends)
    _points(panel, found, [default], Look(INK, "D"), "default", size=7, filled=False, bars=True)
    if recommended is not default:
        _points(panel, found, [recommended], Look(INK, "*"), "recommended", size=12, bars=True)
    panel.set_xlabel("SMT: thinking tokens written by the SRM (%)" if is_smt else "USD per run")
    panel.set_ylabel("accuracy, pass@1 (%)")
    panel.set_title(f"{found.questions[1]} held-out questions, 95 % intervals", loc="left")
    if is_smt:
        panel.set_xlim(-6, 106)
    panel.set_ylim(*_room(found.rows))
    panel.legend(loc="lower left" if is_smt else "lower right")
    others = [row for row in found.rows if row not in bare]
    place(
        panel,
        [
            *(Label(_name(row), *_place(found, row)) for row in bare),
            *(Label("", *_place(found, row)) for row in others),  # so that no name covers them
        ],
    )
    for name in panel.texts:  # readable across the line that joins the points
        name.set_path_effects([withStroke(linewidth=3, foreground="white")])


def _points(
    panel: Axes,
    found: Calibration,
    rows: Sequence[SettingRow],
    look: Look,
    label: str,
    *,
    size: float,
    filled: bool = True,
    bars: bool = False,
) -> None:
    """Settings of one kind; ``bars`` shows intervals, which would clutter a whole front."""
    scale = _scale(found)
    for row in rows:
        x, y = _place(found, row)
        panel.errorbar(
            x,
            y,
            xerr=[[end] for end in reach(_thrift(found, row), scale)] if bars else None,
            yerr=[[end] for end in reach(row.accuracy, 100)] if bars else None,
            color=look.colour,
            marker=look.marker,
            markersize=size,
            markerfacecolor=look.colour if filled else "white",
            linestyle="none",
            elinewidth=1.1,
            capsize=2.5,
            label=label if row is rows[0] else None,
            zorder=3,
        )


def _coins(panel: Axes, found: Calibration, bare: Sequence[SettingRow]) -> None:
    """The line of what coins between settings without triggers reach."""
    points = hull([FrontPoint(row.accuracy.value, _thrift(found, row).value) for row in bare])
    panel.plot(
        [_scale(found) * each.thrift for each in points],
        [100 * each.accuracy for each in points],
        BARE.line,
        color=BARE.colour,
        linewidth=1,
        label="a coin between two of them",
        zorder=1,
    )


def _name(row: SettingRow) -> str:
    if row.setting.method != "trigreason":
        return method_title(row.setting.method)
    return f"n = {row.setting.thresholds.n}"


def _place(found: Calibration, row: SettingRow) -> tuple[float, float]:
    return _scale(found) * _thrift(found, row).value, 100 * row.accuracy.value


def _thrift(found: Calibration, row: SettingRow) -> Estimate:
    """The number on the axis: the SMT, or the USD."""
    estimate = row.smt if found.thrift_name == "smt" else row.usd
    assert estimate is not None, "what was searched for is known of every row"
    return estimate


def _scale(found: Calibration) -> float:
    return 100 if found.thrift_name == "smt" else 1


def _room(rows: Sequence[SettingRow]) -> tuple[float, float]:
    """The limits of the y axis in per cent, with room for a legend below."""
    low = min(100 * row.accuracy.value for row in rows)
    return low - 0.45 * (100 - low) - 4, 103

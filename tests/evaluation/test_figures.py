"""The figures' common look: told apart in grey, the same bytes, no names over each other."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from trigreason.evaluation.figures.inline import inline_svg
from trigreason.evaluation.figures.plane import ArmPoint, draw_plane
from trigreason.evaluation.figures.point_labels import Label, place
from trigreason.evaluation.figures.style import METHODS, TRIGGERS, Look, figure, reach, save, style
from trigreason.evaluation.statistics import Estimate
from trigreason.reasoning import Trigger
from trigreason.reasoning.methods.registry import BUILT_IN, PAPERS_METHODS

pytestmark = pytest.mark.slow


def lightness(colour: str) -> float:
    """L* of CIELAB, 0 to 100: what is left of a colour in a grey print."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    ]
    luminance = sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 116 * math.cbrt(luminance) - 16


TITLES = {each.name: each.title for each in BUILT_IN}


def test_methods_and_triggers_can_be_told_apart_in_grey() -> None:
    assert set(METHODS) == {each.name for each in BUILT_IN}
    assert set(TRIGGERS) == set(Trigger)
    papers = [METHODS[name] for name in PAPERS_METHODS]
    for one, other in combinations(papers, 2):
        assert abs(lightness(one.colour) - lightness(other.colour)) >= 10
    assert len({each.line for each in papers}) == len(papers)
    assert len({each.marker for each in METHODS.values()}) == len(METHODS)
    shown = {(round(lightness(each.colour), -1), each.hatch) for each in TRIGGERS.values()}
    assert len(shown) == len(TRIGGERS)
    assert len({look.hatch for look in METHODS.values()}) == len(METHODS)
    assert isinstance(TRIGGERS[Trigger.REPETITION], Look)


def plain(title: str = "a title") -> Figure:
    with style():
        drawn = figure(3, 2)
        panel = drawn.subplots()
        panel.bar(["one", "two"], [1, 2], color=METHODS["srm"].colour, hatch="xx")
        panel.set_title(title)
    return drawn


def test_the_same_figure_is_the_same_bytes(tmp_path: Path) -> None:
    paths = [save(plain(), tmp_path / name) for name in ("first.v1", "second.v1")]
    assert [each.name for each in paths[0]] == ["first.v1.png", "first.v1.svg"]
    for one, other in zip(*paths, strict=True):
        assert one.read_bytes() == other.read_bytes()
    svg = ElementTree.parse(paths[0][1])
    texts = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "a title" in texts, "text stays text"


def test_a_dollar_in_a_name_is_a_dollar(tmp_path: Path) -> None:
    written = save(plain(r"costs $1 and \frac{"), tmp_path / "figure")
    assert r"costs $1 and \frac{" in written[1].read_text()


def test_a_figure_within_a_page_takes_its_colours_and_keeps_its_names_apart(tmp_path: Path) -> None:
    _, file = save(plain('<b>"#222222" id="x"'), tmp_path / "figure")
    svg = inline_svg(file.read_text(), "mine", 'a "title" <b>')
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == 'a "title" <b>'
    assert '<b>"#222222" id="x"' in "".join(root.itertext()), "text is not touched"
    assert "var(--method-srm, #7fb3d5)" in svg
    assert "var(--ink, #222222)" in svg
    identifiers = [each.get("id") for each in root.iter() if each.get("id")]
    assert identifiers
    assert all(each and each.startswith("mine-") for each in identifiers)
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', svg)
    assert used
    assert set(used) <= set(identifiers)
    assert "<style" not in svg


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=6))
def test_names_stand_beside_their_points_and_not_over_each_other(
    places: list[tuple[int, int]],
) -> None:
    with style():
        drawn = figure(6, 4)
        panel = drawn.subplots()
        panel.set_xlim(-1, 11)
        panel.set_ylim(-1, 11)
        place(panel, [Label(f"Method {at}", x, y) for at, (x, y) in enumerate(places)])
    names = [each for each in panel.texts if each.get_text()]
    boxes = [each.get_window_extent() for each in names]
    assert len(boxes) == len(places)
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert panel.bbox.x0 <= box.x0
        assert box.x1 <= panel.bbox.x1


def test_the_plane_names_every_arm_once() -> None:
    estimate = Estimate(0.5, 0.4, 0.6, 30, 60)
    points = [ArmPoint(name, method, estimate, estimate) for method, name in TITLES.items()]
    with style():
        panel = figure(6, 4).subplots()
        draw_plane(panel, points)
    assert sorted(filter(None, (each.get_text() for each in panel.texts))) == sorted(
        TITLES.values()
    )
    assert "%" in panel.get_xlabel()
    assert "%" in panel.get_ylabel()


def test_an_unknown_interval_has_no_bar() -> None:
    assert reach(Estimate(2, float("-inf"), float("inf"), 1, 1)) == (0, 0)
    assert reach(Estimate(0.5, 0.4, 0.7, 9, 9), 100) == pytest.approx((10, 20))

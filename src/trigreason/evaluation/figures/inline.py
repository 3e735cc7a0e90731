"""Puts a figure's SVG into the text of a page, where it takes the page's colours."""

from __future__ import annotations

import re
from html import escape

from trigreason.evaluation.figures.style import GRID, INK, METHODS, TRIGGERS

VARIABLES = {
    INK: "ink",
    GRID: "grid",
    "#ffffff": "paper",
    **{look.colour: f"trigger-{trigger.value}" for trigger, look in TRIGGERS.items()},
    **{look.colour: f"method-{method}" for method, look in METHODS.items()},
}
"""The colours that a page can override (for dark mode, say), and the names of its variables."""

_TAG = re.compile(r"<[^>]*>")
_IDENTIFIER = re.compile(r'(\bid="|href="#|url\(#)')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_FOR_ALL = re.compile(r"<style.*?</style>|<metadata>.*?</metadata>", re.DOTALL)
"""Parts of an SVG file that would apply to the whole page."""


def inline_svg(svg: str, name: str, title: str) -> str:
    """The ``<svg>`` element of a file that :func:`~.style.save` wrote.

    ``name`` prefixes its identifiers, so that they differ from those of other figures; ``title`` is
    its label for those who cannot see it. Colours become ``var(--…)`` of :data:`VARIABLES`; the
    figure's own colour is used if the page sets none.
    """
    svg = _FOR_ALL.sub("", svg[svg.index("<svg") :].strip())
    svg = _TAG.sub(lambda tag: _COLOUR.sub(_variable, _IDENTIFIER.sub(rf"\1{name}-", tag[0])), svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


def _variable(match: re.Match[str]) -> str:
    name = VARIABLES.get(match[0])
    return f"var(--{name}, {match[0]})" if name else match[0]

"""A figure as SVG that stands in the text of a page and takes the page's colours."""

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
"""The colours that a page can set anew (in the dark, say), and what its variables are called."""

_TAG = re.compile(r"<[^>]*>")
_IDENTIFIER = re.compile(r'(\bid="|href="#|url\(#)')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_FOR_ALL = re.compile(r"<style.*?</style>|<metadata>.*?</metadata>", re.DOTALL)
"""What holds for a whole document, and would for the page."""


def inline_svg(svg: str, name: str, title: str) -> str:
    """One ``<svg>`` element out of what :func:`~.style.save` wrote.

    ``name`` keeps its identifiers apart from those of other figures, and ``title`` is what it is
    called where it cannot be seen. Colours become ``var(--…)`` of :data:`VARIABLES`, with the
    figure's own where the page sets none.
    """
    svg = _FOR_ALL.sub("", svg[svg.index("<svg") :].strip())
    svg = _TAG.sub(lambda tag: _COLOUR.sub(_variable, _IDENTIFIER.sub(rf"\1{name}-", tag[0])), svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


def _variable(found: re.Match[str]) -> str:
    name = VARIABLES.get(found[0])
    return f"var(--{name}, {found[0]})" if name else found[0]

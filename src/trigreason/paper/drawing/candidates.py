"""Appendix E: the strongest n-grams of hesitating steps."""

from __future__ import annotations

from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import PAPER, figure
from trigreason.paper.drawing.look import titled
from trigreason.paper.result import Result

_SHOWN = 12


def candidates(result: Result) -> Figure | None:
    """One panel per pair: new n-grams are filled, those that the list already finds are hatched."""
    if not result.detail:
        return None
    most = max(
        len(mined["candidates"][:_SHOWN]) + len(mined["in force"][:_SHOWN])
        for mined in result.detail.values()
    )
    drawn = figure(6.4 * len(result.detail), 1.4 + 0.23 * most)
    panels = drawn.subplots(1, len(result.detail), squeeze=False)[0]
    for panel, (name, mined) in zip(panels, result.detail.items(), strict=True):
        kept = [(ngram, False) for ngram in mined["candidates"][:_SHOWN]]
        kept += [(ngram, True) for ngram in mined["in force"][:_SHOWN]]
        kept.sort(key=lambda pair: float(pair[0]["strength"]))
        for at, (ngram, is_listed) in enumerate(kept):
            panel.barh(
                at,
                ngram["strength"],
                height=0.72,
                facecolor="white" if is_listed else "#3a7d44",
                edgecolor=PAPER.colour if is_listed else "#3a7d44",
                hatch=PAPER.hatch if is_listed else "",
            )
            counts = f"{ngram['hesitating']} : {ngram['other']}"
            panel.annotate(
                counts,
                (max(ngram["strength"], 0), at),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
        panel.set_yticks(range(len(kept)), [ngram["words"] for ngram, _ in kept])
        panel.set_xlabel("strength (signed root of G²)")
        panel.set_title(f"{name}: steps with it, hesitating : other", fontsize=9)
        panel.margins(x=0.15)
        panel.grid(visible=False, axis="y")
    panels[0].barh(0, 0, color="#3a7d44", label="candidate")
    panels[0].barh(
        0, 0, facecolor="white", edgecolor=PAPER.colour, hatch=PAPER.hatch,
        label="already found by the paper's list",
    )  # fmt: skip
    drawn.legend(loc="outside lower center", ncols=2)
    titled(drawn, result)
    return drawn

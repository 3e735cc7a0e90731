"""Appendix E: the strongest n-grams of hesitating steps."""

from __future__ import annotations

from matplotlib.figure import Figure

from trigreason.evaluation.figures.style import PAPER, figure
from trigreason.paper.drawing.look import titled
from trigreason.paper.result import Result

_EACH = 12


def candidates(result: Result) -> Figure | None:
    """Those not yet in the list filled, those already found by it hatched; one panel per pair."""
    if not result.detail:
        return None
    most = max(
        len(mined["candidates"][:_EACH]) + len(mined["in force"][:_EACH])
        for mined in result.detail.values()
    )
    drawn = figure(6.4 * len(result.detail), 1.4 + 0.23 * most)
    panels = drawn.subplots(1, len(result.detail), squeeze=False)[0]
    for panel, (name, mined) in zip(panels, result.detail.items(), strict=True):
        kept = [(each, False) for each in mined["candidates"][:_EACH]]
        kept += [(each, True) for each in mined["in force"][:_EACH]]
        kept.sort(key=lambda pair: float(pair[0]["strength"]))
        for at, (each, is_known) in enumerate(kept):
            panel.barh(
                at,
                each["strength"],
                height=0.72,
                facecolor="white" if is_known else "#3a7d44",
                edgecolor=PAPER.colour if is_known else "#3a7d44",
                hatch=PAPER.hatch if is_known else "",
            )
            counts = f"{each['hesitating']} : {each['other']}"
            panel.annotate(
                counts,
                (max(each["strength"], 0), at),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
        panel.set_yticks(range(len(kept)), [each["words"] for each, _ in kept])
        panel.set_xlabel("strength (signed root of G²)")
        panel.set_title(f"{name}: steps with it, hesitating : other", fontsize=9)
        panel.margins(x=0.15)
        panel.grid(visible=False, axis="y")
    panels[0].barh(0, 0, color="#3a7d44", label="candidate")
    panels[0].barh(
        0, 0, facecolor="white", edgecolor=PAPER.colour, hatch=PAPER.hatch,
        label="found by the paper's list already",
    )  # fmt: skip
    drawn.legend(loc="outside lower center", ncols=2)
    titled(drawn, result)
    return drawn

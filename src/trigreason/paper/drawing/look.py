"""The title of the paper's figures."""

from __future__ import annotations

from textwrap import wrap

from matplotlib.figure import Figure

from trigreason.paper.result import Result

_CHARACTERS_PER_INCH = 15


def titled(drawn: Figure, result: Result, *further: str) -> None:
    """Set the title, and below it where the numbers are from, and ``further`` lines."""
    counts = result.setup["questions"].items()
    measured = "; ".join(f"{about}, {count} questions" for about, count in counts)
    epochs = result.setup["epochs"]
    is_simulated = "simulated" in result.detail
    how = "simulated from" if is_simulated and result.item.kind == "deployment" else "measured"
    sources = [f"{how}: {measured}, {epochs} {'answers' if epochs > 1 else 'answer'} each"]
    if is_simulated and result.item.kind == "overview":
        sources.append(f"latency: simulated from these runs, {result.detail['simulated']}")
    if not result.shares_the_papers_axis:
        sources.append("reversed: the offload fires for r < ρ; the paper's values are not drawn")
    elif result.item.paper.numbers:
        sources.append(f"paper: {result.item.paper.models}")
    room = int(drawn.get_figwidth() * _CHARACTERS_PER_INCH)
    below = [line for source in (*sources, *further) for line in wrap(source, room)]
    drawn.suptitle("\n".join([result.item.title, *below]), fontsize=9)

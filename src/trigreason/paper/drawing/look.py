"""The title of the paper's figures."""

from __future__ import annotations

from textwrap import wrap

from matplotlib.figure import Figure

from trigreason.paper.result import Result

_CHARACTERS_PER_INCH = 15


def titled(drawn: Figure, result: Result) -> None:
    """Set the title, and below it the data of the measured, simulated and paper's numbers."""
    counts = result.setup["questions"].items()
    measured = "; ".join(f"{about}, {count} questions" for about, count in counts)
    epochs = result.setup["epochs"]
    how = "simulated from" if "simulated" in result.detail else "measured"
    sources = [f"{how}: {measured}, {epochs} {'answers' if epochs > 1 else 'answer'} each"]
    if result.item.paper.numbers:
        sources.append(f"paper: {result.item.paper.models}")
    room = int(drawn.get_figwidth() * _CHARACTERS_PER_INCH)
    below = [line for source in sources for line in wrap(source, room)]
    drawn.suptitle("\n".join([result.item.title, *below]), fontsize=9)

"""What all figures of the paper have in common besides their style: the title."""

from __future__ import annotations

from textwrap import wrap

from matplotlib.figure import Figure

from trigreason.paper.result import Result

_CHARACTERS_PER_INCH = 15


def titled(drawn: Figure, result: Result) -> None:
    """The title, and below it what was measured on what, and on what the paper's numbers are.

    Numbers that were simulated from what was measured are called so.
    """
    counts = result.setup["questions"].items()
    measured = "; ".join(f"{about}, {count} questions" for about, count in counts)
    epochs = result.setup["epochs"]
    how = "simulated from" if "simulated" in result.detail else "measured"
    told = [f"{how}: {measured}, {epochs} {'answers' if epochs > 1 else 'answer'} each"]
    if result.item.paper.numbers:
        told.append(f"paper: {result.item.paper.models}")
    room = int(drawn.get_figwidth() * _CHARACTERS_PER_INCH)
    below = [line for each in told for line in wrap(each, room)]
    drawn.suptitle("\n".join([result.item.title, *below]), fontsize=9)

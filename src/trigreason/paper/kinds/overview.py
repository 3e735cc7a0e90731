"""Figure 1(c) to (e): who wrote the tokens, accuracy, and latency of the methods."""

from __future__ import annotations

from trigreason.paper.kinds.accuracy import accuracy_and_smt
from trigreason.paper.kinds.costs import per_answer
from trigreason.paper.work import Numbers, Work


def overview(work: Work) -> Numbers:
    """SMT, accuracy and seconds per answer of each arm, and how the seconds differ."""
    rows = [row for recorded in work.recorded for row in accuracy_and_smt(recorded)]
    seconds = per_answer(work, "seconds")
    return Numbers(rows=[*rows, *seconds.rows], notes=seconds.notes, detail=seconds.detail)

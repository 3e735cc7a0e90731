"""What is said below every result: where its runs differ from the paper's, and what they lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trigreason.configuration import BUNDLED
from trigreason.paper.work import Recorded
from trigreason.reasoning import Direction
from trigreason.reasoning.method_run import METHODS_END


def notes_on(recorded: Sequence[Recorded]) -> list[str]:
    """Sentences on the runs of an item."""
    return [
        *_k(recorded),
        *_reversed(recorded),
        *_closed(recorded),
        *_specreason(recorded),
        *_incomplete(recorded),
    ]


def _k(recorded: Sequence[Recorded]) -> Iterator[str]:
    values = sorted({arm.arm.thresholds.k for arm in _triggered(recorded)})
    if values:
        shown = ", ".join(map(str, values))
        yield f"k = {shown} here: the paper does not say how many hesitating steps make a request."


def _reversed(recorded: Sequence[Recorded]) -> Iterator[str]:
    pairs = dict.fromkeys(
        arm.pair for arm in _triggered(recorded) if arm.arm.thresholds.direction is Direction.UNDER
    )
    if pairs:
        yield (
            f"Reversed for {', '.join(pairs)}: the cognitive offload fires for r < ρ, not for "
            "r > ρ as in the paper, so a value of ρ means the opposite of the paper's."
        )


def _closed(recorded: Sequence[Recorded]) -> Iterator[str]:
    """How many runs had their thinking closed for them, and what their answers may have added."""
    runs = [run for arm in recorded for run in arm.runs]
    closed = sum(run.trace.limit in ("thinking_tokens", METHODS_END) for run in runs)
    if closed:
        most = max(arm.arm.budget.answer_tokens for arm in recorded)
        yield (
            f"In {closed:,} of {len(runs):,} answers the thinking was closed for the model, at the "
            f"budget or where SpecReason's script stops; the answer was then asked for, with up "
            f"to {most:,} tokens beyond the budget. The paper tells of no such tokens."
        )


def _specreason(recorded: Sequence[Recorded]) -> Iterator[str]:
    arms = [arm for arm in recorded if arm.planned.method == "specreason"]
    if not arms:
        return
    yield (
        "SpecReason as in its public script: no priming, scores from 7 on accept, and the thinking "
        "ends with a step that states an answer or equals the one before it. Two things differ: "
        "where a model closes its thinking the answer follows (the script takes the tag out and "
        "goes on), and the judge's prompt is the pair's."
    )
    if any(arm.pair == BUNDLED for arm in arms):
        yield (
            "The bundled LRM is a poor judge (see the bundled pair's page), so SpecReason's "
            "numbers with it say nothing about SpecReason with other models."
        )


def _incomplete(recorded: Sequence[Recorded]) -> Iterator[str]:
    for arm in recorded:
        if arm.missing:
            yield (
                f"{arm.planned.label} ({arm.pair}, {arm.task}) lacks {arm.missing} of "
                f"{arm.missing + len(arm.runs)} answers; the same command tries them again."
            )


def _triggered(recorded: Sequence[Recorded]) -> list[Recorded]:
    return [arm for arm in recorded if arm.planned.method == "trigreason"]

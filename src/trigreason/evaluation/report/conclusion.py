"""What a comparison found, in two sentences."""

from __future__ import annotations

from collections.abc import Iterator

from trigreason.evaluation.report.collect import Comparison
from trigreason.evaluation.report.tables import chance, interval, signed
from trigreason.evaluation.summary import ArmSummary, accuracy_difference
from trigreason.reasoning import Author

ALONE = ("srm", "lrm")
"""Methods by which one model answers alone."""


def conclusion(comparison: Comparison) -> str:
    """How a method of both models compares with the LRM alone; empty if no such run was scored.

    It is TrigReason, or without it the one that has most answers right. Where it was picked for
    that out of several, the sentence says so.
    """
    summaries = {arm: each for arm, each in comparison.summaries().items() if each.accuracy}
    both = [arm for arm in summaries if arm.method not in ALONE]
    if not both:
        return ""
    candidates = [arm for arm in both if arm.method == "trigreason"] or both
    arm = max(candidates, key=lambda each: _accuracy(summaries[each]))
    lrm = next((each for each in summaries if each.method == "lrm"), None)
    of = f", the best of {len(candidates)}," if len(candidates) > 1 else ""
    name, own = f"{comparison.names[arm]}{of}", summaries[arm]
    if lrm is None:
        return f"{name} has {_accuracy(own):.1f} % right{_written(own)}."
    delta = accuracy_difference(comparison.arms[arm].runs, comparison.arms[lrm].runs)
    far = ""
    if delta is not None:
        points = f"{signed(100 * delta.value)} points, {interval(delta, 100)}"
        far = f" ({points}; {chance(delta)} on {delta.questions:,} questions in common)"
    alone = summaries[lrm]
    return (
        f"{name} has {_accuracy(own):.1f} % right, the LRM alone {_accuracy(alone):.1f} %{far}. "
        f"It took {', '.join(_spent(own, alone))}{_written(own)}."
    )


def _accuracy(summary: ArmSummary) -> float:
    """In percent."""
    return 100 * summary.accuracy.value if summary.accuracy else 0.0


def _spent(own: ArmSummary, alone: ArmSummary) -> Iterator[str]:
    tokens, others = (each.generated[Author.LRM].value for each in (own, alone))
    yield f"{tokens:,.0f} tokens of the LRM per answer instead of {others:,.0f}"
    if alone.seconds.value:
        yield f"{own.seconds.value / alone.seconds.value:.2f} times the seconds"
    if own.usd and alone.usd and alone.usd.value:
        yield f"{own.usd.value / alone.usd.value:.2f} times the USD"


def _written(summary: ArmSummary) -> str:
    return f"; the SRM wrote {100 * summary.smt.value:.0f} % of the thinking" if summary.smt else ""

"""The report's tables, as text in rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from statistics import fmean
from typing import NamedTuple

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.report.collect import ArmRuns, Comparison
from trigreason.evaluation.report.naming import differing
from trigreason.evaluation.report.numbers import differences
from trigreason.evaluation.report.reading import printable
from trigreason.evaluation.statistics import Estimate
from trigreason.evaluation.summary import ArmSummary
from trigreason.reasoning import Author, Trigger
from trigreason.reasoning.names import SYMBOLS, TRIGGER_NAMES

QUESTIONS_SHOWN = 300
QUESTION_SHOWN = 200
"""Characters of a question."""


class ShadedCell(NamedTuple):
    """What stands in a cell, in small letters below it, and (0 to 1) how dark it is."""

    text: str
    note: str = ""
    share: float | None = None


NOTHING = ShadedCell("–")


@dataclass(frozen=True, slots=True)
class Table:
    """Heads, rows of as many cells, and what is to be said below. The first column is text."""

    heads: Sequence[str]
    rows: Sequence[Sequence[ShadedCell]]
    notes: Sequence[str] = field(default=())


Row = tuple[str, Callable[[ArmSummary], ShadedCell]]


UNREADABLE = (
    "Warning: some scores of the judge could not be read and were taken for 0, so steps were "
    "rewritten for no reason. Look at what it writes, and change its prompt."
)


def overview(comparison: Comparison) -> Table:
    """Every arm in numbers, means per answer; numbers that no arm has are left out."""
    names, summaries = comparison.names, comparison.summaries()
    rows = [[ShadedCell("answers"), *(_answers(comparison.arms[arm]) for arm in names)]]
    for head, cell in ROWS:
        cells = [cell(summaries[arm]) if arm in summaries else NOTHING for arm in names]
        if any(each is not NOTHING for each in cells):
            rows.append([ShadedCell(head), *cells])
    is_warned = any(each.unreadable.value for each in summaries.values())
    return Table(["method", *names.values()], rows, [UNREADABLE] if is_warned else [])


def _answers(own: ArmRuns) -> ShadedCell:
    there, questions = len(own.found), len({each.sample for each in own.runs})
    count = f"{there:,}" if there == own.planned else f"{there:,} of {own.planned:,}"
    return ShadedCell(count, f"{questions:,} question{'s' * (questions != 1)}")


def _handovers(trigger: Trigger, summary: ArmSummary) -> ShadedCell:
    return _mean(summary.handovers.get(trigger), 2)


def _total(parts: Collection[Estimate]) -> ShadedCell:
    return ShadedCell(_number(sum(each.value for each in parts), 2)) if parts else NOTHING


def _median(summary: ArmSummary) -> ShadedCell:
    return ShadedCell(f"{summary.seconds_median:.2f}", f"p95: {summary.seconds_p95:.2f}")


def _share(estimate: Estimate | None) -> ShadedCell:
    if estimate is None:
        return NOTHING
    return _mean(estimate, 1, 100, " %") if estimate.high else ShadedCell("0.0 %")


def _mean(
    estimate: Estimate | None, digits: int = 1, scale: float = 1.0, unit: str = ""
) -> ShadedCell:
    """A mean above its interval, unless that says nothing."""
    if estimate is None or not (estimate.value or estimate.high):
        return NOTHING
    value, low, high = (_number(scale * each, digits) for each in estimate[:3])
    has_interval = estimate.has_interval and estimate.high > estimate.low
    return ShadedCell(f"{value}{unit}", f"{low}–{high}" if has_interval else "")


def _number(value: float, digits: int = 1) -> str:
    return f"{value:,.0f}" if abs(value) > 100 else f"{value:.{digits}f}"


ROWS: Sequence[Row] = (
    ("accuracy", lambda each: _share(each.accuracy)),
    ("SMT", lambda each: _share(each.smt)),
    ("thinking tokens", lambda each: _mean(each.thinking)),
    ("drafts", lambda each: _mean(each.drafts)),
    ("  their tokens", lambda each: _mean(each.draft_tokens)),
    ("tokens of scores", lambda each: _mean(each.judging)),
    ("unreadable scores", lambda each: _mean(each.unreadable)),
    ("SRM requests", lambda each: _mean(each.requests[Author.SRM])),
    ("LRM requests", lambda each: _mean(each.requests[Author.LRM])),
    ("handovers to the LRM", lambda each: _total(each.handovers.values())),
    *((f"  {name}", partial(_handovers, trigger)) for trigger, name in TRIGGER_NAMES.items()),
    ("cut off", lambda each: _share(each.truncated)),
    ("SRM tokens", lambda each: _mean(each.generated[Author.SRM])),
    ("LRM tokens", lambda each: _mean(each.generated[Author.LRM])),
    ("seconds, mean", lambda each: _mean(each.seconds, 2)),
    ("seconds, median", _median),
    ("tokens/s", lambda each: ShadedCell(_number(each.tokens_per_second or 0.0))),
    ("USD per 1,000 answers", lambda each: _mean(each.usd, 3, 1000)),
    ("degraded", lambda each: ShadedCell(f"{each.degraded:,}") if each.degraded else NOTHING),
)
"""What is right, who did what, and what hangs on the clock."""


def compared(comparison: Comparison) -> Table | None:
    """Arms against each other, question by question; None where nothing can be compared."""
    names = comparison.names
    rows = [
        [
            ShadedCell(f"{names[first]} minus {names[second]}"),
            ShadedCell(
                f"{100 * found.value:+.1f}", f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
            ),
            ShadedCell("< 0.001" if found.p < 0.001 else f"{found.p:.3f}"),
            ShadedCell(f"{found.questions:,}"),
            ShadedCell("beyond chance" if found.is_significant else "within chance"),
        ]
        for first, second, found in differences(comparison)
    ]
    heads = ["accuracy of", "points", "p", "questions", "at 5 %"]
    note = (
        f"These are {len(rows)} comparisons; "
        "where there is no difference, one in 20 is below p = 0.05 all the same."
    )
    return Table(heads, rows, [note] if len(rows) > 1 else []) if rows else None


def questions(comparison: Comparison) -> Table | None:
    """Which arm gets which question right; those on which arms differ most come first."""
    names = comparison.names
    right = {arm: _right(comparison.arms[arm]) for arm in names}
    scored = [each for each in comparison.questions if any(each in own for own in right.values())]
    if not scored:
        return None

    def order(sample: str) -> tuple[float, float]:
        means = [fmean(own[sample]) for own in right.values() if sample in own]
        return min(means) - max(means), fmean(means)

    asked = _asked(comparison)
    shown = sorted(scored, key=order)[:QUESTIONS_SHOWN]
    rows = [
        [
            ShadedCell(printable(sample), asked[sample]),
            ShadedCell(printable(comparison.targets.get(sample, "–"))[:60]),
            *(_tally(right[arm].get(sample)) for arm in names),
        ]
        for sample in shown
    ]
    left = len(scored) - len(shown)
    notes = [f"{left:,} more, on which arms differ less, are left out."] if left else []
    return Table(["question", "target", *names.values()], rows, notes)


def _asked(comparison: Comparison) -> dict[str, str]:
    """The beginning of each question in one line, without the prompt that all begin with."""
    asked = {sample: text.split("\n\n") for sample, text in comparison.questions.items()}
    together = zip(*asked.values(), strict=False)
    shared = len(list(takewhile(lambda paragraphs: len(set(paragraphs)) == 1, together)))
    start = shared if len(asked) > 1 else 0
    return {
        sample: printable(" ".join(" ".join(paragraphs[start:]).split())[:QUESTION_SHOWN])
        for sample, paragraphs in asked.items()
    }


def _right(own: ArmRuns) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for run in own.runs:
        if run.right is not None:
            found.setdefault(run.sample, []).append(float(run.right))
    return found


def _tally(outcomes: Sequence[float] | None) -> ShadedCell:
    if not outcomes:
        return NOTHING
    return ShadedCell(f"{sum(outcomes):.0f} of {len(outcomes)}", share=fmean(outcomes))


def settings(comparison: Comparison) -> Table:
    """What the arms were set to: what differs in a row each, what does not in a note."""
    names = comparison.names
    every = {arm: arm.to_args() for arm in names}
    apart = differing(list(every.values()))
    differ = list(apart[0])
    rows = [
        [ShadedCell(SYMBOLS.get(key, key)), *(ShadedCell(_told(own[key])) for own in apart)]
        for key in differ
    ]
    first: Arm = next(iter(names))
    common = [
        f"{SYMBOLS.get(key, key)} = {_told(value)}"
        for key, value in every[first].items()
        if key not in differ
    ]
    return Table(["setting", *names.values()], rows, [f"The same for all: {'; '.join(common)}."])


def _told(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

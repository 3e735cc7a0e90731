"""The report's tables, as text in rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from statistics import fmean
from typing import NamedTuple

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.report.arm_names import differing
from trigreason.evaluation.report.collect import ArmRuns, Comparison
from trigreason.evaluation.report.numbers import differences
from trigreason.evaluation.report.stories import printable
from trigreason.evaluation.statistics import Difference, Estimate
from trigreason.evaluation.summary import ArmSummary
from trigreason.reasoning import Author, Trigger
from trigreason.reasoning.names import SYMBOLS, TRIGGER_NAMES

QUESTIONS_SHOWN = 300
QUESTION_SHOWN = 200
"""How many characters of a question are shown."""


class ShadedCell(NamedTuple):
    """A cell's text, a note in small letters below it, and how dark it is (0 to 1)."""

    text: str
    note: str = ""
    share: float | None = None


NOTHING = ShadedCell("–")


@dataclass(frozen=True, slots=True)
class Table:
    """Heads, rows with a cell per head, and notes below. The first column is text."""

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
        if any(shown is not NOTHING for shown in cells):
            rows.append([ShadedCell(head), *cells])
    is_warned = any(summary.unreadable.value for summary in summaries.values())
    return Table(["method", *names.values()], rows, [UNREADABLE] if is_warned else [])


def _answers(arm: ArmRuns) -> ShadedCell:
    finished, questions = len(arm.found), len({run.sample for run in arm.runs})
    count = f"{finished:,}" if finished == arm.planned else f"{finished:,} of {arm.planned:,}"
    return ShadedCell(count, f"{questions:,} question{'s' * (questions != 1)}")


def _handovers(trigger: Trigger, summary: ArmSummary) -> ShadedCell:
    return _mean(summary.handovers.get(trigger), 2)


def _total(parts: Collection[Estimate]) -> ShadedCell:
    return ShadedCell(_number(sum(part.value for part in parts), 2)) if parts else NOTHING


def _median(summary: ArmSummary) -> ShadedCell:
    return ShadedCell(f"{summary.seconds_median:.2f}", f"p95: {summary.seconds_p95:.2f}")


def _share(estimate: Estimate | None) -> ShadedCell:
    if estimate is None:
        return NOTHING
    return _mean(estimate, 1, 100, " %") if estimate.high else ShadedCell("0.0 %")


def _mean(
    estimate: Estimate | None, digits: int = 1, scale: float = 1.0, unit: str = ""
) -> ShadedCell:
    """A mean above its interval, if that is finite and not of width 0."""
    if estimate is None or not (estimate.value or estimate.high):
        return NOTHING
    value, low, high = (_number(scale * number, digits) for number in estimate[:3])
    has_interval = estimate.has_interval and estimate.high > estimate.low
    return ShadedCell(f"{value}{unit}", f"{low}–{high}" if has_interval else "")


def _number(value: float, digits: int = 1) -> str:
    return f"{value:,.0f}" if abs(value) > 100 else f"{value:.{digits}f}"


ROWS: Sequence[Row] = (
    ("accuracy", lambda arm: _share(arm.accuracy)),
    ("SMT", lambda arm: _share(arm.smt)),
    ("thinking tokens", lambda arm: _mean(arm.thinking)),
    ("drafts", lambda arm: _mean(arm.drafts)),
    ("  their tokens", lambda arm: _mean(arm.draft_tokens)),
    ("tokens of scores", lambda arm: _mean(arm.judging)),
    ("unreadable scores", lambda arm: _mean(arm.unreadable)),
    ("SRM requests", lambda arm: _mean(arm.requests[Author.SRM])),
    ("LRM requests", lambda arm: _mean(arm.requests[Author.LRM])),
    ("scorer requests", lambda arm: _mean(arm.ratings)),
    ("handovers to the LRM", lambda arm: _total(arm.handovers.values())),
    *((f"  {name}", partial(_handovers, trigger)) for trigger, name in TRIGGER_NAMES.items()),
    ("cut off", lambda arm: _share(arm.truncated)),
    ("SRM tokens", lambda arm: _mean(arm.generated[Author.SRM])),
    ("LRM tokens", lambda arm: _mean(arm.generated[Author.LRM])),
    ("seconds, mean", lambda arm: _mean(arm.seconds, 2)),
    ("seconds, median", _median),
    ("tokens/s", lambda arm: ShadedCell(_number(arm.tokens_per_second or 0.0))),
    ("USD per 1,000 answers", lambda arm: _mean(arm.usd, 3, 1000)),
    ("degraded", lambda arm: ShadedCell(f"{arm.degraded:,}") if arm.degraded else NOTHING),
)
"""Accuracy, what each model did, and what depends on the clock."""


def signed(value: float) -> str:
    """A number with its sign; minus is U+2212, as wide as plus."""
    return f"{value:+.1f}".replace("-", "\u2212")


def interval(delta: Difference, scale: float = 1.0) -> str:
    """The 95 % interval of a difference."""
    return f"{signed(scale * delta.low)} to {signed(scale * delta.high)}"


def chance(delta: Difference) -> str:
    """Whether chance alone explains a difference, at 5 %."""
    return "beyond chance" if delta.is_significant else "within chance"


def compared(comparison: Comparison) -> Table | None:
    """Differences between arms, paired by question; None if nothing can be compared."""
    names = comparison.names
    rows = [
        [
            ShadedCell(f"{names[first]} minus {names[second]}"),
            ShadedCell(signed(100 * delta.value), interval(delta, 100)),
            ShadedCell("< 0.001" if delta.p < 0.001 else f"{delta.p:.3f}"),
            ShadedCell(f"{delta.questions:,}"),
            ShadedCell(chance(delta)),
        ]
        for first, second, delta in differences(comparison)
    ]
    heads = ["accuracy of", "points", "p", "questions", "at 5 %"]
    note = (
        f"These are {len(rows)} comparisons; "
        "where there is no difference, one in 20 is below p = 0.05 all the same."
    )
    return Table(heads, rows, [note] if len(rows) > 1 else []) if rows else None


def questions(comparison: Comparison) -> Table | None:
    """Which arm gets which question right; questions on which arms differ most come first."""
    names = comparison.names
    right = {arm: _right(comparison.arms[arm]) for arm in names}
    with_score = {sample for outcomes in right.values() for sample in outcomes}
    scored = [sample for sample in comparison.questions if sample in with_score]
    if not scored:
        return None

    def order(sample: str) -> tuple[float, float]:
        means = [fmean(outcomes[sample]) for outcomes in right.values() if sample in outcomes]
        return min(means) - max(means), fmean(means)

    beginnings = _beginnings(comparison)
    shown = sorted(scored, key=order)[:QUESTIONS_SHOWN]
    rows = [
        [
            ShadedCell(printable(sample), beginnings[sample]),
            ShadedCell(printable(comparison.targets.get(sample, "–"))[:60]),
            *(_tally(right[arm].get(sample)) for arm in names),
        ]
        for sample in shown
    ]
    left = len(scored) - len(shown)
    notes = [f"{left:,} more, on which arms differ less, are left out."] if left else []
    return Table(["question", "target", *names.values()], rows, notes)


def _beginnings(comparison: Comparison) -> dict[str, str]:
    """The beginning of each question in one line, without the paragraphs that all share."""
    paragraphs_of = {sample: text.split("\n\n") for sample, text in comparison.questions.items()}
    aligned = zip(*paragraphs_of.values(), strict=False)
    shared = len(list(takewhile(lambda paragraphs: len(set(paragraphs)) == 1, aligned)))
    start = shared if len(paragraphs_of) > 1 else 0
    return {
        sample: printable(" ".join(" ".join(paragraphs[start:]).split())[:QUESTION_SHOWN])
        for sample, paragraphs in paragraphs_of.items()
    }


def _right(arm: ArmRuns) -> dict[str, list[float]]:
    outcomes: dict[str, list[float]] = {}
    for run in arm.runs:
        if run.right is not None:
            outcomes.setdefault(run.sample, []).append(float(run.right))
    return outcomes


def _tally(outcomes: Sequence[float] | None) -> ShadedCell:
    if not outcomes:
        return NOTHING
    return ShadedCell(f"{sum(outcomes):.0f} of {len(outcomes)}", share=fmean(outcomes))


def settings(comparison: Comparison) -> Table:
    """The arms' settings: a row for each one that differs, and a note with the others."""
    names = comparison.names
    every = {arm: arm.to_args() for arm in names}
    apart = differing(list(every.values()))
    differ = list(apart[0])
    rows = [
        [ShadedCell(SYMBOLS.get(key, key)), *(ShadedCell(_shown(arm[key])) for arm in apart)]
        for key in differ
    ]
    first: Arm = next(iter(names))
    common = [
        f"{SYMBOLS.get(key, key)} = {_shown(value)}"
        for key, value in every[first].items()
        if key not in differ
    ]
    return Table(["setting", *names.values()], rows, [f"The same for all: {'; '.join(common)}."])


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

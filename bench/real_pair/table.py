"""The table of what there is: one row per method, and whether triggers beat a coin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from rich.table import Table

from bench.real_pair.ceiling import Work, work
from bench.real_pair.questions import DataSet, asked
from bench.real_pair.records import Record
from bench.real_pair.rows import CALIBRATED, LABELS, LRM_ONLY, SRM_ONLY
from bench.real_pair.running import as_run, graded
from trigreason.evaluation.questions import Question
from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import SHARES, Difference, paired, pass_at_1
from trigreason.reasoning import Author, StopReason
from trigreason.studies.calibration.experiment import Results
from trigreason.studies.calibration.labelled import Coin, against_coin
from trigreason.studies.calibration.ledger import RunOutcome
from trigreason.studies.calibration.setting import Setting

HEADINGS = (
    "",
    "questions",
    "right, % (95 %)",
    "minus LRM only, points (95 %; p)",
    "SMT, %",
    "SRM written",
    "SRM read",
    "LRM written",
    "LRM read",
    "LRM written, % of LRM only",
    "requests SRM + LRM",
    "drafts",
    "steps",
    "cut off",
)

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of one row on one data set, by question; ``others`` are of older settings."""

    label: str
    runs: Mapping[str, Run]
    others: int

    def rights(self) -> dict[str, list[float]]:
        return {name: [float(bool(run.right))] for name, run in self.runs.items()}

    def work(self, author: Author) -> dict[str, Work]:
        return {name: work(run.trace, author) for name, run in self.runs.items()}


def lines(
    records: Sequence[Record],
    settings: Settings,
    data: DataSet,
    questions: Sequence[Question] = (),
) -> dict[str, Line]:
    """A data set's rows. The setting of a row's last run counts, and no run of another.

    All rows are of the models, the budget and the form of thinking that the last run of all has.
    With the ``questions`` at hand, runs of another prompt are left out, and the others are graded
    anew.
    """
    evaluated = [each for each in records if each.part == "evaluation"]
    if not evaluated:
        return {}
    base = settings[evaluated[-1].setting]["base"]
    by_id = {each.id: each for each in questions}
    found: dict[str, Line] = {}
    for label in LABELS:
        own = [each for each in evaluated if each.row == label]
        fitting = [each for each in own if settings[each.setting]["base"] == base]
        last = fitting[-1].setting if fitting else ""
        current = [each for each in fitting if each.setting == last and _is_asked(each, by_id)]
        runs = {each.question: _run(each, settings, data, by_id) for each in current}
        if runs:
            found[label] = Line(label, runs, len(own) - len(runs))
    return found


def _is_asked(record: Record, questions: Mapping[str, Question]) -> bool:
    question = questions.get(record.question)
    return not questions or (question is not None and asked(question) == record.asked)


def _run(
    record: Record, settings: Settings, data: DataSet, questions: Mapping[str, Question]
) -> Run:
    question = questions.get(record.question)
    run = as_run(record, settings, data.name, question)
    if question is None:
        return run
    return replace(run, right=graded(question, run.trace).right)


def table(data: DataSet, found: Mapping[str, Line]) -> Table:
    """Means per question; what is compared with LRM only is so on the questions of both."""
    shown = Table(*HEADINGS, title=f"{data.name}: {data.evaluating} questions planned")
    for column in shown.columns[1:]:
        column.justify = "right"
    lrm = found.get(LRM_ONLY.label)
    for line in found.values():
        shown.add_row(*_cells(line, lrm))
    return shown


def _cells(line: Line, lrm: Line | None) -> Iterator[str]:
    traces = [run.trace for run in line.runs.values()]
    right = pass_at_1(line.rights())
    yield line.label
    yield str(len(traces))
    yield f"{100 * right.value:.1f} ({100 * right.low:.0f}–{100 * right.high:.0f})"
    yield _difference(line, lrm)
    yield f"{100 * fmean(trace.smt or 0.0 for trace in traces):.1f}"
    for author in (Author.SRM, Author.LRM):
        done = line.work(author).values()
        yield f"{fmean(each.written + each.unused for each in done):.0f}"
        yield f"{fmean(each.read + each.reread for each in done):.0f}"
    yield _share_of_lrm_tokens(line, lrm)
    yield " + ".join(
        f"{fmean(trace.use(author).requests for trace in traces):.1f}"
        for author in (Author.SRM, Author.LRM)
    )
    yield f"{fmean(len(trace.drafts) for trace in traces):.2f}"
    yield f"{fmean(len(trace.standing) for trace in traces):.1f}"
    yield str(Counter(trace.stop for trace in traces)[StopReason.TRUNCATED])


def _difference(line: Line, lrm: Line | None) -> str:
    common = _common(line, lrm)
    if lrm is None or line is lrm or not common:
        return "–"
    return in_points(paired(line.rights(), lrm.rights(), within=SHARES))


def in_points(found: Difference) -> str:
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.value:+.1f} ({low:+.1f} to {high:+.1f}; p = {found.p:.2f})"


def _share_of_lrm_tokens(line: Line, lrm: Line | None) -> str:
    common = _common(line, lrm)
    if lrm is None or not common:
        return "–"
    ours, theirs = line.work(Author.LRM), lrm.work(Author.LRM)
    written = sum(ours[each].written + ours[each].unused for each in common)
    alone = sum(theirs[each].written + theirs[each].unused for each in common)
    return f"{100 * written / alone:.0f}"


def _common(line: Line, lrm: Line | None) -> list[str]:
    return [] if lrm is None else [name for name in line.runs if name in lrm.runs]


def coin(found: Mapping[str, Line], label: str = CALIBRATED) -> Coin | None:
    """A row against a coin per question between the two models alone, at the same SMT.

    On the questions that all three have; None where there are none, or where the row is no mix.
    """
    if not {label, SRM_ONLY.label, LRM_ONLY.label} <= set(found):
        return None
    three = [found[each] for each in (label, SRM_ONLY.label, LRM_ONLY.label)]
    common = [name for name in three[0].runs if all(name in each.runs for each in three)]
    if not common:
        return None
    ours, *alone = (_results(each, common) for each in three)
    return against_coin(ours, alone, "smt")


def _results(line: Line, names: Sequence[str]) -> Results:
    first = line.runs[names[0]].trace
    outcomes = {
        name: (RunOutcome.of(line.runs[name].trace, bool(line.runs[name].right)),) for name in names
    }
    return Results(Setting(first.method, first.thresholds), outcomes)

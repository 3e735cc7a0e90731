"""Figure 3 and Appendix B: one trace of the SRM for each of the three risks, beside the LRM's.

The paper's authors chose their cases by reading. Here a rule chooses among the questions that an
SRM answered wrongly and the LRM rightly, so that anybody gets the same cases from the same runs:

    path divergence      the first wrong step comes earliest, as nothing follows from a bad start
    cognitive overload   the overconfident step (r > ρ) with the highest r, of wrong steps if a
                         checker knows them
    recovery inability   the longest row of hesitating or repeating steps

Without a checker of steps, path divergence is the question with the largest gap between the models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from trigreason.evaluation.runs import Run
from trigreason.paper.kinds.accuracy import LRM_ONLY, outcomes
from trigreason.paper.kinds.overconfidence import SRM_ONLY, questions_with_gap, ratios
from trigreason.paper.result import ShownTable
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import Thresholds
from trigreason.studies.signals import SeenStep, seen_steps

AROUND = 3
"""Steps that are shown before the decisive one, and after it."""

STUCK_STEPS = 2
"""Fewer hesitating or repeating steps in a row are no sign of being stuck."""


class Case(NamedTuple):
    """A wrong run of the SRM, the LRM's right run on its question, and the step that decides."""

    risk: str
    srm: Run
    lrm: Run
    step: int
    why: str


def cases(work: Work) -> Numbers:
    """Up to one case of each risk for each pair and task."""
    thresholds = Thresholds.from_json(work.setting.thresholds)
    notes: list[str] = []
    tables: list[ShownTable] = []
    shown: dict[str, object] = {}
    for (pair, task), arms in work.grouped().items():
        found = list(find_cases(arms[SRM_ONLY], arms[LRM_ONLY], thresholds))
        for case in found:
            title = f"{case.risk}: {pair}, {task}, question {case.srm.sample}"
            notes.append(f"{title}, answer {case.srm.epoch}: {case.why}.")
            tables.append(_table(title, case, thresholds))
        missing = RISKS.keys() - {case.risk for case in found}
        notes += [f"{pair}, {task}: no run shows this risk: {risk}." for risk in sorted(missing)]
        shown[f"{pair} · {task}"] = [_to_json(case) for case in found]
    return Numbers(rows=[], notes=notes, tables=tables, detail={"cases": shown})


def find_cases(srm: Recorded, lrm: Recorded, thresholds: Thresholds) -> Iterator[Case]:
    """The cases that the rules above choose; a risk that no run shows is left out."""
    right: dict[str, Run] = {}
    for run in sorted(lrm.runs, key=lambda run: run.epoch):
        if run.right:
            right.setdefault(run.sample, run)
    gaps = questions_with_gap(outcomes(srm), outcomes(lrm), len(srm.runs))
    wrong = [
        _Wrong(run, right[question], seen_steps(run, thresholds))
        for question in gaps
        for run in sorted(srm.runs, key=lambda run: run.epoch)
        if run.sample == question and run.right is False and question in right
    ]
    for risk, find in RISKS.items():
        if (found := find(wrong, thresholds)) is not None:
            yield Case(risk, found.wrong.run, found.wrong.right, found.step, found.why)


class _Wrong(NamedTuple):
    """A wrong run of the SRM with its steps, and the LRM's right run on its question."""

    run: Run
    right: Run
    steps: Sequence[SeenStep]

    @property
    def first_wrong_step(self) -> int | None:
        """The index of the first step that a checker calls wrong."""
        return next((step.index for step in self.steps if step.wrong), None)


class _Decisive(NamedTuple):
    """The step that decides, and why."""

    wrong: _Wrong
    step: int
    why: str


def _diverging(wrong: Sequence[_Wrong], _: Thresholds) -> _Decisive | None:
    checked = [(index, each) for each in wrong if (index := each.first_wrong_step) is not None]
    if checked:
        index, first = min(checked, key=lambda each: each[0])
        return _Decisive(first, index, f"the SRM's first wrong step is step {index + 1}")
    if not wrong:
        return None
    why = "of all questions the models differ most on this one; nothing checks its steps"
    return _Decisive(wrong[0], 0, why)


def _overloaded(wrong: Sequence[_Wrong], thresholds: Thresholds) -> _Decisive | None:
    firsts = [each.first_wrong_step for each in wrong]
    is_checked = any(first is not None for first in firsts)
    certain = [
        (ratio, each, step.index)
        for each, first in zip(wrong, firsts, strict=True)
        for step in each.steps
        if (ratio := step.ratio(thresholds.tau)) is not None
        and ratio > thresholds.rho
        and (not is_checked or step.index == first)
    ]
    if not certain:
        return None
    ratio, chosen, index = max(certain, key=lambda each: each[0])
    what = "the first wrong step" if is_checked else "the most certain step"
    return _Decisive(chosen, index, f"{what}, step {index + 1}, has r = {ratio:.3f}")


def _stuck(wrong: Sequence[_Wrong], _: Thresholds) -> _Decisive | None:
    rows = [
        (longest_row([step.hesitates or step.repeats for step in each.steps]), each)
        for each in wrong
    ]
    (length, first), chosen = max(rows, key=lambda row: row[0][0], default=((0, 0), None))
    if chosen is None or length < STUCK_STEPS:
        return None
    index = chosen.steps[first].index
    why = f"{length} steps in a row hesitate or repeat, from step {index + 1} on"
    return _Decisive(chosen, index, why)


RISKS: dict[str, Callable[[Sequence[_Wrong], Thresholds], _Decisive | None]] = {
    "Path divergence": _diverging,
    "Cognitive overload": _overloaded,
    "Recovery inability": _stuck,
}
"""The paper's three risks, and what finds a case of each."""


def longest_row(flags: Sequence[bool]) -> tuple[int, int]:
    """The length of the longest row of True, and where the first such row begins."""
    best, length = (0, 0), 0
    for at, flag in enumerate(flags):
        length = length + 1 if flag else 0
        if length > best[0]:
            best = length, at - length + 1
    return best


def _table(title: str, case: Case, thresholds: Thresholds) -> ShownTable:
    """The SRM's steps around the decisive one beside the LRM's at the same places."""
    first, last = max(0, case.step - AROUND), case.step + AROUND
    srm, lrm = case.srm.trace.standing, case.lrm.trace.standing
    found = dict(ratios(case.srm.trace, thresholds.tau))
    rows = []
    for at in range(first, min(last + 1, max(len(srm), len(lrm)))):
        ratio = found.get(at)
        rows.append(
            (
                f"{at + 1} ←" if at == case.step else str(at + 1),
                srm[at].text.strip() if at < len(srm) else "",
                "" if ratio is None else f"{ratio:.2f}",
                lrm[at].text.strip() if at < len(lrm) else "",
            )
        )
    return ShownTable(title, ("step", "SRM only, wrong", "r", "LRM only, right"), rows)


def _to_json(case: Case) -> dict[str, object]:
    return {
        "risk": case.risk,
        "why": case.why,
        "question": case.srm.question,
        "step": case.step,
        "srm": [step.text for step in case.srm.trace.standing],
        "lrm": [step.text for step in case.lrm.trace.standing],
    }

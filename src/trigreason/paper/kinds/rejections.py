"""Figures 2(b) and 8: the share of steps that the judge rejects, by whose trajectories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import SHARES, mean_of
from trigreason.paper.kinds.accuracy import LRM_ONLY, outcomes
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning.methods import method_title
from trigreason.studies.judging import Trajectory

SPECREASON = method_title("specreason")
SRM_ONLY = method_title("srm")
SRM_RIGHT = "SRM, right"
LRM_OWN = "LRM's own"


def rejections(work: Work) -> Numbers:
    """The share of steps scored below the bound, per question and over all questions.

    Rates are averaged as accuracy is: over a question's trajectories, then over questions.
    """
    rows: list[MeasuredNumber] = []
    notes: list[str] = []
    for arms in work.grouped().values():
        questions = _questions(arms, work.setting.questions)
        for label, recorded, rates in _rates(work, arms, questions):
            if not rates:
                notes.append(f"No trajectory for {label}, so its rate is missing.")
                continue
            for question, of_question in rates.items():
                estimate = mean_of({question: of_question})
                rows.append(recorded.row("rejected", estimate, arm=label, question=question))
            mean = mean_of(rates).clipped(*SHARES)
            rows.append(recorded.row("rejected", mean, arm=label))
    return Numbers(rows=rows, notes=notes)


def _questions(arms: Mapping[str, Recorded], count: int | None) -> list[str]:
    """The ``count`` questions that the SRM solves most often, or all questions in order."""
    if count is None:
        return list(
            dict.fromkeys(run.sample for recorded in arms.values() for run in recorded.runs)
        )
    right = outcomes(arms[SRM_ONLY])
    solved = sorted(right, key=lambda sample: sum(right[sample]) / len(right[sample]), reverse=True)
    return [sample for sample in solved[:count] if sum(right[sample])]


def _rates(
    work: Work, arms: Mapping[str, Recorded], questions: Sequence[str]
) -> Iterator[tuple[str, Recorded, dict[str, list[float]]]]:
    spec = arms[SPECREASON]
    yield SPECREASON, spec, _as_judged(spec, questions)
    bound = spec.arm.thresholds.accept
    if SRM_ONLY in arms:
        right = [run for run in arms[SRM_ONLY].runs if run.right]
        yield SRM_RIGHT, arms[SRM_ONLY], _judged(work, arms[SRM_ONLY], right, questions, bound)
    lrm = arms[LRM_ONLY]
    yield LRM_OWN, lrm, _judged(work, lrm, lrm.runs, questions, bound)


def _as_judged(spec: Recorded, questions: Sequence[str]) -> dict[str, list[float]]:
    """The rates from the scores that SpecReason's runs recorded."""

    def rate(run: Run) -> float | None:
        scores = [step.score for step in run.trace.steps if step.score is not None]
        return _rejected(scores, spec.arm.thresholds.accept)

    rates = spec.samples(rate)
    return {question: rates[question] for question in questions if question in rates}


def _judged(
    work: Work, recorded: Recorded, runs: Sequence[Run], questions: Sequence[str], bound: float
) -> dict[str, list[float]]:
    """The rates of whole trajectories that the pair's LRM scores now."""
    picked: dict[str, list[Run]] = {question: [] for question in questions}
    for run in sorted(runs, key=lambda run: run.epoch):
        if run.sample in picked and _has_room(picked[run.sample], work.setting.trajectories):
            picked[run.sample].append(run)
    to_judge = [run for picked_runs in picked.values() for run in picked_runs]
    judge = work.judging.lrm(recorded.pair)
    scored = work.judging.scores(judge, [Trajectory.of(run.trace) for run in to_judge])
    rates: dict[str, list[float]] = {}
    for run, scores in zip(to_judge, scored, strict=True):
        # SpecReason counts a score that is not a digit as 0
        rate = _rejected([0.0 if score is None else score for score in scores], bound)
        if rate is not None:
            rates.setdefault(run.sample, []).append(rate)
    return rates


def _has_room(runs: Sequence[Run], count: int | None) -> bool:
    return count is None or len(runs) < count


def _rejected(scores: Sequence[float], bound: float) -> float | None:
    return sum(score < bound for score in scores) / len(scores) if scores else None

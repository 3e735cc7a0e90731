"""Figure 2(a): several judges' scores of the same trajectory."""

from __future__ import annotations

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Estimate, mean_of
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.studies.judging import Trajectory


def judges(work: Work) -> Numbers:
    """Each judge's scores of the steps of the first right trajectory, and their mean."""
    recorded, run = _first_right(work)
    trajectory = Trajectory.of(run.trace)
    rows: list[MeasuredNumber] = []
    series: dict[str, list[float | None]] = {}
    notes = [
        f"The trajectory: question {run.sample}, answer {run.epoch} of {recorded.pair}'s SRM, "
        f"{len(trajectory.steps)} steps, right in the end."
    ]
    for judge in work.judging.judges():
        [scores] = work.judging.scores(judge, [trajectory])
        series[judge] = scores
        digits = [score for score in scores if score is not None]
        if len(digits) < len(scores):
            unread = len(scores) - len(digits)
            notes.append(f"{judge} wrote no digit for {unread} of {len(scores)} steps.")
        if digits:
            estimate = _mean_of_steps(digits)
            rows.append(recorded.row("score", estimate, arm=judge, method=""))
    notes.append("Intervals are over the steps of this one trajectory.")
    detail = {"question": run.sample, "steps": list(trajectory.steps), "scores": series}
    return Numbers(rows=rows, notes=notes, detail=detail)


def _first_right(work: Work) -> tuple[Recorded, Run]:
    for recorded in work.recorded:
        for run in sorted(recorded.runs, key=lambda run: run.epoch):
            if run.right and len(run.trace.standing) > 1:
                return recorded, run
    raise ValueError(
        "no run of an SRM alone is right, so there is no trajectory to judge; raise --limit"
    )


def _mean_of_steps(scores: list[float]) -> Estimate:
    return mean_of({str(at): [score] for at, score in enumerate(scores)})

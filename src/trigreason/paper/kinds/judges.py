"""Figure 2(a): what several judges make of one and the same trajectory."""

from __future__ import annotations

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Estimate, mean_of
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Made, Recorded, Work
from trigreason.studies.judging import Trajectory


def judges(work: Work) -> Made:
    """Each judge's score of each step of the first right trajectory, and its mean."""
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
        read = [score for score in scores if score is not None]
        if len(read) < len(scores):
            unread = len(scores) - len(read)
            notes.append(f"{judge} wrote no digit for {unread} of {len(scores)} steps.")
        if read:
            estimate = _mean_of_steps(read)
            rows.append(recorded.row("score", estimate, arm=judge, method=""))
    notes.append("Intervals are over the steps of this one trajectory.")
    detail = {"question": run.sample, "steps": list(trajectory.steps), "scores": series}
    return Made(rows=rows, notes=notes, detail=detail)


def _first_right(work: Work) -> tuple[Recorded, Run]:
    for each in work.recorded:
        for run in sorted(each.runs, key=lambda run: run.epoch):
            if run.right and len(run.trace.standing) > 1:
                return each, run
    raise ValueError(
        "no run of an SRM alone is right, so there is no trajectory to judge; raise --limit"
    )


def _mean_of_steps(scores: list[float]) -> Estimate:
    return mean_of({str(at): [score] for at, score in enumerate(scores)})

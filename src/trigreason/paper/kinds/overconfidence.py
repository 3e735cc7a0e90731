"""Appendix D: do overconfident steps indicate wrong trajectories of the SRM?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trigreason.evaluation.runs import Run
from trigreason.paper.kinds.accuracy import LRM_ONLY, outcomes
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import CognitiveOffload, Direction, Thresholds
from trigreason.reasoning.methods import method_title
from trigreason.studies.checking import checked_steps
from trigreason.studies.overconfidence import Confidence, confidence, questions_with_gap, ratios
from trigreason.studies.shares import pooled

SRM_ONLY = method_title("srm")


def overconfidence(work: Work) -> Numbers:
    """Trajectories that contain an overconfident step, and the share of such steps.

    Raises:
        ValueError: no step of an SRM has logprobs.
    """
    thresholds = Thresholds.from_json(work.setting.thresholds)
    offload = CognitiveOffload(thresholds.tau, thresholds.rho, Direction.OVER)
    rows: list[MeasuredNumber] = []
    notes = [f"Overconfident: r > {offload.rho:g}, with PPL < {offload.tau:g}."]
    for arms in work.grouped().values():
        srm = arms[SRM_ONLY]
        count = work.setting.questions or len(srm.runs)
        picked = set(questions_with_gap(outcomes(srm), outcomes(arms[LRM_ONLY]), count))
        runs = [run for run in srm.runs if run.sample in picked]
        if not any(confidence(run.trace, offload).steps for run in runs):
            raise ValueError(
                f"the steps of {srm.pair}'s SRM have no probabilities, so overconfidence cannot be "
                "seen in them; serve the SRM with logprobs"
            )
        wrong = sum(run.right is False for run in runs)
        notes.append(
            f"{srm.pair}, {srm.task}: {len(runs)} trajectories on the {len(picked)} questions "
            f"with the largest gap between the models, {wrong} of them wrong."
        )
        rows += _trajectories(srm, runs, offload)
        rows += _steps(srm, runs, offload)
    return Numbers(rows=rows, notes=notes)


def _trajectories(
    srm: Recorded, runs: Sequence[Run], offload: CognitiveOffload
) -> Iterator[MeasuredNumber]:
    for label, is_right in (("wrong trajectories", False), ("right trajectories", True)):
        contains: dict[str, list[float]] = {}
        for run in runs:
            if run.right is is_right:
                is_overconfident = confidence(run.trace, offload).contains
                contains.setdefault(run.sample, []).append(float(is_overconfident))
        if contains:
            # as in the paper, every trajectory has the same weight, not every question
            counted = {
                question: [(value, 1.0) for value in values]
                for question, values in contains.items()
            }
            estimate = pooled(counted)
            yield srm.row("overconfident_trajectories", estimate, arm=label, method="")


def _steps(
    srm: Recorded, runs: Sequence[Run], offload: CognitiveOffload
) -> Iterator[MeasuredNumber]:
    kinds: dict[str, dict[str, list[tuple[float, float]]]] = {}

    def count(label: str, run: Run, seen: Confidence) -> None:
        if seen.steps:
            counts = kinds.setdefault(label, {}).setdefault(run.sample, [])
            counts.append((seen.count, seen.steps))

    for run in runs:
        count("all steps", run, confidence(run.trace, offload))
        labels = checked_steps(run)
        for label, is_right in (("wrong steps", False), ("right steps", True)):
            fired = tuple(
                offload.fires(ratio)
                for index, ratio in ratios(run.trace, offload.tau)
                if labels[index] is is_right
            )
            count(label, run, Confidence(fired))
    for label, counted in kinds.items():
        yield srm.row("overconfident_steps", pooled(counted), arm=label, method="")

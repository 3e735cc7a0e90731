"""Appendix D: do overconfident steps mark wrong trajectories of the SRM?

The paper sets a share of *wrong trajectories* (94.6 % contain a step with r > .85) against a share
of *all steps* (38.1 % have r > .85). A trajectory of a hundred steps contains one almost surely,
so the number that belongs beside the first is the share of *right* trajectories that contain one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from trigreason.evaluation.runs import Run
from trigreason.paper.kinds.accuracy import LRM_ONLY, outcomes
from trigreason.paper.result import MeasuredNumber
from trigreason.paper.work import Numbers, Recorded, Work
from trigreason.reasoning import (
    Author,
    CognitiveOffload,
    Direction,
    Thresholds,
    Trace,
    low_perplexity_ratio,
)
from trigreason.reasoning.methods import method_title
from trigreason.studies.checking import checked_steps
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


@dataclass(frozen=True, slots=True)
class Confidence:
    """One trajectory's SRM steps: how many there are, and which of them are overconfident."""

    overconfident: tuple[bool, ...]

    @property
    def steps(self) -> int:
        return len(self.overconfident)

    @property
    def count(self) -> int:
        return sum(self.overconfident)

    @property
    def contains(self) -> bool:
        return any(self.overconfident)


def confidence(trace: Trace, offload: CognitiveOffload) -> Confidence:
    """Which SRM steps of a trajectory the offload, under its tau and rho, would fire on.

    Steps without any probability are left out.
    """
    return Confidence(
        tuple(offload.fires(ratio) for _, ratio in ratios(trace, offload.tau) if ratio is not None)
    )


def ratios(trace: Trace, tau: float) -> Iterator[tuple[int, float | None]]:
    """Index and low-perplexity ratio (eq. 4) of each step that the SRM wrote."""
    for index, step in enumerate(trace.steps):
        if step.author is Author.SRM and step.text.strip():
            yield index, low_perplexity_ratio(step.logprobs, tau)


def questions_with_gap(
    srm: Mapping[str, Sequence[float]], lrm: Mapping[str, Sequence[float]], count: int
) -> list[str]:
    """The ``count`` questions on which the LRM is right most often more than the SRM.

    Both map a question's id to the outcomes (0 or 1) of its samples. Ties go to the earlier
    question; fewer come back where fewer are common to both.
    """
    common = [sample for sample in srm if sample in lrm]

    def gap(sample: str) -> float:
        return fmean(lrm[sample]) - fmean(srm[sample])

    return sorted(common, key=gap, reverse=True)[:count]

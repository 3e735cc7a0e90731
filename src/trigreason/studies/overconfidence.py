"""Overconfident steps of an SRM: do they mark wrong trajectories? (appendix D of the paper)

The paper sets a share of *wrong trajectories* (94.6 % contain a step with r > .85) against a share
of *all steps* (38.1 % have r > .85). A trajectory of a hundred steps contains one almost surely,
so the number that belongs beside the first is the share of *right* trajectories that contain one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trigreason.reasoning import Author, CognitiveOffload, Trace, low_perplexity_ratio


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
        return _mean(lrm[sample]) - _mean(srm[sample])

    return sorted(common, key=gap, reverse=True)[:count]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

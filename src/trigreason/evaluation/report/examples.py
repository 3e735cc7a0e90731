"""Picks runs to read: a few questions, each with every arm's answer."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.recorded import RunKey, each_once, recorded_log
from trigreason.evaluation.report.collect import ArmRuns, Comparison
from trigreason.evaluation.runs import Run


@dataclass(frozen=True, slots=True)
class Example:
    """One question, why it was picked, and each arm's first answer to it."""

    sample: str
    why: str
    runs: dict[Arm, Run]


def pick(comparison: Comparison, count: int) -> dict[str, str]:
    """Up to ``count`` questions that every arm has answered, each with the reason.

    First comes one that TrigReason gets right and the SRM alone does not, then one that TrigReason
    gets wrong, then others in their order, all judged by the first answers.
    """
    firsts = {
        arm: {sample: runs.found[key].right for sample, key in _firsts(runs).items()}
        for arm, runs in comparison.arms.items()
    }
    questions = comparison.questions
    common = [sample for sample in questions if all(sample in first for first in firsts.values())]
    by_method: dict[str, dict[str, bool | None]] = {}
    for arm in comparison.names:
        by_method.setdefault(arm.method, firsts[arm])
    trigreason, srm = by_method.get("trigreason", {}), by_method.get("srm", {})
    reasons = {
        "TrigReason is right where the SRM alone is not": [
            sample for sample in common if trigreason.get(sample) and srm.get(sample) is False
        ],
        "TrigReason is wrong": [sample for sample in common if trigreason.get(sample) is False],
    }
    picked: dict[str, str] = {}
    for why, samples in reasons.items():
        new = next((sample for sample in samples if sample not in picked), None)
        if new is not None:
            picked[new] = why
    for sample in common:
        picked.setdefault(sample, "taken as it comes")
    return dict(list(picked.items())[:count])


def read_examples(comparison: Comparison, count: int) -> list[Example]:
    """The picked questions with their runs, which are read from the logs again."""
    picked = pick(comparison, count)
    runs: dict[str, dict[Arm, Run]] = {sample: {} for sample in picked}
    for arm, arm_runs in comparison.arms.items():
        wanted = {key for sample, key in _firsts(arm_runs).items() if sample in picked}
        logs = (recorded_log(log.file) for log in arm_runs.logs if wanted)
        for logged in each_once(filter(None, logs)):
            if logged.key in wanted and isinstance(logged.outcome, Run):
                runs[logged.key.sample][arm] = logged.outcome
    return [Example(sample, why, runs[sample]) for sample, why in picked.items()]


def _firsts(arm_runs: ArmRuns) -> dict[str, RunKey]:
    """The first answer to each question; with several seeds, the same seed for all arms."""
    return {key.sample: key for key in sorted(arm_runs.found, reverse=True)}

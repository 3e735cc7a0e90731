"""Runs to read: a few questions, each as every arm answered it."""

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

    First one that TrigReason gets right and the SRM alone does not, then one that TrigReason gets
    wrong, then others in their order; by the first answers.
    """
    firsts = {
        arm: {sample: own.found[key].right for sample, key in _firsts(own).items()}
        for arm, own in comparison.arms.items()
    }
    common = [each for each in comparison.questions if all(each in own for own in firsts.values())]
    by_method: dict[str, dict[str, bool | None]] = {}
    for arm in comparison.names:
        by_method.setdefault(arm.method, firsts[arm])

    def right(method: str, sample: str) -> bool | None:
        return by_method[method][sample] if method in by_method else None

    telling = {
        "TrigReason is right where the SRM alone is not": [
            each for each in common if right("trigreason", each) and right("srm", each) is False
        ],
        "TrigReason is wrong": [each for each in common if right("trigreason", each) is False],
    }
    picked: dict[str, str] = {}
    for why, fitting in telling.items():
        new = next((each for each in fitting if each not in picked), None)
        if new is not None:
            picked[new] = why
    for each in common:
        picked.setdefault(each, "taken as it comes")
    return dict(list(picked.items())[:count])


def read_examples(comparison: Comparison, count: int) -> list[Example]:
    """The picked questions with their runs, out of the logs once more."""
    picked = pick(comparison, count)
    runs: dict[str, dict[Arm, Run]] = {sample: {} for sample in picked}
    for arm, own in comparison.arms.items():
        wanted = {key for sample, key in _firsts(own).items() if sample in picked}
        logs = (recorded_log(log.file) for log in own.logs if wanted)
        for each in each_once(filter(None, logs)):
            if each.key in wanted and isinstance(each.outcome, Run):
                runs[each.key.sample][arm] = each.outcome
    return [Example(sample, why, runs[sample]) for sample, why in picked.items()]


def _firsts(own: ArmRuns) -> dict[str, RunKey]:
    """The first answer to each question; of several seeds, the same one for all arms."""
    return {key.sample: key for key in sorted(own.found, reverse=True)}

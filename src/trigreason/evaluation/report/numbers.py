"""What a comparison comes to, in plain values for programs: of a report and of ``eval``."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from typing import Any, NamedTuple

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.report.collect import ArmRuns, Collected, Comparison
from trigreason.evaluation.statistics import Difference
from trigreason.evaluation.summary import (
    ArmSummary,
    accuracy_by_group,
    accuracy_difference,
    plain,
)

PAIRED_WITH_ALL = 4
"""Up to so many arms, each is compared with each; more of them only with one."""

CLOCK = ("generated", "seconds", "seconds_median", "seconds_p95", "tokens_per_second", "usd")
"""Parts of a summary that are not the same again, although the runs are."""


class ArmComparison(NamedTuple):
    """Two arms on the same questions: by how much the first one's accuracy is higher."""

    first: Arm
    second: Arm
    difference: Difference


def differences(comparison: Comparison) -> list[ArmComparison]:
    """Arms against each other, or all against LRM only (else the first arm) where there are many.

    Pairs without a scored question in common are left out.
    """
    arms = list(comparison.names)
    pairs = [(later, earlier) for earlier, later in combinations(arms, 2)]
    if len(arms) > PAIRED_WITH_ALL:
        reference = next((arm for arm in arms if arm.method == "lrm"), arms[0])
        pairs = [(arm, reference) for arm in arms if arm is not reference]
    found = []
    for first, second in pairs:
        one, other = comparison.arms[first].runs, comparison.arms[second].runs
        difference = accuracy_difference(one, other)
        if difference is not None:
            found.append(ArmComparison(first, second, difference))
    return found


def numbers(collected: Collected) -> dict[str, Any]:
    """All numbers of a report."""
    return {
        "comparisons": list(map(comparison_to_json, collected.comparisons)),
        "left_out": list(collected.left_out),
    }


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """All numbers of a comparison: shares from 0 to 1, seconds, USD; null for what is not known.

    All but ``logs`` and ``clock`` is the same again for the same questions, seeds and models.
    """
    names, summaries = comparison.names, comparison.summaries()
    return {
        "task": comparison.task,
        "pair": comparison.pair,
        "settings": dict(comparison.settings),
        "models": {str(author): model for author, model in comparison.models.items()},
        "arms": [
            {"name": name, **_arm(comparison.arms[arm], summaries.get(arm))}
            for arm, name in names.items()
        ],
        "differences": [
            {"first": names[each.first], "second": names[each.second], **plain(each.difference)}
            for each in differences(comparison)
        ],
    }


def _arm(own: ArmRuns, summary: ArmSummary | None) -> dict[str, Any]:
    told = summary.to_json() if summary else {}
    return {
        "settings": own.arm.to_args(),
        "logs": [str(log.file) for log in own.logs],
        "planned": own.planned,
        "complete": own.planned == len(own.found),
        "failed": [asdict(each) for each in own.failed],
        "summary": {name: value for name, value in told.items() if name not in CLOCK},
        "groups": plain(accuracy_by_group(own.runs)),
        "clock": {name: value for name, value in told.items() if name in CLOCK},
    }

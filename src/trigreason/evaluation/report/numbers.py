"""The numbers of a comparison as plain values for programs, in reports and in ``eval``."""

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
"""Up to this many arms, every two are compared; of more, each only with one reference arm."""

CLOCK = ("generated", "seconds", "seconds_median", "seconds_p95", "tokens_per_second", "usd")
"""Parts of a summary that vary when the same runs are repeated."""


class ArmComparison(NamedTuple):
    """Two arms on the same questions: the first one's accuracy minus the second one's."""

    first: Arm
    second: Arm
    difference: Difference


def differences(comparison: Comparison) -> list[ArmComparison]:
    """Every two arms, or of many arms each against LRM only (else against the first arm).

    Pairs without a scored question in common are left out.
    """
    arms = list(comparison.names)
    pairs = [(later, earlier) for earlier, later in combinations(arms, 2)]
    if len(arms) > PAIRED_WITH_ALL:
        reference = next((arm for arm in arms if arm.method == "lrm"), arms[0])
        pairs = [(arm, reference) for arm in arms if arm is not reference]
    compared = []
    for first, second in pairs:
        one, other = comparison.arms[first].runs, comparison.arms[second].runs
        difference = accuracy_difference(one, other)
        if difference is not None:
            compared.append(ArmComparison(first, second, difference))
    return compared


def numbers(collected: Collected) -> dict[str, Any]:
    """All numbers of a report."""
    return {
        "comparisons": list(map(comparison_to_json, collected.comparisons)),
        "left_out": list(collected.left_out),
    }


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """All numbers of a comparison: shares from 0 to 1, seconds, USD; null if unknown.

    All but ``logs`` and ``clock`` stays the same for the same questions, seeds and models.
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
            {"first": names[first], "second": names[second], **plain(difference)}
            for first, second, difference in differences(comparison)
        ],
    }


def _arm(runs: ArmRuns, summary: ArmSummary | None) -> dict[str, Any]:
    values = summary.to_json() if summary else {}
    return {
        "settings": runs.arm.to_args(),
        "logs": [str(log.file) for log in runs.logs],
        "planned": runs.planned,
        "complete": runs.planned == len(runs.found),
        "failed": [asdict(failed) for failed in runs.failed],
        "summary": {name: value for name, value in values.items() if name not in CLOCK},
        "groups": plain(accuracy_by_group(runs.runs)),
        "clock": {name: value for name, value in values.items() if name in CLOCK},
    }

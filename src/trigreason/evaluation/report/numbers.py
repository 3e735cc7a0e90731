"""What a comparison comes to, in plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.report.collect import Collected, Comparison
from trigreason.evaluation.statistics import Difference
from trigreason.evaluation.summary import accuracy_by_group, accuracy_difference

PAIRED_WITH_ALL = 4
"""Up to so many arms, each is compared with each; more of them only with one."""


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
    """All numbers of a report; shares from 0 to 1, seconds, USD."""
    return {
        "comparisons": list(map(_comparison, collected.comparisons)),
        "left_out": list(collected.left_out),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    names = comparison.names
    return {
        "task": comparison.task,
        "pair": comparison.pair,
        "settings": dict(comparison.settings),
        "models": {str(author): model for author, model in comparison.models.items()},
        "arms": list(_arms(comparison)),
        "differences": [
            {"first": names[each.first], "second": names[each.second], **each.difference._asdict()}
            for each in differences(comparison)
        ],
    }


def _arms(comparison: Comparison) -> Iterator[dict[str, Any]]:
    summaries = comparison.summaries()
    for arm, name in comparison.names.items():
        own = comparison.arms[arm]
        groups = accuracy_by_group(own.runs)
        yield {
            "name": name,
            "settings": arm.to_args(),
            **summaries[arm].to_json(),
            "failed": own.failed,
            "groups": {group: estimate._asdict() for group, estimate in groups.items()},
            "logs": [str(log.file) for log in own.logs],
        }

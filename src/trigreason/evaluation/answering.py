"""What is to answer: from a pair's name and an Inspect model's arguments to a plan and an arm."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import trigreason
from trigreason.budget import Budget
from trigreason.configuration import (
    Layers,
    PairSettings,
    PlannedPair,
    planned_pair,
    read_configuration,
    validate,
)
from trigreason.engines.base import Sampling
from trigreason.evaluation.arms import ARGUMENTS, Arm
from trigreason.failure import Away
from trigreason.reasoning import Thresholds

BUNDLED_BUDGET = Budget(thinking_tokens=900, answer_tokens=64)
"""What the bundled pair's context has room for beside one of its questions."""

CONFIGURATION = "configuration"
"""The argument that names the file with the pair; ``config`` is Inspect's own."""

CONNECTIONS = "connections"
"""The argument that says how many of the pair's runs go on at once."""

OF_THE_PAIR = frozenset({CONFIGURATION, CONNECTIONS})
"""Arguments that are none of the arm's."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A pair and the way in which it answers.

    ``connections`` is how many runs at once are wanted; None for what suits the pair.
    """

    plan: PlannedPair
    arm: Arm
    connections: int | None = None

    def digest(self) -> str:
        """Of all that an answer depends on, beside the question and what Inspect asks for."""
        told = f"{trigreason.__version__} {self.plan!r} {self.arm!r}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def answering(pair: str, args: Mapping[str, Any]) -> Answering:
    """The pair of this name under these arguments: an arm's own and :data:`OF_THE_PAIR`.

    Raises:
        ConfigurationError: the configuration cannot be used.
        ValueError: no pair has this name, or an argument is unknown or of no use.
    """
    unknown = sorted(set(args) - ARGUMENTS - OF_THE_PAIR)
    if unknown:
        known = ", ".join(sorted(ARGUMENTS | OF_THE_PAIR))
        raise ValueError(f"unknown argument {unknown[0]!r}; there are {known}")
    connections = args.get(CONNECTIONS)
    if connections is not None and (type(connections) is not int or connections < 1):
        raise ValueError(f"connections must be a number from 1 on, not {connections!r}")
    file = args.get(CONFIGURATION)
    configuration = read_configuration(Path(str(file)) if file else None, os.environ)
    plan = measured(planned_pair(configuration, pair))
    changes = {name: value for name, value in args.items() if name in ARGUMENTS}
    _check_kinds(changes)
    return Answering(plan, own_arm(plan).with_args(changes), connections)


def _check_kinds(changes: Mapping[str, Any]) -> None:
    """Raise ValueError where a value is of another kind than a configuration's may be."""
    layers = Layers()
    layers.put((), {"srm": "srm", "lrm": "lrm"}, "")
    for table, kind in (("thresholds", Thresholds), ("sampling", Sampling), ("budget", Budget)):
        values = {each.name: changes[each.name] for each in fields(kind) if each.name in changes}
        layers.put((table,), values, "")
    _, problems = validate(PairSettings, layers)
    if problems:
        name = problems[0].key.partition(".")[2]
        raise ValueError(f"{name} {problems[0].what}".strip())
    per_step = changes.get("request_per_step", False)
    if type(per_step) is not bool:
        raise ValueError(f"request_per_step must be true or false, not {per_step!r}")


def own_arm(plan: PlannedPair) -> Arm:
    """TrigReason under the pair's own thresholds, sampling and budget."""
    settings = plan.settings
    return Arm(
        thresholds=settings.thresholds,
        sampling=settings.sampling,
        budget=BUNDLED_BUDGET if plan.is_bundled else settings.budget,
    )


def measured(plan: PlannedPair) -> PlannedPair:
    """The pair as it is measured: where one model stays away the other does not go on alone.

    Such an answer would count for a method that it does not come from, so it is an error.
    """
    failure = replace(plan.settings.failure, lrm_away=Away.FAIL, srm_away=Away.FAIL)
    return replace(plan, settings=plan.settings.model_copy(update={"failure": failure}))

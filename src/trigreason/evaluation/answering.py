"""Turns a pair's name and the arguments of an Inspect model into a planned pair and an arm."""

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
"""The tokens that fit into the bundled pair's context beside one of its questions."""

CONFIGURATION = "configuration"
"""The argument for the pair's configuration file; Inspect uses the name ``config`` itself."""

CONNECTIONS = "connections"
"""The argument for the number of the pair's runs at once."""

OF_THE_PAIR = frozenset({CONFIGURATION, CONNECTIONS})
"""Arguments of the pair, not of the arm."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A pair and the arm as which it answers.

    ``connections`` is the wanted number of runs at once; None for the pair's default.
    """

    plan: PlannedPair
    arm: Arm
    connections: int | None = None

    def digest(self) -> str:
        """A hash of all that an answer depends on, except the question and Inspect's settings."""
        text = f"{trigreason.__version__} {self.plan!r} {self.arm!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def answering(pair: str, args: Mapping[str, Any]) -> Answering:
    """Plan the pair of this name; ``args`` are those of an arm and :data:`OF_THE_PAIR`.

    Raises:
        ConfigurationError: the configuration cannot be used.
        ValueError: no pair has this name, or an argument is unknown or invalid.
    """
    unknown = sorted(set(args) - ARGUMENTS - OF_THE_PAIR)
    if unknown:
        valid = ", ".join(sorted(ARGUMENTS | OF_THE_PAIR))
        raise ValueError(f"unknown argument {unknown[0]!r}; there are {valid}")
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
    """Raise ValueError if a configuration file could not have one of these values."""
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
    """TrigReason with the pair's own thresholds, sampling and budget."""
    settings = plan.settings
    return Arm(
        thresholds=settings.thresholds,
        sampling=settings.sampling,
        budget=BUNDLED_BUDGET if plan.is_bundled else settings.budget,
    )


def measured(plan: PlannedPair) -> PlannedPair:
    """The pair, set to fail if a model is unavailable instead of going on with the other.

    An answer by one model alone would be counted for a method that did not produce it.
    """
    failure = replace(
        plan.settings.failure, lrm_away=Away.FAIL, srm_away=Away.FAIL, scorer_away=Away.FAIL
    )
    return replace(plan, settings=plan.settings.model_copy(update={"failure": failure}))

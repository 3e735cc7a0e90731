"""An arm of a comparison: a method with its thresholds, sampling and budget."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.reasoning import Thresholds, make_method, method_entry
from trigreason.reasoning.methods import used_thresholds
from trigreason.reasoning.thresholds import UNWRITTEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How a pair answers. The seed in ``sampling`` is not used: see :func:`seed_for`.

    A risk model that the method does not use is left out of ``thresholds``.

    ``request_per_step`` sends one request per step, as SpecReason's script does.

    Raises:
        ValueError: there is no such method, or a threshold is out of range.
    """

    method: str = "trigreason"
    thresholds: Thresholds = field(default_factory=Thresholds)
    sampling: Sampling = field(default_factory=Sampling)
    budget: Budget = field(default_factory=Budget)
    request_per_step: bool = False

    def __post_init__(self) -> None:
        make_method(self.method, self.thresholds)
        object.__setattr__(self, "thresholds", used_thresholds(self.method, self.thresholds))

    def to_args(self) -> dict[str, Any]:
        """All settings of the arm, flat and as plain values: an Inspect model's arguments."""
        sampling = asdict(self.sampling)
        del sampling["seed"]
        own = method_entry(self.method).decides_by & UNWRITTEN.keys()
        return {
            "method": self.method,
            **self.thresholds.to_json(),
            **{name: getattr(self.thresholds, name) for name in own},
            **sampling,
            **asdict(self.budget),
            "request_per_step": self.request_per_step,
        }

    def with_args(self, args: Mapping[str, Any]) -> Arm:
        """A copy of this arm in which ``args`` replace the settings of the same names.

        Raises:
            ValueError: an argument is unknown, or a value out of range.
        """
        unknown = set(args) - ARGUMENTS
        if unknown:
            raise ValueError(
                f"unknown argument {sorted(unknown)[0]!r}; there are {', '.join(sorted(ARGUMENTS))}"
            )
        thresholds = self.thresholds.to_json() | _args_of(Thresholds, args)
        return Arm(
            method=args.get("method", self.method),
            thresholds=Thresholds.from_json(thresholds),
            sampling=replace(self.sampling, **_args_of(Sampling, args)),
            budget=replace(self.budget, **_args_of(Budget, args)),
            request_per_step=args.get("request_per_step", self.request_per_step),
        )


def of_methods(own: Arm, methods: Sequence[str], thresholds: Thresholds) -> list[Arm]:
    """One arm per method: ``own`` with those of the ``thresholds`` that the method uses.

    So the arm of one model alone, and its runs, stay the same when the triggers' thresholds change.

    Raises:
        ValueError: there is no such method, or a threshold is out of range.
    """
    Thresholds.from_json(thresholds.to_json())
    return [
        replace(own, method=method, thresholds=decided_by(method, thresholds, own.thresholds))
        for method in methods
    ]


def decided_by(method: str, thresholds: Thresholds, others: Thresholds) -> Thresholds:
    """The ``thresholds`` that the method uses, and the ``others`` for the rest."""
    return replace(
        others, **{name: getattr(thresholds, name) for name in method_entry(method).thresholds}
    )


def _args_of(kind: type[Any], args: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: args[each.name] for each in fields(kind) if each.name in args}


ARGUMENTS = frozenset(
    {"method", "request_per_step"}
    | {each.name for kind in (Thresholds, Sampling, Budget) for each in fields(kind)}
) - {"seed"}
"""The names of all arguments; thresholds, sampling and budget have no name in common."""


def seed_for(seed: int, sample: str, epoch: int) -> int:
    """The seed of one answer (31 bits): the same for every arm, different for each epoch."""
    digest = hashlib.sha256(f"{seed}/{sample}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1

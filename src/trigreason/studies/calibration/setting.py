"""A setting: a method and its thresholds, with unused thresholds set to fixed values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import lru_cache

from trigreason.evaluation.arms import decided_by
from trigreason.reasoning import Direction, Thresholds, TrigReason, make_method

_PAPER = Thresholds()


@dataclass(frozen=True, slots=True)
class Setting:
    """A method under thresholds. Two settings with the same :attr:`key` answer alike.

    Raises:
        ValueError: there is no such method, or a threshold is out of range.
    """

    method: str = "trigreason"
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        make_method(self.method, self.thresholds)
        object.__setattr__(self, "thresholds", _canonical(self.method, self.thresholds))

    @property
    def key(self) -> str:
        """A hash of the method and its thresholds: 64 bits in hexadecimal."""
        return _key(self)

    @property
    def is_without_triggers(self) -> bool:
        """Whether it is one model alone or priming alone: no decision depends on a step's text."""
        return self.method in ("srm", "lrm") or (
            self.method == "trigreason" and self.thresholds.rho == 1 and self.thresholds.m == 0
        )

    @property
    def complexity(self) -> tuple[int, int, int]:
        """The order of equally good settings: by triggers in use, then n, then m."""
        method = make_method(self.method, self.thresholds)
        if not isinstance(method, TrigReason):
            return (0, 0, 0)
        in_use = (method.priming.n > 0, not method.offload.is_off, not method.request.is_off)
        return (sum(in_use), method.priming.n, method.request.m)


@lru_cache(maxsize=4096)
def _key(setting: Setting) -> str:
    text = json.dumps([setting.method, setting.thresholds.to_json()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(method: str, given: Thresholds) -> Thresholds:
    """The thresholds that a method uses, with the paper's in place of unused ones."""
    given = decided_by(method, given, _PAPER)
    if method == "trigreason":
        if given.rho == 1 or (given.rho == 0 and given.direction is Direction.UNDER):
            given = replace(given, rho=1.0, tau=_PAPER.tau, direction=_PAPER.direction)
        if given.m == 0:
            given = replace(given, k=_PAPER.k, expressions=_PAPER.expressions)
    return given

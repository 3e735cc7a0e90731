"""The goals of generations of settings, in numbers for the sampler and for the rungs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from trigreason.studies.calibration.choice import lesser_t
from trigreason.studies.calibration.experiment import Results, Thrift
from trigreason.studies.calibration.halving import best_half, survivors

LESS, MORE = 0.02, 0.12
"""How far a replayed SMT may be below and above the default's; replays are slightly off."""

LARGEST_T = 20.0
"""The bound on t: without any spread t is infinite, which a sampler cannot handle."""


@dataclass(frozen=True, slots=True)
class Goal(ABC):
    """What is maximised; results are compared with the default's on the same questions."""

    thrift: Thrift
    default: Results

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def values(self, results: Results) -> tuple[float, ...]:
        """One number per aim, larger is better."""

    def is_promising(self, smt: float, of_default: float) -> bool:
        """Whether a setting is worth a run, by its replayed SMT and the default's."""
        return True

    @abstractmethod
    def survivors(self, results: Sequence[Results]) -> list[int]:
        """The indices, rising, of the half that goes on to more questions."""


class Widest(Goal):
    """A front that spans accuracy and thrift."""

    @property
    def name(self) -> str:
        return "front"

    def values(self, results: Results) -> tuple[float, ...]:
        return tuple(results.point(self.thrift))

    def survivors(self, results: Sequence[Results]) -> list[int]:
        return survivors([each.point(self.thrift) for each in results])


class Better(Goal):
    """A setting that surely beats the default in both aims; see ``choice``.

    As a rule, more LRM means more accuracy, so a setting can win in both aims only if its SMT is
    little above the default's.
    """

    @property
    def name(self) -> str:
        return "better than the default"

    def is_promising(self, smt: float, of_default: float) -> bool:
        return of_default - LESS <= smt <= of_default + MORE

    def values(self, results: Results) -> tuple[float, ...]:
        t = lesser_t(results, self.default, self.thrift)
        return (max(-LARGEST_T, min(LARGEST_T, t)),)

    def survivors(self, results: Sequence[Results]) -> list[int]:
        return best_half([self.values(each)[0] for each in results])

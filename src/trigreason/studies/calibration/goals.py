"""What a generation of settings is after, in numbers for the sampler and for the rungs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from trigreason.studies.calibration.asking import Results, Thrift
from trigreason.studies.calibration.choice import lesser_t
from trigreason.studies.calibration.halving import best_half, survivors

LESS, MORE = 0.02, 0.12
"""How far from the default's a replayed SMT may be; replays are off by a little."""

LARGEST_T = 20.0
"""A sampler cannot do with infinity, which is what no spread at all makes of a difference."""


@dataclass(frozen=True, slots=True)
class Goal(ABC):
    """Something to be maximised; all results are seen beside the default's on their questions."""

    thrift: Thrift
    default: Results

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def values(self, results: Results) -> tuple[float, ...]:
        """One number per aim, larger is better."""

    def is_promising(self, smt: float, of_default: float) -> bool:
        """Whether a setting is worth a run, by its SMT and the default's as replays have them."""
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

    More of the LRM is more accuracy, as a rule, so whatever is to win in both has little more of
    the SRM than the default has.
    """

    @property
    def name(self) -> str:
        return "better than the default"

    def is_promising(self, smt: float, of_default: float) -> bool:
        return of_default - LESS <= smt <= of_default + MORE

    def values(self, results: Results) -> tuple[float, ...]:
        found = lesser_t(results, self.default, self.thrift)
        return (max(-LARGEST_T, min(LARGEST_T, found)),)

    def survivors(self, results: Sequence[Results]) -> list[int]:
        return best_half([self.values(each)[0] for each in results])

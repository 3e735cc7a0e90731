"""Methods that look at nothing: every claim of a method that looks at something must beat them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import SRM_WRITES, Method, Write
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import StrategicPriming, Trigger

LRM_WRITES_ONE = Write(Author.LRM, 1, Trigger.METHOD)


@dataclass(slots=True, kw_only=True)
class Random(Method):
    """A coin decides who writes the next step: the LRM with probability ``share``.

    The coin is a hash of the step's number and text, so that a run can be replayed. The SRM writes
    the first step.
    """

    share: float
    _steps: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._steps = 0
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write:
        self._steps += 1
        digest = hashlib.sha256(f"{self._steps}/{reading.features.text}".encode()).digest()
        is_heads = int.from_bytes(digest[:8]) / 2**64 < self.share
        return LRM_WRITES_ONE if is_heads else SRM_WRITES


@dataclass(slots=True, kw_only=True)
class Periodic(Method):
    """The LRM writes every ``every``-th step; blank steps do not count."""

    every: int
    _steps: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._steps = 0
        return self._next()

    def on_step(self, reading: Reading) -> Write:
        self._steps += not reading.is_blank
        return self._next()

    def _next(self) -> Write:
        is_due = self._steps % self.every == self.every - 1
        return LRM_WRITES_ONE if is_due else SRM_WRITES


@dataclass(slots=True, kw_only=True)
class Planning(Method):
    """The LRM writes the first n steps and then never again: strategic priming alone."""

    priming: StrategicPriming
    _owed: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._owed = self.priming.n
        return self._next()

    def on_step(self, reading: Reading) -> Write:
        self._owed -= 1
        return self._next()

    def _next(self) -> Write:
        if self._owed <= 0:
            return SRM_WRITES
        return Write(Author.LRM, self._owed, Trigger.STRATEGIC_PRIMING)

    @property
    def authors(self) -> frozenset[Author]:
        return frozenset(Author) if self.priming.n else frozenset({Author.SRM})

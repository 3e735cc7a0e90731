"""The contract of a method, which decides from the finished steps who writes next.

A method is a state machine without I/O. It is asked four questions::

    open()              -> Write       at the start
    on_step(reading)    -> Decision    after each finished step of either author
    on_score(score)     -> Decision    after a Judge decision, 0 to 9
    on_reward(reward)   -> Decision    after a Reward decision, 0 to 1

and it answers with one of::

    Write(author, steps, trigger)    author goes on writing; the last step stands
    Rewrite(author, trigger)         the last step is thrown away and author writes it instead
    Judge(author)                    author scores the last step first
    Reward()                         the pair's scorer rates the last step first

A method follows one run at a time; ``open()`` starts the next.
:class:`~trigreason.reasoning.method_run.MethodRun` asks the questions and does what all methods
share: it reads the steps, and closes thinking that goes round in circles or that the method ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

from trigreason.reasoning.reading import Features, Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Write:
    """``author`` writes the next ``steps`` steps (None: until the method decides otherwise)."""

    author: Author
    steps: int | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The last step becomes a draft and ``author`` writes one step in its place."""

    author: Author
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Judge:
    """``author`` rates the last step from 0 to 9 before anything else happens."""

    author: Author


@dataclass(frozen=True, slots=True)
class Reward:
    """The scorer, a process reward model, rates the last step from 0 to 1 before anything else."""


Decision = Write | Rewrite | Judge | Reward

SRM_WRITES = Write(Author.SRM)
REWRITE = Rewrite(Author.LRM, Trigger.METHOD)


@cache
def rest_of(owed: int) -> Write:
    """The LRM writes the steps that it still owes; if it owes none, the SRM writes."""
    return Write(Author.LRM, owed) if owed > 0 else SRM_WRITES


class Method(ABC):
    """Decides after each step of one run who writes next."""

    @abstractmethod
    def open(self) -> Write:
        """Start a run: forget the last one and say who writes first."""

    @abstractmethod
    def on_step(self, reading: Reading) -> Decision:
        """Decide after a finished step, from its ``reading``."""

    def on_score(self, score: float) -> Write | Rewrite:
        """Decide after the judge's score; called only if the method returned ``Judge``."""
        raise NotImplementedError(f"{self} never asks for a score, so it cannot use {score}")

    def on_reward(self, reward: float) -> Write | Rewrite:
        """Decide after the scorer's reward; called only if the method returned ``Reward``."""
        raise NotImplementedError(f"{self} never asks for a reward, so it cannot use {reward}")

    def ends_with(self, reading: Reading) -> bool:
        """Whether the thinking is closed after this step; asked once about each that stands."""
        return False

    def would_rewrite(self, ratio: float | None) -> bool:
        """Whether the SRM's unfinished step would be thrown away if it ended with this ratio.

        Its rewrite can then begin before it ends (see ``hedge``).
        """
        return False

    @property
    def glance(self) -> int:
        """After how many tokens of an SRM step ``drops`` is asked about it; 0 for never."""
        return 0

    def drops(self, features: Features) -> bool:
        """Whether an SRM step that begins like this is thrown away at once; changes nothing.

        What is thrown away becomes a step of its own, on which ``on_step`` then decides: it must
        answer with a rewrite. It is also asked about steps that were over before the glance.
        """
        return False

    @property
    def authors(self) -> frozenset[Author]:
        """Who may write a step or a score under this method."""
        return frozenset(Author)

    @property
    def revises(self) -> bool:
        """Whether an SRM step can still be thrown away once it is finished."""
        return False

    @property
    def needs_logprobs(self) -> bool:
        """Whether decisions depend on the SRM's token probabilities."""
        return False

    @property
    def needs_alternatives(self) -> bool:
        """Whether decisions depend on the likeliest tokens beside those that the SRM wrote."""
        return False

    @property
    def needs_scorer(self) -> bool:
        """Whether decisions depend on a scorer's rewards."""
        return False

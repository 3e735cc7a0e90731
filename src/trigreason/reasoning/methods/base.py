"""The contract of a method: from what finished steps show, who writes next.

A method is a state machine without a socket. Three questions are put to it::

    open()              -> Write       at the start
    on_step(reading)    -> Decision    after each finished step, whoever wrote it
    on_score(score)     -> Decision    after a Judge decision, 0 to 9

and it answers with one of::

    Write(author, steps, trigger)    author goes on writing; the last step stands
    Rewrite(author, trigger)         the last step is thrown away and author writes it instead
    Judge(author)                    author scores the last step first

A method follows one run at a time; ``open()`` starts the next. What every method shares, reading
a step and closing a thinking that goes round in circles, is the business of
:class:`~trigreason.reasoning.method_run.MethodRun`, which puts the questions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Write:
    """``author`` writes on; ``steps`` of them, or until told otherwise (None)."""

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


Decision = Write | Rewrite | Judge


class Method(ABC):
    """Decides after each step of one run who writes next."""

    @abstractmethod
    def open(self) -> Write:
        """Start a run: forget the last one and say who writes first."""

    @abstractmethod
    def on_step(self, reading: Reading) -> Decision:
        """A step is finished; ``reading`` is what it shows."""

    def on_score(self, score: float) -> Write | Rewrite:
        """The judge has spoken; only a method that asks for scores is told one."""
        raise NotImplementedError(f"{self} never asks for a score, so it cannot use {score}")

    def would_rewrite(self, ratio: float | None) -> bool:
        """Whether the SRM's step under way would be thrown away, if it ended with this ratio.

        A rewrite can then be begun ahead of its end (see ``hedge``).
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
        """Whether decisions hang on the SRM's token probabilities."""
        return False

"""Methods: from finished steps alone, who writes next.

A method is a state machine without a socket. Three questions are put to it::

    open()            -> Decision    at the start
    on_step(step)     -> Decision    after each finished step, whoever wrote it
    on_score(score)   -> Decision    after a Judge decision, 0 to 9

and it answers with one of::

    Write(author, steps, trigger)    author goes on writing; the last step stands
    Rewrite(author, trigger)         the last step is thrown away and author writes it instead
    Judge(author)                    author scores the last step first
    Halt()                           the thinking is closed here; the last step stands

The same object decides live, over a recorded trace and in a simulation. One object follows one
run at a time; ``open()`` starts the next.

TrigReason, as transitions (algorithm 1 of the paper):

    state            what happened                          decision
    start            n > 0                                  Write(LRM, n, strategic priming)
    start            n = 0                                  Write(SRM)
    LRM owes > 1     LRM step                               Write(LRM, one less)
    LRM owes 1       LRM step                               Write(SRM), streak = 0
    SRM writes       step with r out of bounds              Rewrite(LRM, offload), streak = 0
    SRM writes       step that repeats                      Write(LRM, max(1, m), repetition),
                                                            streak = 0
    SRM writes       k-th hesitating step in a row          Write(LRM, m, request), streak = 0
    SRM writes       hesitating step before that            Write(SRM), streak + 1
    SRM writes       any other step                         Write(SRM), streak = 0
    anyone writes    last of too many repeating steps       Halt()

Of two rows that fit a step of the SRM, the upper one holds; the last row goes before all but the
offload's. Repetition is this project's addition, and every method halts over it: steps that
repeat (see ``repetition``) are counted until one that stands says something new. What hands over
to no LRM otherwise (n = 0, offload and requests off) does not do so over repetition.

An SRM step of white space only (a bare ``</think>``) changes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

from trigreason.reasoning.repetition import RepetitionGuard, RepetitionMemory
from trigreason.reasoning.steps import Author, Step
from trigreason.reasoning.triggers import (
    CognitiveOffload,
    InterventionRequest,
    StrategicPriming,
    Trigger,
)


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


@dataclass(frozen=True, slots=True)
class Halt:
    """The thinking goes round in circles: it is closed, and the answer asked for."""


Decision = Write | Rewrite | Judge | Halt


class Signals(NamedTuple):
    """What a method can see in a step: the ratio of eq. 4, the hesitations of eq. 7, and whether
    it repeats what stands before it or itself.
    """

    ratio: float | None
    hesitations: tuple[str, ...]
    repeats: bool


@dataclass(slots=True, kw_only=True)
class Method(ABC):
    """The contract. ``offload``, ``request`` and ``repetition`` say how signals are read, whoever
    acts on them.
    """

    offload: CognitiveOffload = field(default_factory=CognitiveOffload)
    request: InterventionRequest = field(default_factory=InterventionRequest)
    repetition: RepetitionGuard = field(default_factory=RepetitionGuard)
    _memory: RepetitionMemory = field(
        default_factory=RepetitionMemory, init=False, repr=False, compare=False
    )

    @property
    @abstractmethod
    def name(self) -> str:
        """The method's name in traces, on the command line and in metrics."""

    @abstractmethod
    def open(self) -> Decision:
        """Start a run: forget the last one and say who writes first."""

    @abstractmethod
    def on_step(self, step: Step) -> Decision:
        """A step is finished."""

    def on_score(self, score: float) -> Decision:
        """The judge has spoken; only a method that asks for scores is told one."""
        raise NotImplementedError(f"{self.name} never asks for a score, so it cannot use {score}")

    def signals(self, step: Step) -> Signals:
        """What can be seen in ``step`` where the run has come to; looking changes nothing."""
        repeats = not self.repetition.is_off and self._memory.repeats(step)
        return Signals(self.offload.ratio(step), self.request.hesitations(step), repeats)

    def _halts(self, step: Step) -> bool:
        """Remember a step that stands, and say whether it is one repetition too many."""
        self._memory.saw(step)
        return self.repetition.fires(self._memory.count)

    @property
    @abstractmethod
    def authors(self) -> frozenset[Author]:
        """Who may write a step or a score under this method."""

    @property
    def revises(self) -> bool:
        """Whether an SRM step can still be thrown away once it is finished."""
        return False

    @property
    def needs_logprobs(self) -> bool:
        """Whether decisions hang on the SRM's token probabilities."""
        return False


@dataclass(slots=True, kw_only=True)
class Solo(Method):
    """One model alone: SRM only or LRM only."""

    author: Author

    @property
    def name(self) -> str:
        return self.author.value

    def open(self) -> Decision:
        self._memory.clear()
        return Write(self.author)

    def on_step(self, step: Step) -> Decision:
        return Halt() if self._halts(step) else Write(self.author)

    @property
    def authors(self) -> frozenset[Author]:
        return frozenset({self.author})


@dataclass(slots=True, kw_only=True)
class TrigReason(Method):
    """The paper's method: the SRM writes, three triggers and repetition bring the LRM in."""

    priming: StrategicPriming = field(default_factory=StrategicPriming)
    _owed: int = field(default=0, init=False, repr=False, compare=False)
    _streak: int = field(default=0, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        return "trigreason"

    def open(self) -> Decision:
        self._memory.clear()
        self._streak = 0
        self._owed = self.priming.n
        if not self._owed:
            return Write(Author.SRM)
        return Write(Author.LRM, self._owed, Trigger.STRATEGIC_PRIMING)

    def on_step(self, step: Step) -> Decision:
        if step.author is Author.LRM:
            return Halt() if self._halts(step) else self._after_lrm()
        if step.is_blank:
            return Write(Author.SRM)
        signals = self.signals(step)
        if self.offload.fires(signals.ratio):
            self._streak = 0
            self._owed = 1
            return Rewrite(Author.LRM, Trigger.COGNITIVE_OFFLOAD)
        if self._halts(step):
            return Halt()
        if signals.repeats and Author.LRM in self.authors:
            self._streak = 0
            self._owed = max(1, self.request.m)
            return Write(Author.LRM, self._owed, Trigger.REPETITION)
        self._streak = self._streak + 1 if signals.hesitations else 0
        if self.request.fires(self._streak):
            self._streak = 0
            self._owed = self.request.m
            return Write(Author.LRM, self._owed, Trigger.INTERVENTION_REQUEST)
        return Write(Author.SRM)

    def _after_lrm(self) -> Decision:
        self._streak = 0
        self._owed -= 1
        return Write(Author.LRM, self._owed) if self._owed > 0 else Write(Author.SRM)

    @property
    def authors(self) -> frozenset[Author]:
        idle = self.priming.n == 0 and self.offload.is_off and self.request.is_off
        return frozenset({Author.SRM}) if idle else frozenset(Author)

    @property
    def revises(self) -> bool:
        return not self.offload.is_off

    @property
    def needs_logprobs(self) -> bool:
        return not self.offload.is_off


@dataclass(slots=True, kw_only=True)
class SpecReason(Method):
    """The baseline (arXiv 2504.07891): the LRM scores every SRM step and rewrites the poor ones.

    ``accept`` is the lowest score, of 0 to 9, with which a step stands; the LRM can write the
    first ``priming.n`` steps.
    """

    accept: float = 7
    priming: StrategicPriming = field(default_factory=lambda: StrategicPriming(0))
    _owed: int = field(default=0, init=False, repr=False, compare=False)
    _judged: Step | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.accept <= 9:
            raise ValueError(f"accept (a score) must lie between 0 and 9, not {self.accept}")

    @property
    def name(self) -> str:
        return "specreason"

    def open(self) -> Decision:
        self._memory.clear()
        self._owed = self.priming.n
        if not self._owed:
            return Write(Author.SRM)
        return Write(Author.LRM, self._owed, Trigger.STRATEGIC_PRIMING)

    def on_step(self, step: Step) -> Decision:
        if step.author is Author.LRM:
            self._owed -= 1
            if self._halts(step):
                return Halt()
            return Write(Author.LRM, self._owed) if self._owed > 0 else Write(Author.SRM)
        if step.is_blank:
            return Write(Author.SRM)
        self._judged = step
        return Judge(Author.LRM)

    def on_score(self, score: float) -> Decision:
        if score >= self.accept:
            assert self._judged is not None, "a score follows a step that was to be judged"
            return Halt() if self._halts(self._judged) else Write(Author.SRM)
        self._owed = 1
        return Rewrite(Author.LRM, Trigger.JUDGE_REJECTION)

    @property
    def authors(self) -> frozenset[Author]:
        return frozenset(Author)

    @property
    def revises(self) -> bool:
        return True

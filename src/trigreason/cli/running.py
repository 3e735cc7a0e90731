"""A question put to a pair, from opened models to closed ones."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing, nullcontext
from dataclasses import dataclass

from rich.console import Console

from trigreason.budget import Budget
from trigreason.cli.console import redraws
from trigreason.cli.live import Transcript, preface
from trigreason.cli.models import check_places, opened_pair
from trigreason.engines.base import Sampling
from trigreason.events import RunBegun
from trigreason.reasoner import reason
from trigreason.reasoning import Author, Thresholds, Trace, make_method


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be answered, how, and by which models (``places``; none for the bundled pair)."""

    question: str
    method: str
    thresholds: Thresholds
    sampling: Sampling
    budget: Budget
    places: dict[Author, str | None]

    def __post_init__(self) -> None:
        """Refuse thresholds out of range and models that are missing, before anything is loaded."""
        check_places(self.places, self.authors, self.method)

    @property
    def authors(self) -> frozenset[Author]:
        """The models that the method can come to need."""
        return make_method(self.method, self.thresholds).authors


@dataclass(slots=True)
class Run:
    """What there is of a run: its trace as soon as it has begun."""

    trace: Trace | None = None


async def carry_out(task: Task, run: Run, console: Console | None) -> None:
    """Let the models answer; ``console`` shows them at work.

    Raises:
        EngineError: a model cannot be reached or loaded, or failed.
    """
    async with AsyncExitStack() as stack:
        loading = (
            console.status("Loading the models …")
            if console and redraws(console) and any(task.places.values())
            else nullcontext()
        )
        with loading:
            pair = await stack.enter_async_context(
                opened_pair(task.places, task.authors, task.budget)
            )
        transcript = stack.enter_context(Transcript(console)) if console else None
        events = await stack.enter_async_context(
            aclosing(
                reason(
                    pair,
                    task.question,
                    task.method,
                    thresholds=task.thresholds,
                    sampling=task.sampling,
                    budget=task.budget,
                )
            )
        )
        async for event in events:
            if isinstance(event, RunBegun):
                run.trace = event.trace
                if console:
                    console.print(preface(event.trace))
            if transcript:
                transcript.show(event)

"""A question put to a pair, from opened models to closed ones."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, aclosing, nullcontext
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from trigreason.cli.console import redraws
from trigreason.cli.live import Transcript, preface
from trigreason.cli.models import described
from trigreason.configuration import PlannedPair, opened_pair
from trigreason.events import RunBegun
from trigreason.reasoner import reason
from trigreason.reasoning import Author, Trace, make_method


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be answered, how, and by which pair, with all that it is to work by."""

    question: str
    method: str
    pair: PlannedPair

    @property
    def authors(self) -> frozenset[Author]:
        """The models that the method can come to need. ValueError: a threshold is out of range."""
        return make_method(self.method, self.pair.settings.thresholds).authors


@dataclass(slots=True)
class Run:
    """What there is of a run: its trace as soon as it has begun."""

    trace: Trace | None = None


async def carry_out(task: Task, run: Run, console: Console | None) -> None:
    """Let the models answer; ``console`` shows them at work.

    Raises:
        EngineError: a model cannot be reached or loaded, or failed.
        ConfigurationError: a key or a template is not there.
    """
    settings = task.pair.settings
    async with AsyncExitStack() as stack:
        loading = (
            console.status("Loading the models …")
            if console and redraws(console) and not task.pair.is_bundled
            else nullcontext()
        )
        with loading:
            pair = await stack.enter_async_context(opened_pair(task.pair, os.environ, task.authors))
        transcript = stack.enter_context(Transcript(console)) if console else None
        events = await stack.enter_async_context(
            aclosing(
                reason(
                    pair,
                    task.question,
                    task.method,
                    sampling=settings.sampling,
                    budget=settings.budget,
                )
            )
        )
        async for event in events:
            if isinstance(event, RunBegun):
                run.trace = event.trace
                if console and not task.pair.is_bundled:
                    console.print(Text(described(task.pair), "dim"))
                if console:
                    console.print(preface(event.trace))
            if transcript:
                transcript.show(event)

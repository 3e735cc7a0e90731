"""Runs a question on a pair: opens the models, shows the run, and closes them."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from trigreason.cli.chosen_pair import described
from trigreason.cli.live import Transcript, preface
from trigreason.cli.model_loading import shown_loading
from trigreason.configuration import PlannedPair, opened_pair
from trigreason.engines.completions import CompletionsEngine
from trigreason.events import RunBegun
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import Author, Trace, make_method


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A question, and the method and the pair (with its settings) that answer it."""

    question: str
    method: str
    pair: PlannedPair

    @property
    def authors(self) -> frozenset[Author]:
        """The models that the method may need. Raises ValueError for a threshold out of range."""
        return make_method(self.method, self.pair.settings.thresholds).authors


@dataclass(slots=True)
class RunSoFar:
    """A run in progress: its trace, which is None before the run begins."""

    trace: Trace | None = None


async def carry_out(task: Assignment, run: RunSoFar, console: Console | None) -> None:
    """Let the models answer; ``console`` shows them at work.

    A note says which prompt templates are only guessed; without a console, on standard error.

    Raises:
        EngineError: a model cannot be reached or loaded, or failed.
        ConfigurationError: a key or a template is missing.
    """
    settings = task.pair.settings
    async with AsyncExitStack() as stack:
        with shown_loading(task.pair, task.authors, console or Console(stderr=True)):
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
                _introduce(task, guesses(pair, task.authors), event.trace, console)
            if transcript:
                transcript.show(event)


def _introduce(task: Assignment, note: str | None, trace: Trace, console: Console | None) -> None:
    """Print the run's models, a ``note`` on them, and how to read what follows."""
    if console is None:
        if note:
            print(f"trigreason: {note}", file=sys.stderr)
        return
    if not task.pair.is_bundled:
        console.print(Text(described(task.pair), "dim"))
    if note:
        console.print(Text(note, "note"))
    console.print(preface(trace))


def guesses(pair: Pair, authors: frozenset[Author]) -> str | None:
    """A line on the models whose prompt template is only guessed; None without such a model."""
    engines = {Author.SRM: pair.srm, Author.LRM: pair.lrm}
    guessed = [
        author.upper()
        for author, engine in engines.items()
        if author in authors and isinstance(engine, CompletionsEngine) and engine.template.guessed
    ]
    if not guessed:
        return None
    models = " and the ".join(guessed)
    return f"The prompt template of the {models} is guessed; see trigreason doctor."

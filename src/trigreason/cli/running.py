"""A question put to a pair, from opened models to closed ones."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from trigreason.cli.chosen_pair import described
from trigreason.cli.live import Transcript, preface
from trigreason.cli.loading import shown_loading
from trigreason.configuration import PlannedPair, opened_pair
from trigreason.engines.completions import CompletionsEngine
from trigreason.events import RunBegun
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import Author, Trace, make_method


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What is to be answered, how, and by which pair, with all that it is to work by."""

    question: str
    method: str
    pair: PlannedPair

    @property
    def authors(self) -> frozenset[Author]:
        """The models that the method can come to need. ValueError: a threshold is out of range."""
        return make_method(self.method, self.pair.settings.thresholds).authors


@dataclass(slots=True)
class RunSoFar:
    """What there is of a run: its trace as soon as it has begun."""

    trace: Trace | None = None


async def carry_out(task: Assignment, run: RunSoFar, console: Console | None) -> None:
    """Let the models answer; ``console`` shows them at work.

    A prompt template that is only guessed is told of; without a console, on standard error.

    Raises:
        EngineError: a model cannot be reached or loaded, or failed.
        ConfigurationError: a key or a template is not there.
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
    """What a run begins with: its models, a ``note`` on them, and how to read what follows."""
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
    """A line on the models whose prompt template is no more than guessed; None where none is."""
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

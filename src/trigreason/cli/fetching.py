"""Fetches models from the hub before a command begins, and shows the progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from trigreason.cli.console import redraws
from trigreason.configuration import PlannedEngine, PlannedPair
from trigreason.engines.hub import DownloadWatch, Fetching, Hub
from trigreason.reasoning import Author


def fetch_models(
    pair: PlannedPair, needed: Collection[Author] = tuple(Author), *, quiet: bool = False
) -> None:
    """Fetch those models of a pair that are ``needed``, named by the hub, and not here yet.

    API keys are checked first, so that nothing is downloaded in vain.

    Raises:
        ConfigurationError: a key is missing.
        HubError: a model cannot be fetched.
    """
    engines = [engine for author, engine in pair.engines.items() if author in needed]
    for engine in engines:
        engine.api_key(os.environ)
    for engine in engines:
        fetch_model(engine, quiet=quiet)


def fetch_model(engine: PlannedEngine, *, quiet: bool = False) -> None:
    """Fetch an engine's model and its draft model from the hub, if they are not here yet.

    On a terminal, standard error shows a bar; in a pipe or with ``quiet``, it gets one line at the
    beginning and one at the end.
    """
    if engine.draft is not None:
        fetch_model(engine.draft, quiet=quiet)
    if engine.hub_name is None:
        return
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    watch: DownloadWatch = LinesWatch() if quiet or not redraws(console) else BarWatch(console)
    try:
        Hub().fetch(engine.hub_name, watch)
    except KeyboardInterrupt as interruption:
        kept = "what was fetched is kept; the same command goes on from there"
        raise KeyboardInterrupt(kept) from interruption


class LinesWatch:
    """Prints a line on standard error when a download begins, has news, and ends."""

    def begin(self, fetching: Fetching) -> None:
        self._name = fetching.model.name
        self.note(str(fetching))

    def advance(self, size: int) -> None:
        pass

    def note(self, text: str) -> None:
        print(f"trigreason: {text}", file=sys.stderr)

    def end(self, whole: bool) -> None:
        if whole:
            self.note(f"{self._name} is here")


class BarWatch:
    """Shows which model is fetched, with a bar below."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("  "),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )

    def begin(self, fetching: Fetching) -> None:
        title = str(fetching)
        self._bar.console.print(title[0].upper() + title[1:], style="dim")
        self._bar.start()
        self._task = self._bar.add_task("", total=fetching.model.size, completed=fetching.here)

    def advance(self, size: int) -> None:
        self._bar.advance(self._task, size)

    def note(self, text: str) -> None:
        self._bar.console.print(f"  {text}", style="yellow")

    def end(self, whole: bool) -> None:
        self._bar.stop()

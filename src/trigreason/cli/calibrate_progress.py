"""The progress of a calibration, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trigreason.cli.console import THEME, redraws
from trigreason.cli.words import counted
from trigreason.studies.calibration.ledger import RunOutcome
from trigreason.studies.calibration.search import Stage
from trigreason.studies.calibration.setting import Setting

SECONDS_BETWEEN_LINES = 15.0


class Calibrating:
    """Counts runs, stage by stage; ``expected`` is about how many there will be in all."""

    def __init__(
        self,
        expected: int,
        epochs: int,
        console: Console | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.asked = 0
        self.known = 0
        self._expected = expected
        self._epochs = epochs
        self._clock = clock
        self._last_line = clock()
        self._console = console or Console(file=sys.stderr, theme=THEME, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} runs"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not redraws(self._console),
        )
        self._stage = self._bars.add_task("getting ready", total=0)
        self._whole = self._bars.add_task("all, about", total=expected)

    @contextmanager
    def shown(self) -> Iterator[None]:
        with self._bars:
            yield

    def enter(self, stage: Stage) -> None:
        """Show that a stage begins."""
        settings = counted(stage.settings, "setting")
        title = f"{stage.name}: {settings} on {counted(stage.questions, 'question')}"
        runs = stage.settings * stage.questions * self._epochs
        self._expected = max(self._expected, self.done + runs)
        self._bars.reset(self._stage, total=runs, description=title)
        self._bars.update(self._whole, total=self._expected)
        if self._bars.disable:
            self._say(title)

    def watch(self, _: Setting, __: RunOutcome, was_known: bool) -> None:
        """Count a run."""
        self.known += was_known
        self.asked += not was_known
        self._bars.advance(self._stage)
        self._bars.advance(self._whole)
        if self._bars.disable and self._clock() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = self._clock()
            self._say(f"{self.done:,} of about {self._expected:,} runs")

    @property
    def done(self) -> int:
        return self.asked + self.known

    def _say(self, line: str) -> None:
        print(f"trigreason: {line}", file=self._console.file, flush=True)

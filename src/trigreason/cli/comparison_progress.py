"""The progress of a comparison: a redrawn table on a terminal, a line now and then elsewhere.

All of it goes to standard error, so that standard output has only the result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from time import perf_counter

from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trigreason.cli.console import THEME, Redrawn
from trigreason.cli.words import counted
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.progress import ComparisonProgress, Standing
from trigreason.evaluation.runs import Run

SECONDS_BETWEEN_LINES = 15.0
REASONS_SHOWN = 3


class Watching(Redrawn):
    """Shows a comparison; use it as a context, so that the terminal is left tidy.

    ``names`` are the names of the arms, ``files`` those that are loaded before the first run.
    ``clock`` is for tests.
    """

    def __init__(
        self,
        title: str,
        names: Mapping[Arm, str],
        console: Console | None = None,
        clock: Callable[[], float] = perf_counter,
        files: str | None = None,
    ) -> None:
        self._title = title
        self._names = names
        self._files = files
        self._console = console or Console(
            file=sys.stderr, theme=THEME, highlight=False, emoji=False, markup=False
        )
        self._clock = clock
        self._began = self._last_line = clock()
        self._progress: ComparisonProgress | None = None
        self._reasons: dict[str, int] = {}
        self._lock = RLock()
        super().__init__(self._console, self._table, per_second=4)

    @property
    def progress(self) -> ComparisonProgress | None:
        """The progress of the arms; None before the first call of :meth:`begin`."""
        return self._progress

    def begin(self, planned: int, kept: Mapping[Arm, Iterable[Run]]) -> None:
        standings = {arm: Standing(planned) for arm in kept}
        for arm, runs in kept.items():
            for run in runs:
                standings[arm].add(run, kept=True)
        progress = ComparisonProgress(standings)
        with self._lock:
            self._progress = progress
            self._began = self._last_line = self._clock()
        if self.live is None and progress.left:
            kept_runs = f", {progress.done:,} of them there" if progress.done else ""
            self._say(f"{self._title}: {counted(progress.planned, 'run')}{kept_runs}")

    def opened(self) -> None:
        with self._lock:
            self._files = None

    def finished(self, arm: Arm, run: Run) -> None:
        assert self._progress is not None, "a comparison begins with begin()"
        with self._lock:
            self._progress.arms[arm].add(run)
        self._tell_now_and_then()

    def failed(self, arm: Arm, reason: str) -> None:
        assert self._progress is not None, "a comparison begins with begin()"
        with self._lock:
            self._progress.arms[arm].failed += 1
            self._reasons[reason] = self._reasons.get(reason, 0) + 1
        self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        if self.live is None and self._clock() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = self._clock()
            self._say(self._line())

    def _say(self, line: str) -> None:
        print(f"trigreason: {line}", file=self._console.file, flush=True)

    def _line(self) -> str:
        """The state of the comparison in one line."""
        progress = self._progress
        assert progress is not None, "a comparison begins with begin()"
        accuracies = [
            f"{name} {share(standing.accuracy)}"
            for standing, name in zip(progress.arms.values(), self._names.values(), strict=True)
        ]
        return f"{self._total(progress)}; right so far: {', '.join(accuracies)}"

    def _total(self, progress: ComparisonProgress) -> str:
        """All runs together: their number, time and failures."""
        gone = self._clock() - self._began
        ended = progress.done + progress.failed
        parts = [
            f"{ended:,} of {counted(progress.planned, 'run')} "
            f"({100 * ended // progress.planned} %)",
            f"{duration(gone)} gone",
        ]
        left = progress.seconds_left(gone)
        if left is not None and progress.left:
            parts.append(f"{duration(left)} left")
        if progress.failed:
            parts.append(f"{progress.failed:,} failed")
        return ", ".join(parts)

    def _table(self) -> RenderableType:
        """The display on the terminal; a separate thread draws it."""
        with self._lock:
            if self._progress is None:
                return Text(f"{self._title}: getting ready …", "dim")
            return Group(
                Text(self._title, "bold"),
                _standings(self._progress, self._names, self._clock() - self._began),
                _total_bar(self._progress, Text(self._total(self._progress), "dim")),
                *self._complaints(),
                *self._loading(),
            )

    def _loading(self) -> list[Text]:
        """The models that are being loaded, and for how long."""
        if self._files is None:
            return []
        gone = duration(self._clock() - self._began)
        return [Text(f"{gone} Loading {self._files} …", "dim")]

    def _complaints(self) -> list[Text]:
        """Why runs failed, the most frequent reasons first."""
        frequent = sorted(self._reasons.items(), key=lambda each: -each[1])[:REASONS_SHOWN]
        width = max(self._console.width - 1, 20)
        lines = [Text(f"! {counted(count, 'run')}: {reason}", "note") for reason, count in frequent]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return lines


def _standings(progress: ComparisonProgress, names: Mapping[Arm, str], gone: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("", no_wrap=True, overflow="ellipsis")
    with_usd = progress.usd is not None
    for head in ("runs", "right", "SMT", "tokens/s", "left", *(["USD"] if with_usd else [])):
        table.add_column(head, justify="right", no_wrap=True)
    for arm, standing in progress.arms.items():
        speed = standing.tokens_per_second
        cells = [
            f"{standing.done:,}/{standing.planned:,}",
            share(standing.accuracy),
            share(standing.smt),
            "–" if speed is None else f"{speed:,.0f}",
            _left(standing, gone),
        ]
        if with_usd:
            cells.append("–" if standing.usd is None else f"{standing.usd:,.2f}")
        table.add_row(names[arm], *cells)
    return table


def _left(standing: Standing, gone: float) -> str:
    """Time until the arm has all its runs, at its pace so far."""
    if not standing.left:
        return "done"
    return duration(gone / standing.news * standing.left) if standing.news else "–"


def _total_bar(progress: ComparisonProgress, text: Text) -> Table:
    """A progress bar of all runs, with a text below."""
    grid = Table.grid()
    ended = progress.done + progress.failed
    grid.add_row(ProgressBar(total=progress.planned, completed=ended, width=60))
    grid.add_row(text)
    return grid


def share(value: float | None) -> str:
    """A share with one decimal in per cent, or a dash."""
    return "–" if value is None else f"{100 * value:.1f} %"


def duration(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

"""The paper's items on the screen: their list, and the result of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from trigreason.cli.console import screen
from trigreason.paper.item import Item
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import ArmEntry, NumberCell, Result, entries

_ENDLESS = 10_000
"""A width in characters that no table reaches."""


def show_catalogue(items: Sequence[Item]) -> None:
    """Print every item with its full size."""
    table = _empty_table()
    table.add_column("item", no_wrap=True)
    table.add_column("shows")
    table.add_column("in the paper", style="dim")
    table.add_column("arms", justify="right")
    table.add_column("answers", justify="right")
    for item in items:
        size = (len(item.full.arms()), item.full.epochs)
        table.add_row(item.id, Text(item.title), Text(item.section), *map(str, size))
    out = screen()
    out.print(table)
    out.print()
    out.print(Text("Answers are those to each question. Arms that items share are run once."))
    out.print(Text("Minutes on a laptop: trigreason paper run fig4 --quick"))


def show(result: Result, files: Sequence[Path]) -> None:
    """Print an item's table, its notes, and where its files are."""
    out = screen()
    out.print()
    out.print(Text(f"{result.item.title}  ({result.item.id}, {result.item.section})", "bold"))
    if lines := entries(result):
        full = _table(result, lines)
        unbounded = out.options.update(max_width=_ENDLESS)
        fits = Measurement.get(out, unbounded, full).minimum <= out.width
        out.print(full if fits else _table(result, lines, narrow=True))
        if not fits:
            out.print(Text("Intervals are in the files; this terminal is too narrow.", "dim"))
    for note in result.notes:
        out.print(Text(note, "dim"))
    out.print(Text(f"The paper ({result.item.paper.models}): {result.item.paper.said}", "dim"))
    out.print(Text(f"→ {', '.join(str(file) for file in files)}"))


def _table(result: Result, lines: Sequence[ArmEntry], *, narrow: bool = False) -> Table:
    """One row per arm; a narrow table has less padding, and neither intervals nor tasks."""
    table = _empty_table()
    table.padding = (0, 1, 0, 0) if narrow else (0, 1)
    for head in ("source", "arm") if narrow else ("source", "task", "arm"):
        table.add_column(head, no_wrap=True)
    for measure in result.measures:
        table.add_column(MEASURES[measure].column, justify="right")
    for each in lines:
        source = Text("paper", "note") if each.is_paper else Text(each.source)
        task = [] if narrow else [Text(each.task)]
        cells = [
            _shown(each.cells.get(measure), with_ends=not narrow) for measure in result.measures
        ]
        table.add_row(source, *task, Text(each.arm), *cells)
    return table


def _shown(cell: NumberCell | None, *, with_ends: bool) -> Text:
    """A number, and with ``with_ends`` the ends of its interval below it."""
    text = Text(cell.value if cell else "")
    if cell and cell.ends and with_ends:
        text.append(f"\n{', '.join(cell.ends)}", "dim")
    return text


def _empty_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")

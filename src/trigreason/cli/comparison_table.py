"""A comparison on the screen: the tables of its page, as far as they fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trigreason.cli.console import printable
from trigreason.evaluation.report import tables
from trigreason.evaluation.report.collect import Comparison


def shown(comparison: Comparison) -> Iterator[RenderableType]:
    """Every arm in numbers, and the arms against each other."""
    yield Text(printable(f"{comparison.task}, pair {comparison.pair}"), "bold")
    yield from _shown(tables.overview(comparison))
    if differences := tables.compared(comparison):
        yield ""
        yield from _shown(differences)


def _shown(of: tables.Table) -> Iterator[RenderableType]:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for index, head in enumerate(of.heads):
        table.add_column(head, justify="right" if index else "left", no_wrap=not index)
    for row in of.rows:
        table.add_row(*(_cell(each) for each in row))
    yield table
    for note in of.notes:
        yield Text(note, "dim")


def _cell(cell: tables.ShadedCell) -> Text:
    """What stands in a cell, and below it what is said of it."""
    text = Text(cell.text)
    return text.append(f"\n{cell.note}", "dim") if cell.note else text

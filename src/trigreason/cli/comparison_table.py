"""A comparison on the screen: those tables of its page that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trigreason.cli.console import printable
from trigreason.evaluation.report import tables
from trigreason.evaluation.report.collect import Comparison
from trigreason.evaluation.report.conclusion import conclusion


def shown(comparison: Comparison) -> Iterator[RenderableType]:
    """The numbers of every arm, and the differences between arms."""
    yield Text(printable(f"{comparison.task}, pair {comparison.pair}"), "bold")
    if found := conclusion(comparison):
        yield Text(f"{printable(found)}\n")
    yield from _shown(tables.overview(comparison))
    if differences := tables.compared(comparison):
        yield ""
        yield from _shown(differences)


def _shown(source: tables.Table) -> Iterator[RenderableType]:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for index, head in enumerate(source.heads):
        table.add_column(head, justify="right" if index else "left", no_wrap=not index)
    for row in source.rows:
        table.add_row(*map(_cell, row))
    yield table
    for note in source.notes:
        yield Text(note, "dim")


def _cell(cell: tables.ShadedCell) -> Text:
    """The text of a cell, and below it its note, if any."""
    text = Text(cell.text)
    return text.append(f"\n{cell.note}", "dim") if cell.note else text

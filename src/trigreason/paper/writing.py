"""Writes results: a page in Markdown, numbers in JSON, the figure as PNG and SVG."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from trigreason.paper.drawing import draw
from trigreason.paper.item_files import catalogue
from trigreason.paper.measures import MEASURES
from trigreason.paper.result import ArmEntry, Result, entries

LONGEST_CELL = 400
"""Characters of a step on a page; the JSON has all of them."""


def write(result: Result, folder: Path) -> list[Path]:
    """Write an item's files and return their paths: Markdown, JSON, figures."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = draw(result, folder / result.item.id)
    text = folder / f"{result.item.id}.md"
    text.write_text(as_markdown(result, bool(figures)), encoding="utf-8")
    numbers = folder / f"{result.item.id}.json"
    text_of_numbers = json.dumps(result.to_json(), ensure_ascii=False, indent=1)
    numbers.write_text(f"{text_of_numbers}\n", encoding="utf-8")
    return [text, numbers, *figures]


def as_markdown(result: Result, with_figure: bool) -> str:
    """The page: title, figure, table, the paper's statement, notes, differences."""
    item = result.item
    parts = [f"# {item.title}", f"{item.section} · {item.about}"]
    if with_figure:
        parts.append(f"![{item.title}]({item.id}.png)")
    parts += _tables(result)
    parts.append(f"**The paper** ({item.paper.models}): {item.paper.said}")
    parts += [f"- {note}" for note in result.notes]
    if item.departs:
        parts.append(f"*Different here:* {item.departs}")
    parts.append(f"Numbers, intervals and the whole setup: [{item.id}.json]({item.id}.json).")
    return "\n\n".join(parts) + "\n"


def write_index(folder: Path) -> Path:
    """Write one page of all items in the folder, in the catalogue's order."""
    pages = [
        (folder / f"{name}.md").read_text(encoding="utf-8").replace("# ", "## ", 1).rstrip()
        for name in catalogue()
        if (folder / f"{name}.md").exists()
    ]
    index = folder / "index.md"
    title = "# TrigReason's tables and figures, measured again"
    index.write_text("\n\n".join([title, *pages]) + "\n", encoding="utf-8")
    return index


def _tables(result: Result) -> list[str]:
    lines = entries(result)
    parts = [_table(result.measures, lines)] if lines else []
    for table in result.tables:
        parts.append(table.title)
        parts.append(_as_rows([table.head, ["---"] * len(table.head), *table.rows]))
    return parts


def _table(measures: Sequence[str], lines: Sequence[ArmEntry]) -> str:
    head = ["source", "task", "arm", *(MEASURES[measure].axis for measure in measures)]
    body = [
        [
            f"paper: {line.source}" if line.is_paper else line.source,
            line.task,
            line.arm,
            *(_cell(line, measure) for measure in measures),
        ]
        for line in lines
    ]
    return _as_rows([head, ["---"] * 3 + ["---:"] * len(measures), *body])


def _cell(entry: ArmEntry, measure: str) -> str:
    cell = entry.cells.get(measure)
    if cell is None:
        return ""
    return f"{cell.value} ({' to '.join(cell.ends)})" if cell.ends else cell.value


def _as_rows(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(map(_in_a_cell, row))} |" for row in rows)


def _in_a_cell(text: str) -> str:
    shown = text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL].rstrip()} …"
    return "<br>".join(shown.replace("|", r"\|").splitlines())

"""What is seen while models are loaded into this process: their names, sizes, and the seconds.

llama.cpp tells no progress through xllamacpp, so no share is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from trigreason.cli.console import printable, redraws
from trigreason.configuration import PlannedPair
from trigreason.reasoning import Author

GB = 10**9


def loaded_files(pair: PlannedPair, authors: frozenset[Author]) -> str | None:
    """The GGUF files of these models with their sizes; None where there are none."""
    if pair.is_bundled:
        return None
    engines = (pair.engines[author] for author in sorted(authors, reverse=True))
    files = dict.fromkeys(
        file for engine in engines for file in (engine.settings.file, engine.draft_file)
    )
    return " and ".join(_told(file) for file in files if file is not None) or None


def _told(file: Path) -> str:
    """A file with its size; one that is named by its place on the hub has its size elsewhere."""
    size = f" ({file.stat().st_size / GB:.2f} GB)" if file.is_file() else ""
    return f"{printable(file.name)}{size}"


@contextmanager
def shown_loading(
    pair: PlannedPair, authors: frozenset[Author], console: Console
) -> Iterator[None]:
    """A line while the models are opened, where it can be taken back; nothing in a pipe."""
    if pair.is_bundled or not redraws(console):
        yield
        return
    files = loaded_files(pair, authors)
    text = f"Loading {files} …" if files else "Connecting to the models …"
    columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(text, total=None)
        yield

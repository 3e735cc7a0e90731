"""Shows names, sizes and seconds while models are loaded into this process.

llama.cpp reports no progress through xllamacpp, so no percentage is shown.
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
    return " and ".join(_with_size(file) for file in files if file is not None) or None


def _with_size(file: Path) -> str:
    """A file's name and size; a file that is still a name on the hub has no size here."""
    size = f" ({file.stat().st_size / GB:.2f} GB)" if file.is_file() else ""
    return f"{printable(file.name)}{size}"


@contextmanager
def shown_loading(
    pair: PlannedPair, authors: frozenset[Author], console: Console
) -> Iterator[None]:
    """Shows a line while the models are opened, on a terminal that can take it back."""
    if pair.is_bundled or not redraws(console):
        yield
        return
    files = loaded_files(pair, authors)
    text = f"Loading {files} …" if files else "Connecting to the models …"
    columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(text, total=None)
        yield

"""The terminal, or the pipe, that a command writes to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.theme import Theme

THEME = Theme(
    {
        "srm": "cyan",
        "lrm": "magenta",
        "srm.answer": "bold cyan",
        "lrm.answer": "bold magenta",
        "draft": "dim strike",
        "handover": "yellow",
        "right": "bold green",
        "wrong": "bold red",
        "note": "yellow",
    }
)


_CONTROL_PICTURES = 0x2400
_VISIBLE = {
    **{code: chr(_CONTROL_PICTURES + code) for code in range(0x20) if chr(code) not in "\n\t"},
    **dict.fromkeys(range(0x7F, 0xA0), "\ufffd"),
}


class Screen(Console):
    """Standard output in this program's colours."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def screen() -> Screen:
    return Screen(theme=THEME, highlight=False, emoji=False, markup=False)


def redraws(console: Console) -> bool:
    """Whether lines can be redrawn: on a real terminal, whatever the environment claims."""
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


class Redrawn:
    """A context in which the last lines of a terminal are redrawn repeatedly.

    ``live`` is None where lines cannot be redrawn.
    """

    def __init__(
        self, console: Console, draw: Callable[[], RenderableType], per_second: float
    ) -> None:
        live = Live(
            console=console, get_renderable=draw, refresh_per_second=per_second, transient=True
        )
        self.live = live if redraws(console) else None

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()


def printable(text: str) -> str:
    """``text`` with control characters made visible, so that a model cannot steer a terminal."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def print_json(values: object) -> None:
    """Print one line of JSON, escaped where standard output is not UTF."""
    encoding = (sys.stdout.encoding or "").lower()
    print(json.dumps(values, ensure_ascii=not encoding.startswith("utf")))

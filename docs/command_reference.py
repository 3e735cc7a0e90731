"""Writes docs/commands.md from the command line itself.

    python docs/command_reference.py

A test fails if the page is not what this writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trigreason.cli.app import command_line

PAGE = Path(__file__).parent / "commands.md"
HEAD = """# Commands

`trigreason COMMAND --help` prints the same. `python docs/command_reference.py` writes this page.
"""


def page() -> str:
    """The whole page."""
    command = command_line()
    context = command.context_class(command, info_name="trigreason")
    return "\n".join([HEAD, *_commands(command, context)])


def _commands(group: Any, context: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        inner = command.context_class(command, info_name=name, parent=context)
        if hasattr(command, "commands"):
            yield from _commands(command, inner)
        else:
            yield from _command(command, inner)


def _command(command: Any, context: Any) -> Iterator[str]:
    """The section of one command: its usage, what it does, its arguments and options."""
    shown = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    arguments = [piece for each in shown for piece in each.get_usage_pieces(context)]
    yield f"## {context.command_path}\n"
    yield f"`{' '.join([context.command_path, '[OPTIONS]', *arguments])}`\n"
    yield f"{_text(command.help or '')}\n"
    rows = [_row(each, context) for each in shown if each.name != "help"]
    if rows:
        yield "| | |\n|---|---|"
        yield from rows
        yield ""


def _row(parameter: Any, context: Any) -> str:
    name, told = parameter.get_help_record(context)
    return f"| `{_cell(name)}` | {_cell(_text(told))} |"


def _text(text: str) -> str:
    """Help as one paragraph each, with what Markdown would take for markup left as it is."""
    paragraphs = (" ".join(each.split()) for each in text.replace("\b", "").split("\n\n"))
    return re.sub(r"([*_<])", r"\\\1", "\n\n".join(paragraphs))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

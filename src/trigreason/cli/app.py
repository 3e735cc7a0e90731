"""The command line with all its commands, and how their errors are reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer

from trigreason import __version__
from trigreason.cli.calibrate import calibrate
from trigreason.cli.config import config_commands
from trigreason.cli.demo import demo
from trigreason.cli.doctor import doctor
from trigreason.cli.eval import evaluate
from trigreason.cli.failures import FAILURES, one_line
from trigreason.cli.keys import keys_commands
from trigreason.cli.models import models
from trigreason.cli.options import WrongUse
from trigreason.cli.paper import paper_commands
from trigreason.cli.profile import profile_commands
from trigreason.cli.replay import replay
from trigreason.cli.report import report
from trigreason.cli.serve import serve
from trigreason.cli.simulate import simulate
from trigreason.cli.solve import solve
from trigreason.cli.study import study_commands
from trigreason.cli.trace import trace_commands

CLOSED_PIPE = 141
"""The exit code that a shell reports for a program ended by a closed pipe (128 + SIGPIPE)."""

ANSWER = "Answer"
MEASURE = "Measure (with the extra: evaluation)"
SET_UP = "Set up"

app = typer.Typer(add_completion=False)
app.command(rich_help_panel=ANSWER)(demo)
app.command(rich_help_panel=ANSWER, context_settings={"allow_extra_args": True})(solve)
app.command(rich_help_panel=ANSWER)(serve)
app.add_typer(trace_commands, name="trace", rich_help_panel=ANSWER)
app.command("eval", rich_help_panel=MEASURE)(evaluate)
app.command(rich_help_panel=MEASURE)(report)
app.command(rich_help_panel=MEASURE)(calibrate)
app.command(rich_help_panel=MEASURE)(simulate)
app.command(rich_help_panel=MEASURE)(replay)
app.add_typer(study_commands, name="study", rich_help_panel=MEASURE)
app.add_typer(paper_commands, name="paper", rich_help_panel=MEASURE)
app.command(rich_help_panel=SET_UP)(models)
app.command(rich_help_panel=SET_UP)(doctor)
app.add_typer(config_commands, name="config", rich_help_panel=SET_UP)
app.add_typer(profile_commands, name="profile", rich_help_panel=SET_UP)
app.add_typer(keys_commands, name="keys", rich_help_panel=SET_UP)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"trigreason {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def trigreason(
    context: typer.Context,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Two reasoning models answer like the large one while the small one does most of the work."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line and return the exit code; errors become one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    command = command_line()
    try:
        with command.make_context("trigreason", list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except WrongUse as error:
        return _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "").rstrip(".")
        return _complain(f"{message}. See --help.", error.exit_code)
    except (BrokenPipeError, SystemExit):  # Rich exits at a closed pipe in --help
        _silence(sys.stdout)
        return CLOSED_PIPE
    except FAILURES as error:
        return _complain(one_line(error))
    return 0


@cache
def command_line() -> Any:
    """All commands, as Typer makes them."""
    command = typer.main.get_command(app)
    _hide_types_of_flags(command)
    return command


def _hide_types_of_flags(command: Any) -> None:
    """Show flags in --help without ``<bool>``, since they take no value."""
    for option in command.get_params(command.context_class(command)):
        if getattr(option, "is_bool_flag", False):
            option.metavar = ""
    for inner in getattr(command, "commands", {}).values():
        _hide_types_of_flags(inner)


def _complain(message: str, code: int = 1) -> int:
    print(f"trigreason: {' '.join(message.split())}", file=sys.stderr)
    return code


def _silence(stream: object) -> None:
    """Redirect a stream to nowhere, so that flushing it at exit cannot fail again."""
    if hasattr(stream, "fileno"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

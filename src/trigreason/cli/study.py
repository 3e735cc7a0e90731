"""``trigreason study``: studies of a pair's recorded runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from trigreason.cli import options
from trigreason.cli.console import print_json, screen
from trigreason.cli.extra import needs
from trigreason.cli.words import counted

study_commands = typer.Typer()


@study_commands.callback(invoke_without_command=True)
def study(context: typer.Context) -> None:
    """Look into recorded runs: what marks a pair's errors."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@study_commands.command()
def signals(
    logs: options.Logs,
    *,
    tau: Annotated[
        list[float] | None,
        typer.Option(
            metavar="PPL",
            help="τ of the low-perplexity ratio; may be given several times, the first is that of "
            "the rules. Default: the runs' own and some others.",
        ),
    ] = None,
    rho: Annotated[
        list[float] | None,
        typer.Option(
            metavar="SHARE",
            help="ρ of the rules; may be given several times. Default: the paper's and the runs'.",
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw the figures into this folder, as PNG and SVG."),
    ] = None,
    seed: options.Seed = 0,
    as_json: options.Json = False,
) -> None:
    """Measure how well each signal marks wrong steps and wrong trajectories of the SRM.

    Trajectories need runs of known outcome that the SRM wrote alone (eval --method srm).

    Steps need a checker, which the bundled families have.
    """
    with needs("evaluation"):
        from trigreason.cli import signal_tables
        from trigreason.evaluation.recorded import read_runs
        from trigreason.studies.signal_figures import draw_signals
        from trigreason.studies.signal_study import study_signals

    found = study_signals(list(read_runs(logs)), taus=tau or (), rhos=rho or (), seed=seed)
    drawn = draw_signals(found, figures) if figures else []
    if as_json:
        print_json(signal_tables.study_to_json(found) | {"figures": [str(path) for path in drawn]})
        return
    out = screen()
    out.print(
        Text(f"SRM: {found.srm or 'unnamed'}, {counted(found.runs, 'run')}, {found.scale} logprobs")
    )
    for noun, level in signal_tables.levels(found):
        out.print()
        out.print(Text(signal_tables.heading(noun, level), "bold"))
        out.print(signal_tables.signal_table(level))
        out.print()
        out.print(signal_tables.mark_table(noun, level))
    out.print()
    for sentence in signal_tables.verdict(found):
        out.print(Text(sentence))
    for path in drawn:
        out.print(Text(f"drawn: {path}", "dim"))

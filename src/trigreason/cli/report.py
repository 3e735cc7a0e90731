"""``trigreason report``: one page from the logs of comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigreason.cli import options
from trigreason.cli.console import print_json, printable, screen
from trigreason.cli.extra import needs
from trigreason.cli.options import WrongUse
from trigreason.cli.words import counted


def report(
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOGS", help="Inspect's logs, or folders of them."),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The page; its figures go into a folder beside it.",
        ),
    ] = Path("report.html"),
    examples: Annotated[
        int,
        typer.Option(
            min=0, metavar="QUESTIONS", help="Questions of which all runs are shown in full."
        ),
    ] = 2,
    as_json: options.Json = False,
) -> None:
    """Make one page of logs: tables, figures and runs to read, with intervals.

    Logs of several tasks, pairs and methods can be given together.

    The page needs no other file and no network. Figures are PNG and SVG files as well.
    """
    with needs("evaluation"):
        from trigreason.evaluation.recorded import log_files
        from trigreason.evaluation.report.collect import collect
        from trigreason.evaluation.report.numbers import numbers
        from trigreason.evaluation.report.page import write_report
    if out.suffix not in (".html", ".htm"):
        raise WrongUse(f"--out names the page, such as report.html, and not {out}")
    collected = collect(log_files(logs))
    written = write_report(collected, out, examples)
    if as_json:
        print_json({"files": [str(each) for each in written], **numbers(collected)})
        return
    tell = screen()
    for line in collected.left_out:
        tell.print(f"left out: {printable(line)}", style="note")
    for comparison in collected.comparisons:
        runs = sum(len(arm.found) for arm in comparison.arms.values())
        size = f"{counted(len(comparison.arms), 'method')}, {counted(runs, 'run')}"
        tell.print(printable(f"{comparison.task}, pair {comparison.pair}: {size}"))
    tell.print(str(written[0]), soft_wrap=True)
    tell.print(f"{counted(len(written) - 1, 'figure file')} in {written[1].parent}", soft_wrap=True)

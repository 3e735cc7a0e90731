"""``trigreason profile``: what a pair decides by, and what its risk model looks at."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from trigreason.cli import options
from trigreason.cli.chosen_pair import chosen_pair
from trigreason.cli.console import print_json, screen
from trigreason.configuration import read_configuration
from trigreason.reasoning import Thresholds
from trigreason.reasoning.field_docs import field_doc
from trigreason.reasoning.risk import SIGNALS, RiskModel

profile_commands = typer.Typer()


@profile_commands.callback(invoke_without_command=True)
def profile(context: typer.Context) -> None:
    """Read the profile of a pair: its thresholds and its risk model."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@profile_commands.command()
def show(
    *, pair: options.PairName = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Print a pair's thresholds, and how much each signal counts in its risk model."""
    plan = chosen_pair(read_configuration(config, os.environ), pair, {}, os.environ)
    thresholds = plan.settings.thresholds
    if as_json:
        print_json({"pair": plan.name, "thresholds": thresholds.to_json()})
        return
    out = screen()
    out.print(Text(f"Pair {plan.name}", "bold"))
    out.print(_thresholds(thresholds))
    out.print()
    model = thresholds.risk_model
    if model is None:
        out.print(
            "There is no risk model, which the method learned needs; trigreason calibrate LOGS "
            "--method learned --lrm-share SHARE fits one to recorded runs of the SRM."
        )
        return
    for line in risk_in_words(model):
        out.print(line)


def risk_in_words(model: RiskModel) -> Iterator[Text | Table]:
    """A risk model as a table of its curves, the most important first."""
    yield Text(
        f"The odds that a step is wrong are {_odds(model.intercept)} to 1, times what each of its "
        "signals adds (value: factor; straight in between, in logits):"
    )
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    for _ in range(max((len(curve.at) for curve in model.curves), default=0)):
        table.add_column(no_wrap=True, justify="right")
    for curve in model.curves:
        points = zip(curve.at, curve.logits, strict=True)
        cells = (f"{at:.3g}: x{_odds(logit)}" for at, logit in points)
        table.add_row(SIGNALS[curve.signal], *cells)
    yield table


def _odds(logit: float) -> str:
    return f"{math.exp(logit):.2g}"


def _thresholds(thresholds: Thresholds) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    default = Thresholds()
    for each in fields(Thresholds):
        value: Any = getattr(thresholds, each.name)
        if each.name in ("risk_model", "expressions", "cues"):
            continue
        usual = getattr(default, each.name)
        what = field_doc(Thresholds, each.name).text.replace(f"; {usual}.", ".")
        table.add_row(each.name, str(value), Text(what, "dim" if value == usual else ""))
    return table

"""Options that commands share, each with its symbol in the paper and the paper's default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from trigreason.budget import Budget
from trigreason.configuration import nearest
from trigreason.engines.base import Sampling
from trigreason.engines.embedded import LlamaCppOptions
from trigreason.failure import FailurePolicy
from trigreason.hiding import Hiding
from trigreason.reasoning import Direction, StepBreak, Thresholds, methods

PAPER = Thresholds()
SAMPLING = Sampling()
BUDGET = Budget()

Settings = TypeVar("Settings", Thresholds, Sampling, Budget, FailurePolicy, Hiding, LlamaCppOptions)


class WrongUse(typer.TyperException):
    """The command was called in a way that cannot work; exit code 2."""

    exit_code = 2


@contextmanager
def as_wrong_use() -> Iterator[None]:
    """Turn a ValueError about an option's value into wrong use of the command."""
    try:
        yield
    except ValueError as error:
        raise WrongUse(str(error)) from error


def known_method(name: str) -> str:
    """The ``name`` of a method. Raises WrongUse where there is none of this name."""
    with as_wrong_use():
        known = methods()
    if name not in known:
        raise WrongUse(f"no method is called {name!r}; {nearest(name, list(known))}")
    return name


Method = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Who writes when: trigreason (the paper's triggers), specreason (a judge), srm or lrm "
        "(one model alone), or a method that a package brings.",
        callback=known_method,
        autocompletion=lambda: list(methods()),
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
_SEED = typer.Option(min=0, help="Same seed, same inputs: the same trace.")
Seed = Annotated[int, _SEED]
SeedChange = Annotated[int | None, _SEED]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration; else $TRIGREASON_CONFIG, ./trigreason.toml or the user's.",
    ),
]
PairName = Annotated[
    str | None,
    typer.Option(
        "--pair",
        metavar="NAME",
        help="A pair of the configuration, a preset (trigreason models), or bundled.",
    ),
]

TRIGGERS = "Triggers"

Paper = Annotated[
    bool,
    typer.Option(
        "--paper",
        help="Start from the paper's thresholds, not from those that fit the pair.",
        rich_help_panel=TRIGGERS,
    ),
]
Priming = Annotated[
    int | None,
    typer.Option(
        "--n",
        metavar="STEPS",
        help=f"n, priming: the LRM writes the first n steps; 0 for none. Paper: {PAPER.n}.",
        rich_help_panel=TRIGGERS,
    ),
]
Tau = Annotated[
    float | None,
    typer.Option(
        "--tau",
        metavar="PPL",
        help=f"τ: a token is certain when its perplexity is below τ. Paper: {PAPER.tau}.",
        rich_help_panel=TRIGGERS,
    ),
]
Rho = Annotated[
    float | None,
    typer.Option(
        "--rho",
        metavar="SHARE",
        help="ρ, offload: the LRM rewrites an SRM step whose share of certain tokens is beyond ρ; "
        f"1 for never. Paper: {PAPER.rho}.",
        rich_help_panel=TRIGGERS,
    ),
]
Side = Annotated[
    Direction | None,
    typer.Option(
        "--direction",
        help="The side of ρ that fires: over (overconfident) or under (unsure). "
        f"Paper: {PAPER.direction.value}.",
        rich_help_panel=TRIGGERS,
    ),
]
Streak = Annotated[
    int | None,
    typer.Option(
        "--k",
        metavar="STEPS",
        help="k, request: so many hesitating SRM steps in a row ask for the LRM. "
        f"The paper does not say; here {PAPER.k}.",
        rich_help_panel=TRIGGERS,
    ),
]
Rectification = Annotated[
    int | None,
    typer.Option(
        "--m",
        metavar="STEPS",
        help=f"m, request: the LRM then writes m steps; 0 for never. Paper: {PAPER.m}.",
        rich_help_panel=TRIGGERS,
    ),
]
Hesitation = Annotated[
    list[str] | None,
    typer.Option(
        "--hesitation",
        metavar="WORDS",
        help="H, request: words that count as hesitation; may be given several times. "
        "Paper: its table 3.",
        rich_help_panel=TRIGGERS,
    ),
]
Accept = Annotated[
    float | None,
    typer.Option(
        "--accept",
        metavar="SCORE",
        help=f"SpecReason: the judge's lowest score that keeps a step, 0 to 9; {PAPER.accept}.",
        rich_help_panel=TRIGGERS,
    ),
]
JudgeFirst = Annotated[
    int | None,
    typer.Option(
        "--judge-first",
        metavar="STEPS",
        help=f"SpecReason: the LRM writes so many steps first; {PAPER.judge_first}.",
        rich_help_panel=TRIGGERS,
    ),
]

Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats",
        metavar="STEPS",
        help="The LRM follows a step that repeats itself, and so many of them in a row close the "
        f"thinking; 0 for never. Not in the paper; {PAPER.repeats}.",
        rich_help_panel=TRIGGERS,
    ),
]

_SAMPLING = "Sampling"

Temperature = Annotated[
    float | None,
    typer.Option(
        help=f"Sampling temperature; 0 is greedy. Default: {SAMPLING.temperature:g}.",
        rich_help_panel=_SAMPLING,
    ),
]
TopP = Annotated[
    float | None,
    typer.Option(
        help=f"Draw from the likeliest tokens of this mass. Default: {SAMPLING.top_p:g}.",
        rich_help_panel=_SAMPLING,
    ),
]

_BUDGET = "Limits"

ThinkingTokens = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        help="Thinking is closed, and the answer asked for, after so many. "
        f"Default: {BUDGET.thinking_tokens}.",
        rich_help_panel=_BUDGET,
    ),
]
AnswerTokens = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        help=f"Longest answer. Default: {BUDGET.answer_tokens}.",
        rich_help_panel=_BUDGET,
    ),
]
StepTokens = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        help=f"Longest step. Default: {BUDGET.step_tokens}.",
        rich_help_panel=_BUDGET,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="STEPS", help="Thinking is closed after so many.", rich_help_panel=_BUDGET
    ),
]
StepSeparator = Annotated[
    StepBreak | None,
    typer.Option(
        "--step-break",
        help="What separates steps: a blank line, as in the paper, or every line end, for models "
        "that write without blank lines. Default: as the pair has it.",
        rich_help_panel=_BUDGET,
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="The run ends, answered or not, after so many.",
        rich_help_panel=_BUDGET,
    ),
]

TraceFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A recorded trace, or - for standard input."),
]
Logs = Annotated[
    list[Path],
    typer.Argument(
        metavar="LOGS",
        help="Recorded runs: Inspect's logs, traces, lines of traces, or folders with them.",
    ),
]
TraceOut = Annotated[
    Path | None,
    typer.Option(
        "--trace",
        metavar="FILE",
        help="Write the trace here, also of a run that fails or is interrupted.",
    ),
]


def changed(base: Settings, **flags: Any) -> Settings:
    """``base`` with what was given as flags; None is a flag not given."""
    given = {name: value for name, value in flags.items() if value is not None}
    if expressions := given.pop("expressions", None):
        given["expressions"] = tuple(expressions)
    return replace(base, **given)

"""Options that commands share.

A command lists its options in its signature, for Typer. An option with the name of a dataclass's
field is documented there, and :func:`flagged` takes its value from the command's context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
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
from trigreason.reasoning.field_docs import field_doc

TRIGGERS = "Triggers"
LIMITS = "Limits"
SERVERS = "Servers"
PANELS: dict[type[Any], str] = {Thresholds: TRIGGERS, Sampling: "Sampling", Budget: LIMITS}

Settings = TypeVar("Settings", Thresholds, Sampling, Budget, FailurePolicy, Hiding, LlamaCppOptions)


class WrongUse(typer.TyperException):
    """The command was called wrongly; exit code 2."""

    exit_code = 2


@contextmanager
def as_wrong_use() -> Iterator[None]:
    """Turn a ValueError about an option's value into a WrongUse."""
    try:
        yield
    except ValueError as error:
        raise WrongUse(str(error)) from error


def known_method(name: str) -> str:
    """The ``name`` of a method. Raises WrongUse where no method has this name."""
    with as_wrong_use():
        known = methods()
    if name not in known:
        raise WrongUse(f"no method is called {name!r}; {nearest(name, list(known))}")
    return name


Method = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Who writes when: trigreason (the paper's triggers), srm or lrm (one model alone), "
        "another one of docs/methods.md, or a method that a package brings.",
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


def flag(
    kind: type[Any],
    name: str,
    *names: str,
    origin: str | None = None,
    panel: str | None = None,
) -> Any:
    """An option with the documentation of a dataclass's field.

    ``origin`` says where the default comes from, instead of what the field's documentation says.
    """
    doc = field_doc(kind, name)
    sentences = doc.text, doc.origin if origin is None else origin
    return typer.Option(
        *names,
        metavar=doc.unit,
        help=" ".join(filter(None, sentences)),
        rich_help_panel=panel or PANELS[kind],
    )


Paper = Annotated[
    bool,
    typer.Option(
        "--paper",
        help="Start from the paper's settings, not from the pair's: its thresholds for this SRM "
        "and task, its sampling and budget, and no guard against repetition.",
        rich_help_panel=TRIGGERS,
    ),
]
N = Annotated[int | None, flag(Thresholds, "n")]
Tau = Annotated[float | None, flag(Thresholds, "tau")]
Rho = Annotated[float | None, flag(Thresholds, "rho")]
Side = Annotated[Direction | None, flag(Thresholds, "direction")]
K = Annotated[int | None, flag(Thresholds, "k")]
M = Annotated[int | None, flag(Thresholds, "m")]
Expressions = Annotated[list[str] | None, flag(Thresholds, "expressions", "--hesitation")]
Accept = Annotated[float | None, flag(Thresholds, "accept")]
JudgeFirst = Annotated[int | None, flag(Thresholds, "judge_first")]
ScriptStop = Annotated[
    bool | None, flag(Thresholds, "script_stop", "--script-stop/--no-script-stop")
]
Delta = Annotated[float | None, flag(Thresholds, "delta")]
Share = Annotated[float | None, flag(Thresholds, "share")]
Every = Annotated[int | None, flag(Thresholds, "every")]
Entropy = Annotated[float | None, flag(Thresholds, "entropy")]
Confidence = Annotated[float | None, flag(Thresholds, "confidence")]
Cues = Annotated[list[str] | None, flag(Thresholds, "cues", "--cue")]
Tag = Annotated[str | None, flag(Thresholds, "tag")]
Risk = Annotated[float | None, flag(Thresholds, "risk")]
Repeats = Annotated[int | None, flag(Thresholds, "repeats")]

Temperature = Annotated[float | None, flag(Sampling, "temperature")]
TopP = Annotated[float | None, flag(Sampling, "top_p")]

ThinkingTokens = Annotated[int | None, flag(Budget, "thinking_tokens")]
AnswerTokens = Annotated[int | None, flag(Budget, "answer_tokens")]
StepTokens = Annotated[int | None, flag(Budget, "step_tokens")]
Steps = Annotated[int | None, flag(Budget, "steps")]
Seconds = Annotated[float | None, flag(Budget, "seconds")]
StepSeparator = Annotated[
    StepBreak | None,
    typer.Option(
        "--step-break",
        help="What separates steps: a blank line, as in the paper, or every line end, for models "
        "that write without blank lines. Default: as the pair has it.",
        rich_help_panel=LIMITS,
    ),
]

Retries = Annotated[
    int | None,
    typer.Option(
        metavar="ATTEMPTS",
        help="A request that fails is tried again so many times in a row. "
        f"Default: {FailurePolicy().retries}.",
        rich_help_panel=SERVERS,
    ),
]
WarmSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="While the SRM writes, the LRM reads along at most every so many seconds.",
        rich_help_panel=SERVERS,
    ),
]
WarmTokens = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        help="The same, at most every so many tokens.",
        rich_help_panel=SERVERS,
    ),
]
Hedge = Annotated[
    bool | None,
    typer.Option(
        "--hedge/--no-hedge",
        help="Let the LRM begin to rewrite an SRM step that the offload is likely to reject. "
        "Default: it waits.",
        rich_help_panel=SERVERS,
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


def given(kind: type[Any], context: typer.Context) -> dict[str, Any]:
    """The values of a command's parameters that have the name of a field of ``kind``."""
    names = [each.name for each in fields(kind) if each.name in context.params]
    return {name: context.params[name] for name in names}


def flagged(base: Settings, context: typer.Context) -> Settings:
    """``base`` with the fields changed that were given as flags of a command."""
    return changed(base, **given(type(base), context))


def changed(base: Settings, **flags: Any) -> Settings:
    """``base`` changed by ``flags``; None is a flag that was not given."""
    values = {name: value for name, value in flags.items() if value is not None}
    for name in ("expressions", "cues"):
        if words := values.pop(name, None):
            values[name] = tuple(words)
    return replace(base, **values)

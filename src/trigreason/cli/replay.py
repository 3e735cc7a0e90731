"""``trigreason replay``: recorded runs under other thresholds, with no model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from trigreason.cli import options
from trigreason.cli.console import print_json, screen
from trigreason.cli.extra import needs
from trigreason.cli.options import WrongUse, as_wrong_use
from trigreason.cli.words import counted, percent
from trigreason.reasoning import Direction, Thresholds, Trigger, make_method, method_entry
from trigreason.reasoning.field_docs import field_doc
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.names import SYMBOLS

if TYPE_CHECKING:
    from trigreason.evaluation.statistics import Estimate
    from trigreason.studies.replaying import Replays

VARIED = ("n", "tau", "rho", "direction", "k", "m")
"""The thresholds that can have several values."""

SHORT = {
    Trigger.STRATEGIC_PRIMING: "priming",
    Trigger.COGNITIVE_OFFLOAD: "offload",
    Trigger.INTERVENTION_REQUEST: "request",
    Trigger.REPETITION: "repeats",
    Trigger.METHOD: "method",
}
SHOWN_SHARE = 0.005
"""A share of steps below this is shown as 0 %."""


_WANTED: dict[Any, str] = {
    int: "whole numbers",
    float: "numbers",
    Direction: f"one of {', '.join(Direction)}",
}
"""What an option accepts, by the type of its values."""


def _several(name: str, label: str) -> Any:
    """An option for values of the threshold called ``name``; its help begins with ``label``."""
    return typer.Option(
        metavar=field_doc(Thresholds, name).unit or "SIDE",
        help=f"{label}; several with commas, or given several times. Default: as the runs had it.",
        rich_help_panel=options.TRIGGERS,
    )


def replay(
    context: typer.Context,
    logs: options.Logs,
    *,
    method: options.Method = "trigreason",
    n: Annotated[list[str] | None, _several("n", "n, priming steps")] = None,
    tau: Annotated[list[str] | None, _several("tau", "τ")] = None,
    rho: Annotated[list[str] | None, _several("rho", "ρ of the offload")] = None,
    direction: Annotated[
        list[str] | None, _several("direction", "The side of ρ that fires: over, under")
    ] = None,
    k: Annotated[
        list[str] | None, _several("k", "k, hesitating steps that ask for the LRM")
    ] = None,
    m: Annotated[list[str] | None, _several("m", "m, steps of the LRM after a request")] = None,
    as_json: options.Json = False,
) -> None:
    """Show which triggers would fire in recorded runs under other thresholds, and the SMT then.

    No model is needed. Every combination of the values is replayed.

    Runs of the SRM alone (eval --method srm) tell most.
    """
    with as_wrong_use():
        values = {name: _parsed(name, context.params[name]) for name in VARIED}
    with needs("evaluation"):
        from trigreason.evaluation.recorded import read_runs
        from trigreason.studies.replaying import recorded_token_ratio, replayed

    runs = list(read_runs(logs))
    if not runs:
        raise WrongUse("there is no recorded run in these files")
    base = Counter(run.trace.thresholds for run in runs).most_common(1)[0][0]
    with as_wrong_use():
        settings = list(_grid(method, base, values))
    ratio = recorded_token_ratio(runs)
    with as_wrong_use():
        found = replayed(runs, settings, method=method, token_ratio=1.0 if ratio is None else ratio)
    if as_json:
        print_json(_to_json(found, recorded=ratio is not None))
        return
    varied = [name for name, given in values.items() if len(given) > 1]
    out = screen()
    out.print(Text(_head(found, method, varied)))
    out.print()
    out.print(_table(found, varied))
    out.print()
    for sentence in _explanations(found, recorded=ratio is not None):
        out.print(Text(sentence))


def _parsed(name: str, given: Sequence[str] | None) -> list[Any]:
    """A threshold's distinct values, in their order. Raises ValueError for an invalid one."""
    kind = type(getattr(Thresholds(), name))
    values: dict[Any, None] = {}
    for text in (text.strip() for each in given or () for text in each.split(",")):
        try:
            values[kind(text)] = None
        except ValueError as error:
            wanted = f"{_WANTED[kind]}, with commas between"
            raise ValueError(f"--{name} takes {wanted}, not {text!r}") from error
    return list(values)


def _grid(method: str, base: Thresholds, values: dict[str, list[Any]]) -> Iterator[Thresholds]:
    given = {name: each for name, each in values.items() if each}
    for chosen in product(*given.values()):
        setting = options.changed(base, **dict(zip(given, chosen, strict=True)))
        make_method(method, setting)
        yield setting


def _symbol(name: str) -> str:
    return SYMBOLS.get(name, name)


def _head(found: Replays, method: str, varied: Sequence[str]) -> str:
    """What was replayed, and the thresholds that all settings have in common."""
    constant = method_entry(method).thresholds - set(varied)
    setting = found.settings[0]
    same = [
        f"{_symbol(name)} = {_shown(getattr(setting, name))}" for name in VARIED if name in constant
    ]
    head = f"{counted(len(found.runs), 'run')} replayed by {method_title(method)}."
    return f"{head} The same throughout: {', '.join(same)}" if same else head


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(found: Replays, varied: Sequence[str]) -> Table:
    """One row per setting; a trigger that no setting shows has no column."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
        header_style="bold",
    )
    shown = [trigger for trigger in SHORT if found.share(trigger).max() >= SHOWN_SHARE]
    names = [*map(_symbol, varied), *(SHORT[trigger] for trigger in shown)]
    for name in [*names, "fired", "hand-\novers", "SMT (95 %)"]:
        table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
    for row, setting in enumerate(found.settings):
        table.add_row(
            *(_shown(getattr(setting, name)) for name in varied),
            *(percent(float(found.share(trigger)[row])) for trigger in shown),
            percent(float((found.handovers[row] > 0).mean())),
            f"{found.handovers[row].mean():.1f}",
            _with_interval(_estimated_smt(found, row)),
        )
    return table


def _with_interval(smt: Estimate) -> str:
    within = f"{100 * smt.low:.0f}–{100 * smt.high:.0f}" if smt.has_interval else "–"
    return f"{percent(smt.value)} ({within})"


def _estimated_smt(found: Replays, row: int) -> Estimate:
    """The SMT of one setting as in ``eval``: a mean over runs, clustered by question."""
    from trigreason.evaluation.statistics import SHARES, mean_of

    shares: dict[str, list[float]] = defaultdict(list)
    for run, srm, lrm in zip(found.runs, found.srm_tokens[row], found.lrm_tokens[row], strict=True):
        shares[run.question].append(float(srm / (srm + lrm)))
    estimate = mean_of(shares)
    return estimate.clipped(*SHARES) if estimate.has_interval else estimate


def _explanations(found: Replays, *, recorded: bool) -> Iterator[str]:
    length = (
        f"{found.token_ratio:.2f} times the SRM's tokens, the ratio of the recorded steps"
        if recorded
        else "as many tokens as the SRM's step in its place, because no step of the LRM is recorded"
    )
    yield (
        "By trigger: the share of all steps that the LRM would write because of it. Fired: the "
        "share of runs in which any did. Handovers: per run, to the LRM."
    )
    yield (
        "SMT is an estimate: the LRM's steps stand in the place of the SRM's, and the rest stays "
        f"as it was written. An LRM step that is not recorded has {length}. What the models would "
        "have written after the first difference nobody can know."
    )
    if found.kept_steps.any():
        yield (
            "Some of the runs have steps of the LRM for which no step of the SRM is known; they "
            "stay the LRM's under every setting, so SMT is too low where it is asked for less."
        )
    if found.left_out:
        yield f"{counted(found.left_out, 'run')} without a step of the SRM could not be replayed."


def _to_json(found: Replays, *, recorded: bool) -> dict[str, Any]:
    return {
        "runs": len(found.runs),
        "left_out": found.left_out,
        "token_ratio": found.token_ratio,
        "token_ratio_recorded": recorded,
        "settings": [_row_to_json(found, row) for row in range(len(found.settings))],
    }


def _row_to_json(found: Replays, row: int) -> dict[str, Any]:
    smt = _estimated_smt(found, row)
    return {
        "thresholds": found.settings[row].to_json(),
        "step_shares": {each.value: float(found.share(each)[row]) for each in found.steps_by},
        "handovers_per_run": {
            each.value: float(counts[row].mean()) for each, counts in found.handovers_by.items()
        },
        "runs_fired_in": float((found.handovers[row] > 0).mean()),
        "smt": smt.value,
        "smt_interval": [smt.low, smt.high] if smt.has_interval else None,
        "draft_tokens_per_run": float(found.draft_tokens[row].mean()),
        "kept_lrm_steps": int(found.kept_steps[row].sum()),
    }

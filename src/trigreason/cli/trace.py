"""``trigreason trace``: shows or replays a recorded run, with no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trigreason.cli import options
from trigreason.cli.console import print_json, printable, screen
from trigreason.cli.files import check_writable, read_trace
from trigreason.cli.live import Transcript, preface, question_block
from trigreason.cli.options import WrongUse, as_wrong_use
from trigreason.cli.tables import add_up, summary
from trigreason.cli.words import counted, percent, settings
from trigreason.events import Done, DraftDropped, Event, HandedOver, RunBegun, StepAccepted
from trigreason.page import run_page
from trigreason.reasoning import (
    Firing,
    Halt,
    Judge,
    Replayed,
    Reward,
    Rewrite,
    Thresholds,
    Trace,
    Trigger,
    find_hesitations,
    low_perplexity_ratio,
    make_method,
    what_if,
)
from trigreason.reasoning import replay as decide_again
from trigreason.reasoning.method_run import REPETITION
from trigreason.reasoning.names import TRIGGER_NAMES

trace_commands = typer.Typer()

MOST_RUNS = 2
"""The most runs that a page shows side by side."""

_SHORT = {
    None: "–",
    Trigger.STRATEGIC_PRIMING: "priming",
    Trigger.COGNITIVE_OFFLOAD: "offload",
    Trigger.INTERVENTION_REQUEST: "request",
    Trigger.JUDGE_REJECTION: "rejection",
    Trigger.LOW_REWARD: "low reward",
    Trigger.REPETITION: "repetition",
    Trigger.METHOD: "method",
}
"""A trigger's name for a narrow column."""


@trace_commands.callback(invoke_without_command=True)
def trace(context: typer.Context) -> None:
    """Show a recorded run, or replay it under other thresholds."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@trace_commands.command()
def replay(
    context: typer.Context,
    file: options.TraceFile,
    *,
    tau: options.Tau = None,
    rho: options.Rho = None,
    direction: options.Side = None,
    k: options.K = None,
    m: options.M = None,
    expressions: options.Expressions = None,
    as_json: options.Json = False,
) -> None:
    """Let a recorded run's method decide again on the recorded steps, with no model.

    Without thresholds: is every decision reproduced?

    With thresholds: which triggers would have fired on the steps that the SRM wrote?
    """
    recorded = read_trace(file)
    flags = options.given(Thresholds, context)
    if any(value not in (None, ()) for value in flags.values()):
        with as_wrong_use():
            changed = options.flagged(recorded.thresholds, context)
            make_method("trigreason", changed)
        _compare_triggers(recorded, changed, as_json)
    else:
        _check_decisions(recorded, as_json)


def _check_decisions(trace: Trace, as_json: bool) -> None:
    """Print whether the method decides as recorded; exit code 1 where it does not."""
    decisions = list(decide_again(trace))
    differing = [each for each in decisions if each.agrees is False]
    if as_json:
        values = {
            "decisions": len(decisions),
            "reproduced": len(decisions) - len(differing),
            "differing": [each.to_json() for each in differing],
        }
        print_json(values)
    else:
        out = screen()
        for each in differing:
            out.print(Text(f"{_where(each)}: recorded otherwise; now {_in_words(each)}", "wrong"))
        same = len(decisions) - len(differing)
        verdict = "every one as recorded" if not differing else f"{same} as recorded"
        out.print(Text(f"{counted(len(decisions), 'decision')} replayed, {verdict}."))
    if differing:
        raise typer.Exit(1)


def _where(replayed: Replayed) -> str:
    return "opening" if replayed.step < 0 else f"after step {replayed.step}"


def _in_words(replayed: Replayed) -> str:
    if isinstance(replayed.decision, Halt):
        why = "it repeats itself" if replayed.decision.limit == REPETITION else "the method ends it"
        return f"the thinking is closed, because {why}"
    if isinstance(replayed.decision, Reward):
        return "the scorer would have to rate it, and no reward is recorded"
    author = replayed.decision.author.upper()
    if isinstance(replayed.decision, Judge):
        return f"the {author} would have to score it, and no score is recorded"
    verb = "rewrites" if isinstance(replayed.decision, Rewrite) else "writes"
    trigger = replayed.decision.trigger
    return f"the {author} {verb}" + (f" ({TRIGGER_NAMES[trigger]})" if trigger else "")


def _compare_triggers(trace: Trace, thresholds: Thresholds, as_json: bool) -> None:
    """Print for each SRM step which trigger fired then, and which one would fire now."""
    firings = what_if(trace, thresholds)
    if as_json:
        print_json(_comparison(firings, thresholds))
        return
    out = screen()
    out.print(Text(f"then: {settings('trigreason', trace.thresholds)}"))
    out.print(Text(f"now:  {settings('trigreason', thresholds)}"))
    if not firings:
        out.print(Text("The SRM wrote no step in this run, so no trigger looks at any."))
        return
    out.print()
    _print_steps(out, firings, thresholds)
    out.print()
    then, now = _counts(firings, "then"), _counts(firings, "now")
    for trigger, name in TRIGGER_NAMES.items():
        if then[trigger] or now[trigger]:
            out.print(Text(f"{name}: {then[trigger]} then, {now[trigger]} now"))
    changed = sum(each.then is not each.now for each in firings)
    out.print(Text(f"{changed} of {counted(len(firings), 'SRM step')} would go another way."))


def _print_steps(out: Console, firings: list[Firing], thresholds: Thresholds) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("step", "r"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("hesitates", max_width=18)
    for name in ("then", "now"):
        table.add_column(name, no_wrap=True)
    table.add_column("SRM wrote", ratio=1)
    for each in firings:
        ratio = _ratio(each, thresholds)
        written = " ".join(printable(each.record.text).split())
        table.add_row(
            str(each.step),
            "–" if ratio is None else percent(ratio, thresholds.rho),
            Text(", ".join(find_hesitations(each.record.text, thresholds.expressions))),
            _SHORT[each.then],
            _SHORT[each.now],
            Text(written, no_wrap=True, overflow="ellipsis"),
            style="bold" if each.then is not each.now else "dim",
        )
    out.print(table)


def _comparison(firings: list[Firing], thresholds: Thresholds) -> dict[str, Any]:
    return {
        "thresholds": thresholds.to_json(),
        "steps": [
            {
                "step": each.step,
                "ratio": _ratio(each, thresholds),
                "hesitations": find_hesitations(each.record.text, thresholds.expressions),
                "then": each.then,
                "now": each.now,
            }
            for each in firings
        ],
        "then": {str(key): count for key, count in _counts(firings, "then").items()},
        "now": {str(key): count for key, count in _counts(firings, "now").items()},
    }


def _ratio(each: Firing, thresholds: Thresholds) -> float | None:
    return low_perplexity_ratio(each.record.logprobs, thresholds.tau)


def _counts(firings: list[Firing], when: str) -> Counter[Trigger]:
    return Counter(trigger for each in firings if (trigger := getattr(each, when)) is not None)


@trace_commands.command()
def show(file: options.TraceFile) -> None:
    """Print a recorded run the way it was shown while it ran."""
    recorded = read_trace(file)
    out = screen()
    for message in recorded.messages:
        title = "Question" if message.role == "user" else message.role.capitalize()
        out.print(question_block(message.content, title))
    out.print(preface(recorded))
    transcript = Transcript(out)
    for event in _events_of(recorded):
        transcript.show(event)
    out.print()
    out.print(summary({recorded.method: add_up([recorded])}))


@trace_commands.command()
def page(
    files: Annotated[
        list[str],
        typer.Argument(metavar="TRACE...", help="One trace, or two to see side by side."),
    ],
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The page to write (HTML).")
    ],
) -> None:
    """Write a recorded run as a web page: one file that needs no server and no network."""
    if len(files) > MOST_RUNS:
        raise WrongUse(f"a page shows at most {MOST_RUNS} traces, not {len(files)}")
    check_writable(out, "--out", "page")
    traces = [read_trace(file) for file in files]
    size = out.write_bytes(run_page(traces).encode())
    screen().print(Text(f"{out} shows {counted(len(traces), 'run')} ({size // 1000:,} kB)."))


def _events_of(trace: Trace) -> Iterator[Event]:
    """The events of the run that this trace records, without those of pieces of text."""
    yield RunBegun(trace)
    handovers = {each.step: each for each in trace.handovers}
    for index, step in enumerate(trace.steps):
        if handover := handovers.get(index):
            because = trace.steps[index - 1] if index else None
            steps = trace.handed_over(index)
            yield HandedOver(handover.writer, handover.trigger, steps, because)
        if step.standing:
            yield StepAccepted(index, step)
        else:
            trigger = trace.fired_after(index) or Trigger.COGNITIVE_OFFLOAD
            yield DraftDropped(index, step, trigger)
    yield Done(trace)

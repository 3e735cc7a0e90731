"""``trigreason trace``: recorded runs, shown again (here) or replayed (``replay.py``)."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from trigreason.cli.console import screen
from trigreason.cli.files import read_trace
from trigreason.cli.live import Transcript, preface, question_block
from trigreason.cli.options import TraceFile
from trigreason.cli.replay import replay
from trigreason.cli.tables import add_up, summary
from trigreason.events import Done, DraftDropped, Event, HandedOver, RunBegun, StepAccepted
from trigreason.reasoning import Trace, Trigger

trace_commands = typer.Typer()
trace_commands.command()(replay)


@trace_commands.callback(invoke_without_command=True)
def trace(context: typer.Context) -> None:
    """Show a recorded run, or replay it under other thresholds."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@trace_commands.command()
def show(file: TraceFile) -> None:
    """Print a recorded run the way it was shown while it ran."""
    recorded = read_trace(file)
    out = screen()
    for message in recorded.messages:
        title = "Question" if message.role == "user" else message.role.capitalize()
        out.print(question_block(message.content, title))
    out.print(preface(recorded))
    transcript = Transcript(out)
    for event in events_of(recorded):
        transcript.show(event)
    out.print()
    out.print(summary({recorded.method: add_up([recorded])}))


def events_of(trace: Trace) -> Iterator[Event]:
    """The events of the run that left this trace, without its text in pieces."""
    yield RunBegun(trace)
    handovers = {each.step: each for each in trace.handovers}
    for index, step in enumerate(trace.steps):
        if handover := handovers.get(index):
            because = trace.steps[index - 1] if index else None
            steps = _steps_of(handover.trigger, trace)
            yield HandedOver(handover.writer, handover.trigger, steps, because)
        if step.standing:
            yield StepAccepted(index, step)
        else:
            trigger = trace.fired_after(index) or Trigger.COGNITIVE_OFFLOAD
            yield DraftDropped(index, step, trigger)
    yield Done(trace)


def _steps_of(trigger: Trigger | None, trace: Trace) -> int | None:
    """For how many steps a trigger hands the pen over."""
    match trigger:
        case None:
            return None
        case Trigger.STRATEGIC_PRIMING:
            judged = trace.method == "specreason"
            return trace.thresholds.judge_first if judged else trace.thresholds.n
        case Trigger.INTERVENTION_REQUEST:
            return trace.thresholds.m
        case Trigger.REPETITION:
            return max(1, trace.thresholds.m)
        case _:
            return 1

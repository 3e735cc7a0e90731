"""``trigreason solve``: one question, one answer."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from trigreason.answers import boxed
from trigreason.bundled import can_solve
from trigreason.cli import llama_cpp, options
from trigreason.cli.chosen_pair import (
    SCORER_KEY,
    check_models,
    check_scorer,
    chosen_pair,
    with_scorer,
)
from trigreason.cli.console import print_json, screen
from trigreason.cli.failures import FAILURES, failure_to_json
from trigreason.cli.fetching import fetch_models
from trigreason.cli.files import check_writable, read_text, write_trace
from trigreason.cli.options import as_wrong_use
from trigreason.cli.running import Assignment, RunSoFar, carry_out
from trigreason.cli.tables import add_up, summary
from trigreason.cli.words import how_it_ended
from trigreason.configuration import PlannedPair, as_in_the_paper, read_configuration
from trigreason.engines.embedded import LlamaCppOptions
from trigreason.reasoning import Author, Trace, trace_to_json

NO_PUZZLE = (
    "the bundled pair solves seven kinds of puzzles (trigreason demo shows them); this question is "
    "none of them, so the answer means nothing; --pair, or --srm and --lrm, name other models"
)
MODEL = "GGUF file, hf:ORG/REPO, URL, MODEL@URL, or an engine of the configuration"


def solve(
    context: typer.Context,
    question: Annotated[
        str | None, typer.Argument(help="The question; - reads it from standard input.")
    ] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Read the question from a file.")
    ] = None,
    srm: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help=f"The small model: {MODEL}. Key: TRIGREASON_SRM_API_KEY."
        ),
    ] = None,
    lrm: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help=f"The large model: {MODEL}. Key: TRIGREASON_LRM_API_KEY."
        ),
    ] = None,
    scorer: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help=f"The process reward model for rsd: URL or MODEL@URL. Key: {SCORER_KEY}.",
        ),
    ] = None,
    pair: options.PairName = None,
    config: options.Config = None,
    method: options.Method = "trigreason",
    as_json: options.Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the answer and no more.")] = False,
    trace: options.TraceOut = None,
    seed: options.SeedChange = None,
    paper: options.Paper = False,
    n: options.N = None,
    tau: options.Tau = None,
    rho: options.Rho = None,
    direction: options.Side = None,
    k: options.K = None,
    m: options.M = None,
    expressions: options.Expressions = None,
    accept: options.Accept = None,
    judge_first: options.JudgeFirst = None,
    script_stop: options.ScriptStop = None,
    delta: options.Delta = None,
    share: options.Share = None,
    every: options.Every = None,
    entropy: options.Entropy = None,
    confidence: options.Confidence = None,
    cues: options.Cues = None,
    tag: options.Tag = None,
    risk: options.Risk = None,
    repeats: options.Repeats = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = None,
    thinking_tokens: options.ThinkingTokens = None,
    answer_tokens: options.AnswerTokens = None,
    step_tokens: options.StepTokens = None,
    step_break: options.StepSeparator = None,
    steps: options.Steps = None,
    seconds: options.Seconds = None,
    retries: options.Retries = None,
    warm_seconds: options.WarmSeconds = None,
    warm_tokens: options.WarmTokens = None,
    hedge: options.Hedge = None,
    threads: llama_cpp.Threads = None,
    gpu_layers: llama_cpp.GpuLayers = None,
    context_tokens: llama_cpp.ContextTokens = None,
    flash_attention: llama_cpp.Flash = None,
    cache_type: llama_cpp.Cache = None,
    mmap: llama_cpp.Mmap = None,
    check_memory: llama_cpp.CheckMemory = None,
) -> None:
    """Answer a question with a pair: a configured one, the bundled one, or --srm and --lrm.

    Without a flag, a setting is the pair's, or else the paper's.
    """
    if trace:
        check_writable(trace)
    with as_wrong_use():
        text = _question(question, context.args, file)
    run = RunSoFar()
    is_silent = as_json or quiet
    with _failing_as_json(run) if as_json else nullcontext():
        configuration = read_configuration(config, os.environ)
        chosen = chosen_pair(configuration, pair, {Author.SRM: srm, Author.LRM: lrm}, os.environ)
        chosen = with_scorer(chosen, scorer, os.environ)
        with as_wrong_use():
            plan = _with_flags(chosen, context)
            task = Assignment(question=text, method=method, pair=plan)
            needed = task.authors
        check_models(plan, needed, method)
        check_scorer(plan, method, plan.settings.thresholds)
        if plan.is_bundled and not can_solve(text):
            print(f"trigreason: {NO_PUZZLE}", file=sys.stderr)
        if is_silent and not (pair or srm or lrm or plan.is_bundled):
            place = configuration.place(("default_pair",))
            print(f"trigreason: using pair {plan.name}, as {place} says", file=sys.stderr)
        fetch_models(plan, needed, quiet=is_silent)
        _let_run(task, run, None if is_silent else screen(), trace)
    assert run.trace is not None, "a run that ends has a trace"
    if as_json:
        print_json(_as_json(run.trace))
    elif quiet:
        _print_answer(run.trace)
    if not run.trace.stop or not run.trace.stop.has_answer:
        raise typer.Exit(1)


def _with_flags(pair: PlannedPair, context: typer.Context) -> PlannedPair:
    """The pair changed by the flags. Raises ValueError for a value out of range."""
    flags = context.params
    own = (as_in_the_paper(pair) if flags["paper"] else pair).settings
    changes = {
        "thresholds": options.flagged(own.thresholds, context),
        "sampling": options.flagged(own.sampling, context),
        "budget": options.flagged(own.budget, context),
        "step_break": flags["step_break"] or own.step_break,
        "failure": options.flagged(own.failure, context),
        "hiding": options.flagged(own.hiding, context),
    }
    pair = replace(pair, settings=own.model_copy(update=changes))
    loading = options.given(LlamaCppOptions, context)
    return llama_cpp.with_llama_cpp(pair, flags["context_tokens"], **loading)


@contextmanager
def _failing_as_json(run: RunSoFar) -> Iterator[None]:
    """Print a failure as one JSON object, with the trace so far, and raise it again."""
    try:
        yield
    except BrokenPipeError:
        raise
    except FAILURES as error:
        print_json(failure_to_json(error, run.trace))
        raise


def _let_run(task: Assignment, run: RunSoFar, console: Console | None, file: Path | None) -> None:
    """Carry out the task, shown on ``console``; its trace goes to ``file`` however it ends."""
    try:
        asyncio.run(carry_out(task, run, console))
    except KeyboardInterrupt as interruption:
        kept = [f"what was written until then is in {file}"] if file and run.trace else []
        raise KeyboardInterrupt(*kept) from interruption
    finally:
        if file and run.trace:
            write_trace(file, run.trace)
    if console and run.trace:
        console.print()
        console.print(summary({task.method: add_up([run.trace])}))


def _question(given: str | None, rest: Sequence[str], file: Path | None) -> str:
    """The question, from the argument, standard input or a file.

    Raises ValueError without one, and where ``rest`` has words that no quotes held together.
    """
    if rest:
        words = " ".join(filter(None, (given, *rest)))
        raise ValueError(f"put the question in quotes: trigreason solve {shlex.quote(words)}")
    if (given is None) is (file is None):
        raise ValueError(
            'give one question: trigreason solve "...", - for standard input, or --file FILE'
        )
    text = read_text(str(file)) if file else read_text("-") if given == "-" else given or ""
    question = text.rstrip("\r\n") if file or given == "-" else text
    if not question.strip():
        raise ValueError("the question is empty; write what is to be answered")
    try:
        question.encode()
    except UnicodeEncodeError as error:
        raise ValueError("the question is no UTF-8 text; check the terminal's encoding") from error
    return question


def _as_json(trace: Trace) -> dict[str, Any]:
    return {
        "answer": trace.answer,
        "boxed": boxed(trace.answer),
        "stop": trace.stop,
        "limit": trace.limit,
        "fingerprint": trace.fingerprint(),
        "trace": trace_to_json(trace),
    }


def _print_answer(trace: Trace) -> None:
    print(trace.answer)
    if note := how_it_ended(trace.stop, trace.limit):
        print(f"trigreason: {note}", file=sys.stderr)

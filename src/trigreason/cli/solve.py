"""``trigreason solve``: one question, one answer."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from trigreason import bundled
from trigreason.answers import boxed
from trigreason.budget import Budget
from trigreason.cli import options
from trigreason.cli.console import print_json, screen
from trigreason.cli.files import check_writable, read_text, write_trace
from trigreason.cli.options import BUDGET, SAMPLING, as_wrong_use
from trigreason.cli.running import Run, Task, carry_out
from trigreason.cli.tables import add_up, summary
from trigreason.cli.words import how_it_ended
from trigreason.engines.base import Sampling
from trigreason.reasoning import Author, StopReason, Thresholds, Trace, trace_to_json

MODEL = "GGUF file, URL, or MODEL@URL"


def solve(
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
    method: options.Method = "trigreason",
    as_json: options.Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the answer and no more.")] = False,
    trace: options.TraceOut = None,
    seed: options.Seed = SAMPLING.seed,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="Start from the paper's thresholds, not from those that fit the bundled pair.",
            rich_help_panel=options.TRIGGERS,
        ),
    ] = False,
    n: options.Priming = None,
    tau: options.Tau = None,
    rho: options.Rho = None,
    direction: options.Side = None,
    k: options.Streak = None,
    m: options.Rectification = None,
    hesitation: options.Hesitation = None,
    accept: options.Accept = None,
    judge_first: options.JudgeFirst = None,
    temperature: options.Temperature = SAMPLING.temperature,
    top_p: options.TopP = SAMPLING.top_p,
    thinking_tokens: options.ThinkingTokens = BUDGET.thinking_tokens,
    answer_tokens: options.AnswerTokens = BUDGET.answer_tokens,
    step_tokens: options.StepTokens = BUDGET.step_tokens,
    steps: options.Steps = BUDGET.steps,
    seconds: options.Seconds = BUDGET.seconds,
) -> None:
    """Answer a question with a pair: the bundled one, or --srm and --lrm.

    Thresholds that are not given are those that fit the bundled pair, or else the paper's.
    """
    if trace:
        check_writable(trace)
    is_bundled = not (srm or lrm)
    with as_wrong_use():
        task = Task(
            question=_question(question, file),
            method=method,
            thresholds=options.changed(
                bundled.profile() if is_bundled and not paper else Thresholds(),
                n=n,
                tau=tau,
                rho=rho,
                direction=direction,
                k=k,
                m=m,
                expressions=hesitation,
                accept=accept,
                judge_first=judge_first,
            ),
            sampling=Sampling(temperature=temperature, top_p=top_p, seed=seed),
            budget=Budget(
                thinking_tokens=thinking_tokens,
                answer_tokens=answer_tokens,
                step_tokens=step_tokens,
                steps=steps,
                seconds=seconds,
            ),
            places={Author.SRM: srm, Author.LRM: lrm},
        )
    run = Run()
    out = screen()
    try:
        asyncio.run(carry_out(task, run, None if as_json or quiet else out))
    except KeyboardInterrupt as interruption:
        kept = [f"what was written until then is in {trace}"] if trace and run.trace else []
        raise KeyboardInterrupt(*kept) from interruption
    finally:
        if trace and run.trace:
            write_trace(trace, run.trace)
    assert run.trace is not None, "a run that ends has a trace"
    if as_json:
        print_json(_as_json(run.trace))
    elif quiet:
        _print_answer(run.trace)
    else:
        out.print()
        out.print(summary({task.method: add_up([run.trace])}))
    if run.trace.stop is StopReason.TRUNCATED:
        raise typer.Exit(1)


def _question(given: str | None, file: Path | None) -> str:
    """The question, from wherever it is to come. Raises ValueError where there is none."""
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

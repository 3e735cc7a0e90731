"""``trigreason eval``: methods compared on a task."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from trigreason.budget import Budget
from trigreason.cli import options
from trigreason.cli.chosen_pair import check_models, check_scorer
from trigreason.cli.console import print_json, screen
from trigreason.cli.extra import needs
from trigreason.cli.fetching import fetch_models
from trigreason.cli.model_loading import loaded_files
from trigreason.cli.options import WrongUse, as_wrong_use
from trigreason.cli.words import counted
from trigreason.configuration import (
    PlannedPair,
    as_in_the_paper,
    nearest,
    planned_pair,
    read_configuration,
)
from trigreason.reasoning import Author, make_method
from trigreason.reasoning.methods import method_title, methods
from trigreason.reasoning.methods.registry import PAPERS_METHODS

if TYPE_CHECKING:
    from trigreason.evaluation.arms import Arm
    from trigreason.evaluation.comparison import ArmOutcome, Plan
    from trigreason.evaluation.progress import ComparisonProgress

OWN_METHODS = ",".join(PAPERS_METHODS)
_questions = partial(typer.Option, rich_help_panel="Questions")


def evaluate(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="aime24, aime25, gsm8k, math500, gpqa_diamond, bbh, arc_challenge or bundled.",
        ),
    ],
    *,
    pair: options.PairName = None,
    config: options.Config = None,
    method: Annotated[
        str,
        typer.Option(metavar="NAMES", help="The methods to compare, with commas between them."),
    ] = OWN_METHODS,
    logs: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Inspect's logs; what is finished in there is not run again. "
            "Default: logs/TASK/PAIR.",
        ),
    ] = None,
    connections: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="RUNS",
            help="Runs at once, over all methods. Default: 16 on servers, and as many as there "
            "are cores for the bundled pair.",
        ),
    ] = None,
    per_step: Annotated[
        bool,
        typer.Option("--per-step", help="One request per step, as SpecReason's script does."),
    ] = False,
    as_json: options.Json = False,
    data: Annotated[
        str | None,
        _questions(
            metavar="PATH",
            help="A file or folder with the task's published questions; hub fetches them. "
            "Default: the hub, and for bundled the problems that come along.",
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        _questions(
            metavar="NAME",
            help="Only questions of this group, such as a task of BBH; may be given several times.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        _questions(
            min=1,
            metavar="QUESTIONS",
            help="At most so many questions, as many of each group. Default: all.",
        ),
    ] = None,
    as_published: Annotated[
        bool,
        _questions(
            "--as-published",
            help="gpqa_diamond: leave every right answer at (A), as SpecReason's public script "
            "does. Default: options shuffled by the seed.",
        ),
    ] = False,
    epochs: Annotated[
        int,
        _questions(
            min=1,
            metavar="ANSWERS",
            help="Answers to each question, each with a seed of its own. Paper: 16.",
        ),
    ] = 1,
    seed: options.Seed = 0,
    thinking_tokens: Annotated[
        int | None,
        options.flag(
            Budget,
            "thinking_tokens",
            "--budget",
            origin="Paper: 8192. Default: as the pair has it.",
        ),
    ] = None,
    answer_tokens: options.AnswerTokens = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = None,
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
) -> None:
    """Compare methods on a task: accuracy, who wrote what, and cost, with intervals.

    If it is interrupted or killed, the same command goes on where it stopped.

    Without a flag, a setting is the pair's.
    """
    with needs("evaluation"):
        from trigreason.cli.comparison_table import shown
        from trigreason.evaluation.comparison import Plan
        from trigreason.evaluation.questions import TASKS, is_from_hub
        from trigreason.evaluation.report.collect import gathered
        from trigreason.evaluation.report.numbers import comparison_to_json

    if task not in TASKS:
        raise WrongUse(f"no task is called {task!r}; {nearest(task, TASKS)}")
    methods = _methods(method)
    with as_wrong_use():
        configuration = read_configuration(config, os.environ)
        planned = planned_pair(configuration, pair or configuration.settings.default_pair)
        settled = as_in_the_paper(planned, task) if paper else planned
        plan = Plan(
            task=task,
            pair=planned,
            arms=tuple(_arms(settled, methods, context)),
            logs=logs or Path("logs") / task / planned.name,
            data=data,
            groups=tuple(group) if group else None,
            limit=limit,
            epochs=epochs,
            seed=seed,
            connections=connections,
            config=configuration.file,
            as_published=as_published,
        )
    fetch_models(planned, quiet=as_json)
    if is_from_hub(task, data):
        print(
            f"trigreason: reading {TASKS[task].hub} from the Hugging Face hub or its cache; "
            "--data FILE or FOLDER does without",
            file=sys.stderr,
        )
    outcomes = _outcomes(plan)
    comparison = gathered(plan, outcomes)
    if as_json:
        print_json(comparison_to_json(comparison))
    else:
        console = screen()
        console.print(*shown(comparison), sep="\n")
        console.print(Text(f"\n{_next_steps(plan.logs)}", "dim"), soft_wrap=True)
    if complaint := _complaint(outcomes):
        print(f"trigreason: {complaint}", file=sys.stderr)
        raise typer.Exit(1)


def _methods(given: str) -> list[str]:
    """The names of the methods. Raises WrongUse for an unknown one."""
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise WrongUse(f"--method names no method; there are {', '.join(methods())}")
    return [options.known_method(name) for name in names]


def _arms(pair: PlannedPair, methods: Sequence[str], context: typer.Context) -> list[Arm]:
    """The methods under the pair's settings, changed by the flags that were given.

    Raises:
        WrongUse: a method needs a model that the pair lacks.
        ValueError: a value is out of range.
    """
    from trigreason.evaluation.answering import own_arm
    from trigreason.evaluation.arms import of_methods

    own, flags = own_arm(pair), context.params
    base = replace(
        own,
        request_per_step=flags["per_step"],
        sampling=options.changed(
            own.sampling, temperature=flags["temperature"], top_p=flags["top_p"]
        ),
        budget=options.flagged(own.budget, context),
    )
    thresholds = options.flagged(own.thresholds, context)
    arms = of_methods(base, methods, thresholds)
    for arm in arms:
        needed = make_method(arm.method, arm.thresholds).authors
        check_models(pair, needed, arm.method)
        check_scorer(pair, arm.method, arm.thresholds)
    return arms


def _next_steps(logs: Path) -> str:
    """Where the runs are, and what else can be done with them."""
    folder = shlex.quote(str(logs))
    return (
        f"The runs are in {logs}. trigreason report {folder} makes a page of them, "
        f"trigreason study signals {folder} says which signals mark errors, and "
        f"inspect view --log-dir {folder} shows every run."
    )


def _outcomes(plan: Plan) -> list[ArmOutcome]:
    """Carry out the comparison, showing its progress."""
    from trigreason.cli.comparison_progress import Watching
    from trigreason.evaluation.comparison import compare

    names = {arm: method_title(arm.method) for arm in plan.arms}
    files = loaded_files(plan.pair, frozenset(Author))
    with Watching(f"{plan.task}, pair {plan.pair.name}", names, files=files) as watching:
        try:
            return compare(plan, watching)
        except KeyboardInterrupt as interruption:
            raise KeyboardInterrupt(_kept(watching.progress, plan.logs)) from interruption


def _kept(progress: ComparisonProgress | None, logs: Path) -> str:
    """What an interrupted comparison has kept, and how to go on."""
    if progress is None:
        return "nothing was run"
    kept = f"{progress.done:,} of {counted(progress.planned, 'run')} are in {logs}"
    return f"{kept}; the same command goes on from there"


def _complaint(outcomes: Sequence[ArmOutcome]) -> str | None:
    """How many runs failed, why, and what to do about it; None if none failed."""
    missing = sum(outcome.planned - len(outcome.runs) for outcome in outcomes)
    if not missing:
        return None
    reasons = Counter(error.reason for outcome in outcomes for error in outcome.errors)
    because = [f"{reason} ({count:,} times)" for reason, count in reasons.most_common(1)]
    failures = ", mostly: ".join([f"{counted(missing, 'run')} failed", *because])
    return f"{failures}. The same command tries them again."

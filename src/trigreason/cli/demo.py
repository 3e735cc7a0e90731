"""``trigreason demo``: the bundled pair at work on a few problems, beside each model alone."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from trigreason import bundled
from trigreason.answers import is_right
from trigreason.bundled import Problem
from trigreason.cli import options
from trigreason.cli.console import print_json, redraws, screen
from trigreason.cli.fetching import fetch_models
from trigreason.cli.live import Transcript, preface, question_block
from trigreason.cli.options import WrongUse, as_wrong_use
from trigreason.cli.tables import add_up, summary
from trigreason.cli.words import counted
from trigreason.configuration import (
    PlannedPair,
    bundled_pair,
    opened_pair,
    planned_pair,
    read_configuration,
)
from trigreason.engines.base import Sampling
from trigreason.events import Done, RunBegun
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Trace, trace_to_json
from trigreason.reasoning.methods import method_title

BASELINES = ("lrm", "srm")
BOX = (
    "Reason step by step. Put the final answer within \\boxed{} and nothing else: the label of the "
    "right option, the word, or the number."
)
"""Instructions for other models; the bundled ones understand only the question."""


@dataclass(slots=True)
class Demo:
    """The problems of a demo, the pair that solves them, and the trace of each by each method."""

    pair: PlannedPair
    problems: Sequence[Problem]
    method: str
    sampling: Sampling
    traces: dict[str, list[Trace]] = field(default_factory=dict)

    def asked(self, problem: Problem) -> str:
        """The question that the pair gets for a problem."""
        return problem.question if self.pair.is_bundled else f"{problem.question}\n\n{BOX}"

    def right(self, method: str) -> int:
        pairs = zip(self.traces[method], self.problems, strict=True)
        return sum(is_right(trace.answer, problem.target) for trace, problem in pairs)


def demo(
    *,
    count: Annotated[int, typer.Option(min=1, help="How many problems.")] = 3,
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take them all from this family.")
    ] = None,
    seed: options.Seed = 0,
    method: options.Method = "trigreason",
    pair: options.PairName = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Watch the bundled pair solve problems: no key, no download, no GPU. Or --pair NAME."""
    picked = pick(bundled.problems(), count, family, seed)
    if pair is None:
        plan, sampling = bundled_pair(), Sampling(seed=seed)
    else:
        configuration = read_configuration(config, os.environ)
        with as_wrong_use():
            plan = planned_pair(configuration, pair)
        sampling = replace(plan.settings.sampling, seed=seed)
        fetch_models(plan, quiet=as_json)
    task = Demo(plan, picked, method, sampling)
    asyncio.run(perform(task, None if as_json else screen()))
    if as_json:
        print_json(_as_json(task))


def pick(problems: Sequence[Problem], count: int, family: str | None, seed: int) -> list[Problem]:
    """``count`` problems drawn by the seed alone, from as many families as there are.

    Raises:
        WrongUse: there is no such family, or there are too few problems.
    """
    families: dict[str, list[Problem]] = {}
    for problem in problems:
        families.setdefault(problem.family, []).append(problem)
    if family is not None and family not in families:
        raise WrongUse(f"no family is called {family!r}; there are {', '.join(families)}")
    names = [family] if family else list(families)
    available = sum(len(families[name]) for name in names)
    if count > available:
        raise WrongUse(f"--count {count} is too many; there are {available} problems")
    draw = random.Random(seed)
    draw.shuffle(names)
    for name in names:
        draw.shuffle(families[name])
    picked: list[Problem] = []
    while len(picked) < count:
        picked += [families[name].pop() for name in names if families[name]]
    return picked[:count]


async def perform(task: Demo, console: Console | None) -> None:
    """Solve the problems with the pair, shown on ``console``, and with each model alone."""
    budget = task.pair.settings.budget
    async with opened_pair(task.pair, os.environ) as pair:
        await _solve_all(task, pair, console)
        for method in BASELINES:
            if method not in task.traces:
                with _progress(console, method, len(task.problems)):
                    task.traces[method] = [
                        await completed(
                            reason(
                                pair,
                                task.asked(problem),
                                method,
                                sampling=task.sampling,
                                budget=budget,
                            )
                        )
                        for problem in task.problems
                    ]
    if console:
        problems = counted(len(task.problems), "problem", first=True)
        console.print()
        console.rule(Text(f"The same {problems}, three ways", "bold"), align="left", style="dim")
        columns = {
            method: add_up(traces, task.right(method)) for method, traces in task.traces.items()
        }
        console.print(summary(columns))


async def _solve_all(task: Demo, pair: Pair, console: Console | None) -> None:
    """Solve the problems one by one with the task's method, shown on ``console``."""
    traces = task.traces[task.method] = []
    for number, problem in enumerate(task.problems, start=1):
        run = reason(
            pair,
            task.asked(problem),
            task.method,
            sampling=task.sampling,
            budget=task.pair.settings.budget,
        )
        if console is None:
            traces.append(await completed(run))
            continue
        if number > 1:
            console.print()
        name = problem.family.replace("_", " ")
        title = f"{number} of {len(task.problems)} · {name}"
        with Transcript(console) as transcript:
            async with aclosing(run) as events:
                async for event in events:
                    if isinstance(event, RunBegun):
                        if number == 1:
                            console.print(preface(event.trace))
                        console.print(question_block(problem.question, title))
                    transcript.show(event)
                    if isinstance(event, Done):
                        traces.append(event.trace)
        console.print(_verdict(traces[-1], problem))


def _verdict(trace: Trace, problem: Problem) -> Text:
    if is_right(trace.answer, problem.target):
        return Text("    ✓ right", "right")
    return Text(f"    ✗ wrong, it is {problem.target}", "wrong")


@contextmanager
def _progress(console: Console | None, method: str, count: int) -> Iterator[None]:
    """Shows what is being waited for, if the console can take the line back."""
    if console is None or not redraws(console):
        yield
        return
    problems = counted(count, "problem", first=True)
    with console.status(Text(f"The same {problems}, {method_title(method)} …", "dim")):
        yield


def _as_json(task: Demo) -> dict[str, Any]:
    return {
        "method": task.method,
        "seed": task.sampling.seed,
        "problems": [
            {
                **problem._asdict(),
                "right": {
                    method: is_right(traces[index].answer, problem.target)
                    for method, traces in task.traces.items()
                },
                "traces": {
                    method: trace_to_json(traces[index]) for method, traces in task.traces.items()
                },
            }
            for index, problem in enumerate(task.problems)
        ],
    }

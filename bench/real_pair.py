"""All methods on a pair of real language models: accuracy, who wrote what, and seconds.

    python -m bench.real_pair run       ask what is not there yet; stop and start it at any time
    python -m bench.real_pair table     what there is, as a table
    python -m bench.real_pair traces F  the same as lines of traces, for trigreason study and replay

The pair is Qwen2.5-Coder-Instruct, 0.5 B and 1.5 B, greedy, loaded from --models. The questions are
GSM8K, ARC-Challenge and two families of BIG-Bench Hard, from --data. Runs are kept in
bench/results/real_pair, and none is asked twice.
"""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.common import DATA_VARIABLE
from bench.real_pair_runs import (
    ALONE,
    CALIBRATED,
    DATA_SETS,
    LARGE,
    SMALL,
    Results,
    Row,
    ask,
    fixed_rows,
    in_turns,
    questions_of,
)
from trigreason.engines.embedded import available_cores, load
from trigreason.evaluation.questions import Question
from trigreason.pairs import Pair
from trigreason.reasoning import Direction, Thresholds
from trigreason.studies.calibration.direction import evidence, supported
from trigreason.studies.calibration.label_free import fit_share

FOLDER = Path(__file__).parent / "results" / "real_pair"
MODELS_VARIABLE, MODELS = "TRIGREASON_MODELS", "~/.cache/trigreason-models"
CONTEXT_TOKENS = 4096
LRM_SHARE = 0.4
"""The share of the thinking that the calibrated row leaves to the LRM: the aim is at most 60 % of
its tokens, and a rewritten step costs the LRM's reading besides."""


class Bench:
    """The data sets, their questions, and what there is of each."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.data_sets = DATA_SETS
        drawn = [questions_of(each, data) for each in DATA_SETS]
        self.questions = [evaluated for evaluated, _ in drawn]
        self.others = [others for _, others in drawn]
        self.results = [Results(folder / f"{each.name}.jsonl") for each in DATA_SETS]

    def rows(self, index: int) -> list[Row]:
        """The rows of a data set; the calibrated one only once its calibration is there."""
        calibrated = self.calibrated(index)
        return [*fixed_rows(), *([calibrated] if calibrated else [])]

    def calibrated(self, index: int) -> Row | None:
        """TrigReason as ``trigreason calibrate LOGS --lrm-share`` finds it on other questions.

        The direction is the one that marks the SRM's errors there, the paper's where it cannot be
        told. One step is primed, as in the paper's row.
        """
        data, others = self.data_sets[index], self.others[index]
        runs = self.results[index].runs(ALONE, others, data)
        if len(runs) < len(others):
            return None
        base = Thresholds(n=1)
        found = evidence(runs, base.tau, seed=0)
        direction = (found and supported(found)) or Direction.OVER
        fitted = fit_share(runs, LRM_SHARE, replace(base, direction=direction))
        return Row(CALIBRATED, "trigreason", fitted.thresholds)


async def run(bench: Bench, models: Path, only: str | None, console: Console) -> None:
    """Ask everything that is not there, on as many pairs at once as there are cores.

    A pair with a core of its own loses nothing to the waiting of threads for each other.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    chosen = [index for index, each in enumerate(bench.data_sets) if only in (None, each.name)]
    async with AsyncExitStack() as stack:
        pairs = [
            await stack.enter_async_context(_opened(models, 1)) for _ in range(available_cores())
        ]
        stack.enter_context(bar)
        calibrating = [
            Job(bench.results[index], ALONE, question)
            for index, question in in_turns({each: bench.others[each] for each in chosen})
        ]
        await _work(calibrating, pairs, bar, "calibration")
        rows = {each: bench.rows(each) for each in chosen}
        evaluating = [
            Job(bench.results[index], row, question)
            for index, question in in_turns({each: bench.questions[each] for each in chosen})
            for row in rows[index]
        ]
        await _work(evaluating, pairs, bar, "evaluation")


class Job(NamedTuple):
    """A run that there is to be."""

    results: Results
    row: Row
    question: Question


@asynccontextmanager
async def _opened(models: Path, threads: int) -> AsyncIterator[Pair]:
    srm = await load(models / SMALL, threads=threads, context_tokens=CONTEXT_TOKENS)
    lrm = await load(models / LARGE, threads=threads, context_tokens=CONTEXT_TOKENS)
    pair = Pair(srm, lrm, "qwen2.5-coder")
    try:
        yield pair
    finally:
        await pair.close()


async def _work(jobs: Sequence[Job], pairs: Sequence[Pair], bar: Progress, name: str) -> None:
    task = bar.add_task(name, total=len(jobs))
    waiting = iter(jobs)

    async def work(pair: Pair) -> None:
        for results, row, question in waiting:
            if not results.has(row, question):
                results.add(row, question, await ask(pair, row, question))
            bar.advance(task)

    async with asyncio.TaskGroup() as group:
        for pair in pairs:
            group.create_task(work(pair))


def main() -> None:
    chosen = _parsed()
    bench = Bench(FOLDER, chosen.data)
    asyncio.run(run(bench, chosen.models, chosen.only, Console(stderr=True)))


def _parsed() -> Namespace:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("what", choices=["run"])
    arguments.add_argument("--data", type=Path, default=os.environ.get(DATA_VARIABLE))
    models = os.environ.get(MODELS_VARIABLE, MODELS)
    arguments.add_argument("--models", type=Path, default=models)
    names = [each.name for each in DATA_SETS]
    arguments.add_argument("--only", choices=names, help="one data set alone")
    chosen = arguments.parse_args()
    chosen.models = Path(chosen.models).expanduser()
    if chosen.data is None:
        arguments.error(f"name the folder of data: --data, or {DATA_VARIABLE}")
    return chosen


if __name__ == "__main__":
    main()

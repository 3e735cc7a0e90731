"""Runs written by hand, and logs in Inspect's format that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalSample,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.scorer import Score

from trigreason.evaluation.arms import Arm
from trigreason.evaluation.outputs import TRACE, output_of
from trigreason.evaluation.runs import Run
from trigreason.reasoning import (
    Author,
    Message,
    Prices,
    Purpose,
    StepEnd,
    StepRecord,
    StopReason,
    Stretch,
    Trace,
    Trigger,
)

SRM, LRM = Author.SRM, Author.LRM
PRICES = {SRM: Prices(1.0, 2.0), LRM: Prices(10.0, 20.0)}


def step(
    author: Author = SRM,
    tokens: int = 10,
    text: str = "So it is 4.\n\n",
    trigger: Trigger | None = None,
    *,
    standing: bool = True,
    ratio: float | None = None,
    hesitations: tuple[str, ...] = (),
) -> StepRecord:
    return StepRecord(
        author,
        text,
        tokens,
        StepEnd.BLANK_LINE,
        stretch=0,
        trigger=trigger,
        ratio=ratio,
        hesitations=hesitations,
        standing=standing,
    )


def stretch(author: Author, tokens: int, purpose: Purpose = Purpose.WRITE) -> Stretch:
    return Stretch(author, purpose, prompt_tokens=100, completion_tokens=tokens, seconds=0.1)


def run(
    sample: str = "q1",
    epoch: int = 1,
    *,
    right: bool | None = True,
    steps: Sequence[StepRecord] = (step(), step(LRM, 30, "Then 5.\n\n", Trigger.COGNITIVE_OFFLOAD)),
    stretches: Sequence[Stretch] = (stretch(SRM, 12), stretch(LRM, 30)),
    seconds: float = 2.0,
    question: str = "How many?",
    answer: str = "4",
    method: str = "trigreason",
    group: str = "",
    target: str | None = "4",
    stop: StopReason = StopReason.COMPLETE,
    prices: dict[Author, Prices] | None = None,
) -> Run:
    trace = Trace(
        method=method,
        thresholds=Arm().thresholds,
        messages=(Message("user", question),),
        models={SRM: "small", LRM: "large"},
        prices=prices or {},
        steps=list(steps),
        stretches=list(stretches),
        answer=answer,
        answer_by={LRM: 3},
        stop=stop,
        seconds=seconds,
    )
    return Run(
        trace=trace,
        task="quiz",
        group=group,
        sample=sample,
        epoch=epoch,
        target=target,
        right=right,
    )


def write_log(
    file: Path,
    arm: Arm,
    runs: Sequence[Run],
    *,
    task: str = "quiz",
    pair: str = "mine",
    settings: dict[str, object] | None = None,
) -> Path:
    """A log of these runs, as Inspect writes one, and with the kind of name that it looks for."""
    file = file.with_name(f"2026-01-02T03-04-05-00-00_{task}_{file.name}")
    samples = []
    for each in runs:
        trace = replace(each.trace, method=arm.method)
        output = output_of(trace, f"trigreason/{pair}", arm)
        metadata = {"group": each.group, TRACE: (output.metadata or {}).pop(TRACE)}
        scores = {} if each.right is None else {"right": Score(value="C" if each.right else "I")}
        samples.append(
            EvalSample(
                id=each.sample,
                epoch=each.epoch,
                input=each.question,
                target=each.target or "",
                metadata=metadata,
                output=output,
                scores=scores,
            )
        )
    spec = EvalSpec(
        created="2026-01-02T03:04:05+00:00",
        task=f"trigreason/{task}",
        dataset=EvalDataset(samples=len({each.sample for each in runs})),
        model=f"trigreason/{pair}",
        model_args=arm.to_args(),
        task_args=settings or {},
        config=EvalConfig(epochs=max((each.epoch for each in runs), default=1)),
    )
    write_eval_log(EvalLog(eval=spec, samples=samples, status="success"), str(file))
    return file

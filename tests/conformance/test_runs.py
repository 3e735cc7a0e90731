"""Whole runs over real servers: apart, 32 at once, and the same on both servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import zip_longest

from tests.conformance.figures import Figures
from tests.conformance.runs_alone import RunsAlone, solved, some_problems
from tests.conformance.served import RealServer, said
from trigreason.engines.base import Prefix
from trigreason.reasoning import Author, StepRecord, StopReason, Token, Trace

AT_ONCE = 32
AGREEMENT = 0.95


async def test_default_budgets_fit_a_small_context(
    server: RealServer, runs_alone: RunsAlone
) -> None:
    """8192 tokens of thinking and 2048 of answer may be asked of models that take 1024."""
    traces = await runs_alone.on(server)
    complete = [trace for trace in traces if trace.stop is StopReason.COMPLETE]
    assert len(complete) >= len(traces) * 0.9
    assert all(trace.answer for trace in complete)


async def test_32_runs_at_once(server: RealServer, runs_alone: RunsAlone, figures: Figures) -> None:
    """Each says what it says alone."""
    alone = (await runs_alone.on(server))[:AT_ONCE]
    async with server.pair() as pair:
        together = await asyncio.gather(
            *(solved(pair, problem) for problem in some_problems()[:AT_ONCE])
        )
    for served in (server.srm, server.lrm):
        await served.seconds_until(0)
    same = [
        one.fingerprint() == other.fingerprint() for one, other in zip(alone, together, strict=True)
    ]
    figures.add("runs at once that are as they are alone", server.name, f"{sum(same)} of {AT_ONCE}")
    assert all(same)


async def test_the_same_decisions_on_both(
    on_llama_cpp: RealServer, on_vllm: RealServer, runs_alone: RunsAlone, figures: Figures
) -> None:
    """Step by step until the first that differs in who wrote it, why, what, or what became of it.

    What follows is another run. The weights are the same numbers; llama.cpp rounds activations
    and its cache to half precision, vLLM computes in single precision. So they may part, and do
    where two tokens are as good as equally likely.
    """
    agreed = parted = 0
    on_both = zip(await runs_alone.on(on_llama_cpp), await runs_alone.on(on_vllm), strict=True)
    for problem, (ours, theirs) in zip(some_problems(), on_both, strict=True):
        same = steps_in_common(ours, theirs)
        agreed += same
        if same < max(len(ours.steps), len(theirs.steps)):
            parted += 1
            what = f"parted in step {same} of {problem.family}"
            tokens = [await step_anew(on, ours, same) for on in (on_llama_cpp, on_vllm)]
            for on, call in zip((on_llama_cpp, on_vllm), closest_call(*tokens), strict=True):
                figures.add(what, on.name, call)
    share = agreed / (agreed + parted)
    where = f"{on_llama_cpp.name}, {on_vllm.name}"
    figures.add("the same decisions", where, f"{share:.1%} of {agreed + parted} steps")
    assert agreed > 200
    assert share >= AGREEMENT


def steps_in_common(one: Trace, other: Trace) -> int:
    """How many steps two runs share before the first that differs."""
    pairs = zip_longest(map(decided, one.steps), map(decided, other.steps))
    for index, (first, second) in enumerate(pairs):
        if first != second:
            return index
    return len(one.steps)


def decided(step: StepRecord) -> tuple[object, ...]:
    return step.author, step.trigger, step.text, step.standing


async def step_anew(server: RealServer, trace: Trace, index: int) -> list[Token]:
    """The tokens that a server writes for a step, each with the two likeliest."""
    step = trace.steps[min(index, len(trace.steps) - 1)]
    before = "".join(each.text for each in trace.steps[:index] if each.standing)
    served = server.srm if step.author is Author.SRM else server.lrm
    async with served.engine() as engine:
        prefix = Prefix(trace.messages, before)
        return (await said(engine, prefix, step.tokens, alternatives=2)).tokens


def closest_call(*told: Sequence[Token]) -> list[str]:
    """What each server made of the first token that they write differently."""
    apart = [at for at in zip(*told, strict=False) if len({token.text for token in at}) > 1]
    if not apart:
        return ["the same tokens when asked anew"] * len(told)
    return [
        ", ".join(f"{other.text!r} {other.logprob:.3f}" for other in token.top)
        for token in apart[0]
    ]

"""A question goes in, events come out: the library's front door.

pair = await load_pair()
async with aclosing(reason(pair, "...")) as events:
    async for event in events:
        ...
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict

from trigreason.budget import Budget
from trigreason.engines.base import NoLogprobs, Sampling
from trigreason.engines.guides import Guide
from trigreason.engines.refusals import no_alternatives, no_scorer
from trigreason.events import Done, Event
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Message, ScorerLog, Thresholds, Tool, Trace, TrigReason
from trigreason.reasoning.methods import method_title, used_thresholds
from trigreason.running.loop import Loop
from trigreason.running.state import RunState


async def reason(
    pair: Pair,
    question: str | Sequence[Message],
    method: str = "trigreason",
    *,
    thresholds: Thresholds | None = None,
    sampling: Sampling | None = None,
    budget: Budget | None = None,
    guide: Guide | None = None,
    request_per_step: bool = False,
    conversation: str | None = None,
    tools: Sequence[Tool] = (),
) -> AsyncGenerator[Event, None]:
    """Answer a question or conversation with a pair; the last event is ``Done`` with the trace.

    ``guide`` binds the answer, not the thinking: it is a request of its own, held back until it is
    valid. All text of models that think in the open is then thinking.
    Closing the iterator closes every request upstream (use ``contextlib.aclosing``).
    ``request_per_step`` sends one request per step instead of one per stretch, which is how
    SpecReason's script works and what stretches are measured against. Runs with the same
    ``conversation``, any id, share the session headers of their requests; without it a run has
    random ones. ``tools`` are offered to the
    models; their calls are part of the answer's text, in the form of each model's template.

    Raises:
        EngineError: a model failed and the other one cannot go on (see the pair's ``failure``), or
            the question alone exceeds the context; ``error.details["trace"]`` has the trace so far.
        AnswerUnfit: two answers in a row do not fit the guide.
        NoLogprobs: the method needs probabilities, and the SRM's engine gives none.
        NoReward: the method needs a scorer, and the pair has none, or one that gives no rewards.
        ValueError: there is no such method, or no question.
    """
    messages = (Message("user", question),) if isinstance(question, str) else tuple(question)
    if not any(message.content.strip() for message in messages):
        raise ValueError("the question is empty")
    trace = Trace(
        method=method,
        thresholds=used_thresholds(method, thresholds or pair.thresholds),
        messages=messages,
        models={},
        sampling=asdict(sampling or Sampling()),
        logprob_scale=pair.logprob_scale,
        step_break=pair.step_break,
        prices=dict(pair.prices),
        tools=tuple(tools),
    )
    tags = {each: pair.engine(each).tags for each in Author}
    state = RunState(trace, budget or Budget(), tags, guide=guide)
    authors = sorted(state.method.authors)
    trace.models = {author: pair.engine(author).model for author in authors}
    trace.in_the_open = guide is None and all(
        pair.engine(author).tags is None for author in authors
    )
    _check_probabilities(pair, state)
    if state.method.needs_scorer:
        if pair.scorer is None:
            raise no_scorer(pair.name, method_title(method))
        trace.scorer = ScorerLog(pair.scorer.model or None, pair.scorer.price)
    loop = Loop(pair, state, sampling or Sampling(), request_per_step, conversation)
    async with aclosing(loop.events()) as events:
        async for event in events:
            yield event


def _check_probabilities(pair: Pair, state: RunState) -> None:
    """Raises NoLogprobs if the method needs probabilities that the pair does not give."""
    method, able = state.method, pair.srm.capabilities
    title = method_title(state.trace.method)
    if method.needs_logprobs and not able.logprobs:
        off = ", or switch the offload off (--rho 1)" if isinstance(method, TrigReason) else ""
        raise NoLogprobs(
            f"the SRM returns no token probabilities, and {title} needs them",
            pair.srm.model,
            "See what its server can do with `trigreason doctor MODEL@URL --role srm`; serve it "
            f"with logprobs (vLLM, SGLang, llama.cpp, Ollama from 0.12.11){off}.",
        )
    if method.needs_alternatives and not min(pair.alternatives, able.max_alternatives):
        raise no_alternatives(pair.srm.model, title)


async def completed(events: AsyncGenerator[Event, None]) -> Trace:
    """Let a run go to its end and return its trace: ``await completed(reason(pair, ...))``."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Done):
                return event.trace
    raise AssertionError("a run ends with Done or an error")

"""A recorded run under another deployment: the same steps by the same authors, on another clock.

The steps, their authors and the answer stay as they were recorded. The loop that runs pairs
(``trigreason.running``) requests them again, from engines that deliver the recording at the pace of
the simulated servers. Its clock is a virtual one: a run of minutes takes milliseconds.

Cutting tokens into steps and deciding on them takes no simulated time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from trigreason.engines.base import Sampling
from trigreason.failure import FailurePolicy
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Purpose, Stretch, Trace
from trigreason.running.loop import Loop
from trigreason.running.requests import AHEAD
from trigreason.running.state import RunState
from trigreason.studies.simulation.clock import run_on_virtual_clock
from trigreason.studies.simulation.deployment import Deployment
from trigreason.studies.simulation.engine import RecordedEngine
from trigreason.studies.simulation.lengths import PromptLengths
from trigreason.studies.simulation.recording import RecordedRun, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One run under a deployment.

    Attributes:
        seconds: from the question to the end of the answer.
        requests: every request in the order of sending, those ahead of need included.
            ``generated_tokens`` are billed, those written after a stream was closed included.
        waiting: by model, seconds in which the run stands still until its first token comes.
        usd: by model, what is paid for it.
    """

    seconds: float
    requests: tuple[Stretch, ...]
    waiting: Mapping[Author, float]
    usd: Mapping[Author, float]

    def of(self, author: Author) -> list[Stretch]:
        """The requests to ``author``'s model."""
        return [each for each in self.requests if each.author is author]

    @property
    def waiting_seconds(self) -> float:
        return sum(self.waiting.values())

    @property
    def total_usd(self) -> float:
        return sum(self.usd.values())


def simulate(trace: Trace, deployment: Deployment) -> Simulated:
    """The run of ``trace`` under ``deployment``, from an empty cache and with no failure.

    Raises:
        ValueError: no recorded request says how long its prompt was, or a scorer rated the steps.
    """
    if trace.scorer is not None:
        raise ValueError("a scorer rated this run's steps, and no deployment says how fast one is")
    recording = Recording(trace)
    run_on_virtual_clock(_run(recording, PromptLengths(trace), deployment))
    sent = recording.made.stretches
    requests = tuple(each for each in sent if each.failed is None or each.completion_tokens)
    usd = dict.fromkeys(Author, 0.0)
    for request in requests:
        usd[request.author] += deployment.server(request.author).usd(request)
    return Simulated(
        seconds=recording.made.seconds, requests=requests, waiting=_waiting(requests), usd=usd
    )


async def _run(recording: Recording, lengths: PromptLengths, deployment: Deployment) -> None:
    """Run the loop until the end of the recording."""
    srm, lrm = (
        RecordedEngine(
            author,
            recording,
            lengths,
            deployment.server(author),
            closely=deployment.hiding.hedge,
        )
        for author in (Author.SRM, Author.LRM)
    )
    pair = Pair(
        srm,
        lrm,
        step_break=recording.trace.step_break,
        hiding=deployment.hiding,
        failure=FailurePolicy(retries=0),
    )
    tags = {author: pair.engine(author).tags for author in Author}
    state = RunState(recording.made, recording.budget, tags, RecordedRun(recording))
    greedy = Sampling(temperature=0)
    loop = Loop(pair, state, greedy, request_per_step=deployment.request_per_step)
    async with aclosing(loop.events()) as events:
        async for _ in events:
            if recording.is_told:
                return


def _waiting(requests: Iterable[Stretch]) -> dict[Author, float]:
    """By model, seconds in which the run stood still until its first token came.

    The wait for a rewrite that began early counts from the end of the stream before it.
    """
    waiting = dict.fromkeys(Author, 0.0)
    free = 0.0
    for each in requests:
        if each.purpose in AHEAD or each.first_token_seconds is None:
            continue
        first = each.began_seconds + each.first_token_seconds
        if each.purpose is Purpose.JUDGE:
            waiting[each.author] += each.first_token_seconds
            continue
        waiting[each.author] += max(0.0, first - max(each.began_seconds, free))
        free = each.began_seconds + each.seconds
    return waiting

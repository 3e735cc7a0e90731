"""The examination of an endpoint: a few small requests, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from trigreason.engines.base import EngineError, EngineUnreachable, LogprobScale, Request, Usage
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import HttpEngine
from trigreason.engines.probing.advice import advised, advised_uncached
from trigreason.engines.probing.closing import examine_closing
from trigreason.engines.probing.continuing import OPENING, examine_prefix, examine_stop
from trigreason.engines.probing.facts import ServerFacts, ServerPages
from trigreason.engines.probing.probabilities import (
    ReferenceText,
    ask_with_logprobs,
    examine_scale,
    examine_seed,
    examine_truth,
    judge_logprobs,
    least_sure,
    well_apart,
)
from trigreason.engines.probing.probe_requests import GREEDY, QUESTION, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, Report, State, Topic
from trigreason.engines.probing.thinking import examine_thinking, judge_steps
from trigreason.engines.probing.timing import judge_cache, judge_speed, judge_streaming, seconds

SILENCE_SECONDS = 20.0
FIRST_TOKENS = 12
OWN_TOKENS = 96
SEED_TOKENS = 12
CACHED_PROMPT_TOKENS = 400
"""Servers cache blocks of up to 128 tokens, so a shorter prompt might not be cached."""
ENOUGH_CONTEXT = 10_000
"""Room for the default thinking budget, a question and an answer."""
LIKELIEST = 0.01
"""A top-p that leaves only the likeliest token."""
NOT_CONVERTED = (
    "Without alternatives they cannot be converted: choose the pair's thresholds on this scale "
    '(logprob_scale = "sampling").'
)
PATIENCE = 2
"""The examination ends after so many requests without an answer."""


async def unopened(place: str, error: EngineError, pages: ServerPages | None) -> Report:
    """The report on a model that could not be opened.

    If the server lists its models, it is reachable, and the model's name is wrong.
    """
    report = Report(place)
    facts = await pages.facts() if pages else ServerFacts()
    report.server, report.version = facts.kind, facts.version
    wrong = Finding(Topic.REACHABLE, State.NO, error.what, error.advice)
    if facts.models is not None:
        report.findings.append(Finding(Topic.REACHABLE, State.YES, str(facts)))
        wrong = replace(wrong, topic=Topic.MODEL)
    report.findings.append(wrong)
    return report


class Examination:
    """Examines one engine; ``tell`` is called with the name of each test."""

    def __init__(
        self,
        engine: HttpEngine,
        place: str,
        pages: ServerPages,
        *,
        silence_seconds: float = SILENCE_SECONDS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.report = Report(place, engine.model, engine.dialect_name)
        self._engine = engine
        self._pages = pages
        self._probe = ProbeRequests(engine, place, silence_seconds)
        self._tell = tell
        self._facts = ServerFacts()
        self._silent = 0
        self._repeated: tuple[int, Usage] | None = None
        engine.capabilities = replace(engine.capabilities, logprobs=True)  # tested below

    async def run(self) -> Report:
        """Run all tests; a failure of the server becomes a finding, not an exception."""
        report = self.report
        self._tell("which server it is")
        self._facts = facts = await self._pages.facts(self._engine.model)
        report.server, report.version = facts.kind, facts.version
        try:
            first = await self._first_request()
        except EngineError as error:
            self._add(Finding(Topic.REACHABLE, State.NO, error.what, error.advice))
        else:
            await self._examine(first)
        report.cost = self._probe.cost
        return report

    async def _first_request(self) -> ProbeAnswer:
        """The first request; some servers load the model at it."""
        self._tell("a first request")
        first = await self._probe.ask(Request(self._probe.prefix(), GREEDY, FIRST_TOKENS))
        took = first.first_token_seconds
        after = f"; its first answer took {seconds(took)}" if took is not None else ""
        self._add(Finding(Topic.REACHABLE, State.YES, f"{self._facts}{after}"))
        self._add(Finding(Topic.MODEL, State.YES, self._engine.model))
        self._add(examine_template(self._engine))
        await self._try(Topic.THINKING, "how it thinks", lambda: examine_thinking(self._probe))
        return first

    async def _examine(self, first: ProbeAnswer) -> None:
        self._tell("its probabilities")
        try:
            reference = await ask_with_logprobs(self._probe, OPENING, GREEDY, OWN_TOKENS)
        except EngineError as error:
            self._add(Finding(Topic.LOGPROBS, State.UNKNOWN, error.what, error.advice))
            return
        text = reference.answer
        self._add(judge_steps(text))
        await self._try(
            Topic.PREFIX,
            "whether it continues a prefix",
            lambda: examine_prefix(self._probe, first.text, text),
        )
        streamed = await self._streamed(text)
        self._add(judge_streaming(streamed))
        await self._probabilities(reference)
        await self._try(
            Topic.SEED,
            "whether it honours a seed",
            lambda: examine_seed(
                self._probe, OPENING + text.text[: least_sure(text.tokens)], SEED_TOKENS
            ),
        )
        if self.report.state(Topic.PREFIX) is State.NO:
            unclear = "the test needs a server that continues a prefix"
            self._add(Finding(Topic.STOP, State.UNKNOWN, unclear))
        else:
            await self._try(
                Topic.STOP,
                "whether it stops where it is told to",
                lambda: examine_stop(self._probe, text),
            )
        await self._try(
            Topic.CLOSING,
            "whether it stops when a stream is closed",
            lambda: examine_closing(self._probe, self._pages, self._facts.kind, text),
        )
        await self._try(Topic.CACHE, "its cache", lambda: self._cache(first))
        self._add(self._judge_question(first.usage))
        self._add(self._judge_context())
        self._speed(streamed)

    async def _streamed(self, text: ProbeAnswer) -> ProbeAnswer:
        """The answer to judge streaming by: a busy machine may delay one, but hardly two."""
        if judge_streaming(text).state is not State.NO:
            return text
        try:
            again = await self._probe.ask(Request(self._probe.prefix(OPENING), GREEDY, OWN_TOKENS))
        except EngineError:
            return text
        return again if judge_streaming(again).state is State.YES else text

    async def _probabilities(self, reference: ReferenceText) -> None:
        for finding in await self._judged_logprobs(reference):
            self._add(finding)
        if self.report.state(Topic.LOGPROBS) is not State.YES or reference.alternatives is None:
            return
        widest = max(len(token.top) for token in reference.answer.tokens)
        self.report.measured.max_alternatives = min(widest, reference.alternatives)
        await self._try(Topic.RAW, "the scale of its probabilities", lambda: self._scale(reference))

    async def _judged_logprobs(self, reference: ReferenceText) -> list[Finding]:
        """Whether there are logprobs, for every token, and whether they are plausible."""
        judged = judge_logprobs(reference)
        if judged[0].state is not State.YES:
            return judged
        try:
            untrue = await examine_truth(self._probe, reference)
        except EngineError as error:
            return [Finding(Topic.LOGPROBS, State.UNKNOWN, error.what, error.advice), *judged[1:]]
        return [untrue or judged[0], *judged[1:]]

    async def _scale(self, reference: ReferenceText) -> Finding:
        written = OPENING + reference.answer.text[: well_apart(reference.answer.tokens)]
        alone = not self.report.measured.max_alternatives
        finding, scale = await examine_scale(
            self._probe, written, reference.alternatives or 0, LIKELIEST if alone else 1.0
        )
        self.report.measured.logprob_scale = scale
        if scale is LogprobScale.SAMPLING and alone:
            return replace(finding, advice=NOT_CONVERTED)
        return finding

    async def _cache(self, first: ProbeAnswer) -> Finding:
        short = first.usage.prompt_tokens or 32
        context = self._context()
        room = CACHED_PROMPT_TOKENS if context is None else min(CACHED_PROMPT_TOKENS, context // 2)
        repeats = max(1, room // short)
        prefix = self._probe.prefix(question=" ".join([QUESTION] * repeats))
        self._repeated = repeats, (await self._probe.ask(Request(prefix, GREEDY, 1))).usage
        usage = (await self._probe.ask(Request(prefix, GREEDY, 1))).usage
        finding = judge_cache(usage)
        if usage.cached_tokens == 0:
            return advised_uncached(finding, self._facts.kind)
        return finding

    def _judge_question(self, once: Usage) -> Finding:
        if isinstance(self._engine, CompletionsEngine):
            return Finding(Topic.QUESTION, State.YES, "the prompt is rendered here, and holds it")
        if self._repeated is None:
            return Finding(Topic.QUESTION, State.UNKNOWN, "no answer to a longer question came")
        return judge_question(once, *self._repeated)

    def _context(self) -> int | None:
        """The usable context (tokens): the server's, at most what the model was trained on."""
        facts = self._facts
        room = facts.context_tokens or self._engine.capabilities.context_tokens
        limits = [tokens for tokens in (room, facts.trained_tokens) if tokens is not None]
        return min(limits, default=None)

    def _judge_context(self) -> Finding:
        context = self.report.measured.context_tokens = self._context()
        if context is None:
            return Finding(Topic.CONTEXT, State.UNKNOWN, "the server does not say")
        evidence = f"{context:,} tokens"
        if context >= ENOUGH_CONTEXT:
            return Finding(Topic.CONTEXT, State.YES, evidence)
        if context == self._facts.trained_tokens:
            evidence = f"{evidence}, all that the model was trained on"
            return Finding(Topic.CONTEXT, State.NO, evidence, "Lower --thinking-tokens.")
        return Finding(Topic.CONTEXT, State.NO, evidence)

    def _speed(self, long: ProbeAnswer) -> None:
        measured = self.report.measured
        finding, measured.first_token_seconds, measured.tokens_per_second = judge_speed(
            self._probe.answers[1:], long
        )
        self._add(finding)

    async def _try(
        self, topic: Topic, what: str, examine: Callable[[], Awaitable[Finding]]
    ) -> None:
        """Add the finding of a test, or why it has none."""
        if self._silent >= PATIENCE:
            evidence = "not asked: the server had stopped answering"
            self._add(Finding(topic, State.UNKNOWN, evidence))
            return
        self._tell(what)
        try:
            self._add(await examine())
        except EngineError as error:
            self._silent += isinstance(error, EngineUnreachable)
            self._add(Finding(topic, State.UNKNOWN, error.what, error.advice))

    def _add(self, finding: Finding) -> None:
        self.report.findings.append(advised(finding, self._facts.kind))


def examine_template(engine: HttpEngine) -> Finding:
    """Where the chat template comes from."""
    if not isinstance(engine, CompletionsEngine):
        return Finding(Topic.TEMPLATE, State.YES, "the server renders it")
    template = engine.template
    state = State.UNKNOWN if template.guessed else State.YES
    return Finding(Topic.TEMPLATE, state, template.origin)


def judge_question(once: Usage, repeats: int, repeated: Usage) -> Finding:
    """Whether repeating the question ``repeats`` times made the prompt longer.

    A chat template that expects messages in parts silently drops plain text, and the model then
    never sees the question.
    """
    short, long = once.prompt_tokens, repeated.prompt_tokens
    if short is None or long is None:
        return Finding(Topic.QUESTION, State.UNKNOWN, "the server counts no tokens of the prompt")
    if repeats < 2:
        return Finding(Topic.QUESTION, State.UNKNOWN, "the context has no room for a longer one")
    evidence = f"{short} tokens with the question, {long} with it {repeats} times"
    if long - short < repeats - 1:
        return Finding(Topic.QUESTION, State.NO, f"left out of the prompt: {evidence}")
    return Finding(Topic.QUESTION, State.YES, evidence)

"""The examination of an endpoint: a handful of small requests, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from trigreason.engines.base import EngineError, EngineUnreachable, LogprobScale, Request, Usage
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import HttpEngine
from trigreason.engines.probing.advice import advised, advised_uncached
from trigreason.engines.probing.asking import GREEDY, QUESTION, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.closing import examine_closing
from trigreason.engines.probing.continuing import OPENING, examine_prefix, examine_stop
from trigreason.engines.probing.facts import ServerFacts, ServerPages
from trigreason.engines.probing.probabilities import (
    OwnText,
    ask_with_logprobs,
    examine_scale,
    examine_seed,
    examine_truth,
    judge_logprobs,
    least_sure,
    well_apart,
)
from trigreason.engines.probing.report import Finding, Report, State, Topic
from trigreason.engines.probing.thinking import examine_thinking, judge_steps
from trigreason.engines.probing.timing import judge_cache, judge_speed, judge_streaming, seconds

SILENCE_SECONDS = 20.0
FIRST_TOKENS = 12
OWN_TOKENS = 96
SEED_TOKENS = 12
CACHED_PROMPT_TOKENS = 400
"""Servers cache blocks of up to 128 tokens, so a shorter prompt could not show it."""
ENOUGH_CONTEXT = 10_000
"""Room for the default thinking budget, a question and an answer."""
LIKELIEST = 0.01
"""A top-p that leaves nothing but the likeliest token."""
NOT_CONVERTED = (
    "With no alternatives beside them they cannot be converted: let the pair's thresholds stand on "
    'this scale (logprob_scale = "sampling").'
)
PATIENCE = 2
"""Requests that the server may leave without an answer before the examination ends."""


async def unopened(place: str, error: EngineError, pages: ServerPages | None) -> Report:
    """The report on a model that could not even be opened.

    A server that lists its models is there; what is wrong then is the model's name.
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
    """Examines one engine; ``tell`` hears what is being looked at."""

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
        self._asking = ProbeRequests(engine, place, silence_seconds)
        self._tell = tell
        self._facts = ServerFacts()
        self._silent = 0
        self._repeated: tuple[int, Usage] | None = None
        engine.capabilities = replace(engine.capabilities, logprobs=True)  # not believed: tried

    async def run(self) -> Report:
        """Find out everything; a server that fails ends in findings, not in an error."""
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
        report.cost = self._asking.cost
        return report

    async def _first_request(self) -> ProbeAnswer:
        """Also loads the model where the server does that when it is first asked."""
        self._tell("a first request")
        first = await self._asking.ask(Request(self._asking.prefix(), GREEDY, FIRST_TOKENS))
        took = first.first_token_seconds
        after = f"; its first answer took {seconds(took)}" if took is not None else ""
        self._add(Finding(Topic.REACHABLE, State.YES, f"{self._facts}{after}"))
        self._add(Finding(Topic.MODEL, State.YES, self._engine.model))
        self._add(examine_template(self._engine))
        await self._try(Topic.THINKING, "how it thinks", lambda: examine_thinking(self._asking))
        return first

    async def _examine(self, first: ProbeAnswer) -> None:
        self._tell("its probabilities")
        try:
            own = await ask_with_logprobs(self._asking, OPENING, GREEDY, OWN_TOKENS)
        except EngineError as error:
            self._add(Finding(Topic.LOGPROBS, State.UNKNOWN, error.what, error.advice))
            return
        text = own.answer
        self._add(judge_steps(text))
        await self._try(
            Topic.PREFIX,
            "whether it continues a prefix",
            lambda: examine_prefix(self._asking, first.text, text),
        )
        streamed = await self._streamed(text)
        self._add(judge_streaming(streamed))
        await self._probabilities(own)
        await self._try(
            Topic.SEED,
            "whether it honours a seed",
            lambda: examine_seed(
                self._asking, OPENING + text.text[: least_sure(text.tokens)], SEED_TOKENS
            ),
        )
        if self.report.state(Topic.PREFIX) is State.NO:
            unclear = "it does not go on from the text that it is to stop in"
            self._add(Finding(Topic.STOP, State.UNKNOWN, unclear))
        else:
            await self._try(
                Topic.STOP,
                "whether it stops where it is told to",
                lambda: examine_stop(self._asking, text),
            )
        await self._try(
            Topic.CLOSING,
            "whether it stops when a stream is closed",
            lambda: examine_closing(self._asking, self._pages, self._facts.kind, text),
        )
        await self._try(Topic.CACHE, "its cache", lambda: self._cache(first))
        self._add(self._judge_question(first.usage))
        self._add(self._judge_context())
        self._speed(streamed)

    async def _streamed(self, text: ProbeAnswer) -> ProbeAnswer:
        """The text whose arrivals count: a busy machine may have held one back, but hardly two."""
        if judge_streaming(text).state is not State.NO:
            return text
        try:
            again = await self._asking.ask(
                Request(self._asking.prefix(OPENING), GREEDY, OWN_TOKENS)
            )
        except EngineError:
            return text
        return again if judge_streaming(again).state is State.YES else text

    async def _probabilities(self, own: OwnText) -> None:
        for finding in await self._judged_logprobs(own):
            self._add(finding)
        if self.report.state(Topic.LOGPROBS) is not State.YES or own.alternatives is None:
            return
        widest = max(len(token.top) for token in own.answer.tokens)
        self.report.measured.max_alternatives = min(widest, own.alternatives)
        await self._try(Topic.RAW, "the scale of its probabilities", lambda: self._scale(own))

    async def _judged_logprobs(self, own: OwnText) -> list[Finding]:
        """Whether there are logprobs, for every token, and such as can be."""
        judged = judge_logprobs(own)
        if judged[0].state is not State.YES:
            return judged
        try:
            untrue = await examine_truth(self._asking, own)
        except EngineError as error:
            return [Finding(Topic.LOGPROBS, State.UNKNOWN, error.what, error.advice), *judged[1:]]
        return [untrue or judged[0], *judged[1:]]

    async def _scale(self, own: OwnText) -> Finding:
        written = OPENING + own.answer.text[: well_apart(own.answer.tokens)]
        alone = not self.report.measured.max_alternatives
        finding, scale = await examine_scale(
            self._asking, written, own.alternatives or 0, LIKELIEST if alone else 1.0
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
        prefix = self._asking.prefix(question=" ".join([QUESTION] * repeats))
        self._repeated = repeats, (await self._asking.ask(Request(prefix, GREEDY, 1))).usage
        usage = (await self._asking.ask(Request(prefix, GREEDY, 1))).usage
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
        """Tokens that can be used: what there is room for, and no more than was trained."""
        facts = self._facts
        room = facts.context_tokens or self._engine.capabilities.context_tokens
        known = [each for each in (room, facts.trained_tokens) if each is not None]
        return min(known, default=None)

    def _judge_context(self) -> Finding:
        context = self.report.measured.context_tokens = self._context()
        if context is None:
            return Finding(Topic.CONTEXT, State.UNKNOWN, "the server does not say")
        told = f"{context:,} tokens"
        if context >= ENOUGH_CONTEXT:
            return Finding(Topic.CONTEXT, State.YES, told)
        if context == self._facts.trained_tokens:
            told = f"{told}, all that the model was trained on"
            return Finding(Topic.CONTEXT, State.NO, told, "Lower --thinking-tokens.")
        return Finding(Topic.CONTEXT, State.NO, told)

    def _speed(self, long: ProbeAnswer) -> None:
        measured = self.report.measured
        finding, measured.first_token_seconds, measured.tokens_per_second = judge_speed(
            self._asking.answers[1:], long
        )
        self._add(finding)

    async def _try(
        self, topic: Topic, what: str, examine: Callable[[], Awaitable[Finding]]
    ) -> None:
        """Add what an examination finds, or why it found nothing."""
        if self._silent >= PATIENCE:
            told = "not asked: the server had stopped answering"
            self._add(Finding(topic, State.UNKNOWN, told))
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
    """Where the text around the conversation comes from."""
    if not isinstance(engine, CompletionsEngine):
        return Finding(Topic.TEMPLATE, State.YES, "the server renders it")
    template = engine.template
    state = State.UNKNOWN if template.guessed else State.YES
    return Finding(Topic.TEMPLATE, state, template.origin)


def judge_question(once: Usage, repeats: int, repeated: Usage) -> Finding:
    """Whether a question that was asked ``repeats`` times over made the prompt longer.

    A chat template that reads messages in parts leaves plain text out without a word, and the
    model then answers whatever it likes.
    """
    short, long = once.prompt_tokens, repeated.prompt_tokens
    if short is None or long is None:
        return Finding(Topic.QUESTION, State.UNKNOWN, "the server counts no tokens of the prompt")
    if repeats < 2:
        return Finding(Topic.QUESTION, State.UNKNOWN, "the context has no room for a longer one")
    told = f"{short} tokens with the question, {long} with it {repeats} times"
    if long - short < repeats - 1:
        return Finding(Topic.QUESTION, State.NO, f"left out of the prompt: {told}")
    return Finding(Topic.QUESTION, State.YES, told)

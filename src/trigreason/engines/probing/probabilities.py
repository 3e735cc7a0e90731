"""Logprobs: are there any, does every token have one, and are they raw or after temperature?

Temperature divides the gaps between tokens' logprobs. Requesting the same position at two
temperatures shows the scale: the gaps of raw logprobs stay, those after temperature change.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trigreason.engines.base import (
    EngineRefused,
    LogprobScale,
    NoLogprobs,
    Request,
    Sampling,
    TooManyAlternatives,
)
from trigreason.engines.plausible import LOOKED_AT, impossible
from trigreason.engines.probing.probe_requests import ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.reasoning import Token

WARM = Sampling(temperature=1.0, top_p=1.0)
COLD = replace(WARM, temperature=0.5)
RATIO = WARM.temperature / COLD.temperature
MIN_GAP = 0.2
"""Nats; smaller gaps are too imprecise."""
GOOD_SPREAD = 5.0
"""Nats between the likeliest and the last alternative: far from rounding at both ends."""
TOLERANCE = 0.1
SCALE_TOKENS = 4
ALTERNATIVES = (20, 5, 1)
"""How many alternatives to request: what this program uses, then what limited servers allow."""
SPECULATES = (
    "Speculative decoding does this: serve the SRM without it (llama.cpp: without --model-draft "
    "and --spec-type), and keep it for the LRM alone; or switch the offload off (--rho 1)."
)


@dataclass(slots=True)
class ReferenceText:
    """The model's own text, and the number of alternatives that the server gave with it."""

    answer: ProbeAnswer
    alternatives: int | None
    refused: str | None = None
    missing: bool = False


async def ask_with_logprobs(
    probe: ProbeRequests, written: str, sampling: Sampling, max_tokens: int
) -> ReferenceText:
    """Request a text with as many alternatives as the server gives, or without logprobs.

    Raises:
        EngineError: the request failed even without logprobs.
    """
    refused: str | None = None
    prefix = probe.prefix(written)
    for count in ALTERNATIVES:
        try:
            answer = await probe.ask(
                Request(prefix, sampling, max_tokens, alternatives=count, needs_logprobs=True)
            )
            return ReferenceText(answer, count, refused)
        except NoLogprobs:
            answer = await probe.ask(Request(prefix, sampling, max_tokens))
            return ReferenceText(answer, None, missing=True)
        except EngineRefused as error:
            refused = error.what
            if error.transient and not isinstance(error, TooManyAlternatives):
                raise
    answer = await probe.ask(Request(prefix, sampling, max_tokens))
    return ReferenceText(answer, None, refused)


def judge_logprobs(reference: ReferenceText) -> list[Finding]:
    """Whether there are logprobs, and whether every token has one."""
    tokens = reference.answer.tokens
    scored = [token for token in tokens if token.logprob is not None]
    if reference.missing:
        return [Finding(Topic.LOGPROBS, State.NO, "asked for, and none came")]
    if reference.alternatives is None:
        return [Finding(Topic.LOGPROBS, State.NO, f"asked for, and {reference.refused}")]
    if not tokens:
        return [Finding(Topic.LOGPROBS, State.UNKNOWN, "no token came that could have one")]
    if not scored:
        only = f"nothing but placeholders (-9999 or null) in {len(tokens)} tokens"
        return [
            Finding(Topic.LOGPROBS, State.NO, only),
            Finding(Topic.COMPLETE, State.NO, only),
        ]
    widest = max(len(token.top) for token in tokens)
    some = f"{len(scored)} of {len(tokens)} tokens have one, with {widest} alternatives"
    if len(scored) == len(tokens):
        every = Finding(Topic.COMPLETE, State.YES, f"none in {len(tokens)} tokens")
    else:
        holes = f"{len(tokens) - len(scored)} of {len(tokens)} are placeholders (-9999 or null)"
        every = Finding(Topic.COMPLETE, State.NO, holes)
    return [Finding(Topic.LOGPROBS, State.YES, some), every]


async def examine_truth(probe: ProbeRequests, reference: ReferenceText) -> Finding | None:
    """A finding that the logprobs are implausible; None if they may be true.

    A greedy text of certain tokens proves nothing, so a second text is sampled, as long as the
    one by which a run is judged.

    Raises:
        EngineError: the engine failed.
    """
    if impossible(_logprobs_of(reference.answer.tokens)) is None:
        return None
    request = Request(probe.prefix(), WARM, LOOKED_AT, alternatives=reference.alternatives)
    drawn = await probe.ask(request)
    fault = impossible(_logprobs_of(drawn.tokens))
    return None if fault is None else Finding(Topic.LOGPROBS, State.NO, fault, SPECULATES)


def _logprobs_of(tokens: Sequence[Token]) -> list[float | None]:
    return [token.logprob for token in tokens]


async def examine_scale(
    probe: ProbeRequests, written: str, alternatives: int, top_p: float = 1.0
) -> tuple[Finding, LogprobScale | None]:
    """Request the same tokens at temperatures 1 and 0.5.

    Without alternatives, a small ``top_p`` makes the chosen token the likeliest both times.

    Raises:
        EngineError: the engine failed.
    """
    prefix = probe.prefix(written)
    warm, cold = [
        await probe.ask(
            Request(prefix, replace(sampling, top_p=top_p), SCALE_TOKENS, alternatives=alternatives)
        )
        for sampling in (WARM, COLD)
    ]
    return judge_scale(warm.tokens, cold.tokens)


def judge_scale(
    warm: Sequence[Token], cold: Sequence[Token]
) -> tuple[Finding, LogprobScale | None]:
    """The scale, from the first position that shows it.

    Positions can be compared as long as the tokens before them are equal.
    """
    judged: tuple[Finding, LogprobScale | None] = (
        Finding(Topic.RAW, State.UNKNOWN, "no token came to compare"),
        None,
    )
    for at_one, at_half in zip(warm, cold, strict=False):
        judged = _judge_position(at_one, at_half)
        if judged[1] is not None or at_one.text != at_half.text:
            break
    return judged


def _judge_position(warm: Token, cold: Token) -> tuple[Finding, LogprobScale | None]:
    """Gaps between tokens decide, because filters such as top-p shift all logprobs of a position
    equally. With fewer than two tokens in common, the chosen token's logprob decides."""
    at_one, at_half = _by_text(warm), _by_text(cold)
    shared = [text for text in at_one if text in at_half]
    if len(shared) < 2:
        return _judge_chosen(warm, cold)
    best = max(shared, key=lambda text: at_one[text])
    gaps = {text: at_one[best] - at_one[text] for text in shared}
    pairs = [(at_half[best] - at_half[text]) / gap for text, gap in gaps.items() if gap >= MIN_GAP]
    if not pairs:
        return Finding(Topic.RAW, State.UNKNOWN, "the likely tokens are all alike here"), None
    factor = statistics.median(pairs)
    evidence = f"gaps of {len(pairs)} tokens grow {factor:.2f}-fold from T = 1 to 0.5"
    if abs(factor - 1) <= TOLERANCE:
        return Finding(Topic.RAW, State.YES, evidence), LogprobScale.RAW
    if abs(factor - RATIO) <= TOLERANCE * RATIO:
        return Finding(Topic.RAW, State.NO, f"{evidence}: after temperature"), LogprobScale.SAMPLING
    return Finding(Topic.RAW, State.UNKNOWN, f"{evidence}, neither 1 nor {RATIO:g}"), None


def _judge_chosen(warm: Token, cold: Token) -> tuple[Finding, LogprobScale | None]:
    if warm.text != cold.text or warm.logprob is None or cold.logprob is None:
        return Finding(Topic.RAW, State.UNKNOWN, "no token came twice to compare"), None
    if warm.logprob > -MIN_GAP / 4:
        return Finding(Topic.RAW, State.UNKNOWN, "the one token is certain at any scale"), None
    evidence = f"the same token has {warm.logprob:.3f} at T = 1 and {cold.logprob:.3f} at 0.5"
    if abs(warm.logprob - cold.logprob) <= 0.02 * abs(warm.logprob):
        return Finding(Topic.RAW, State.YES, evidence), LogprobScale.RAW
    if cold.logprob > warm.logprob:
        return Finding(Topic.RAW, State.NO, f"{evidence}: after temperature"), LogprobScale.SAMPLING
    return Finding(Topic.RAW, State.UNKNOWN, evidence), None


def _by_text(token: Token) -> dict[str, float]:
    logprobs = {other.text: other.logprob for other in reversed(token.top)}
    if token.logprob is not None:
        logprobs.setdefault(token.text, token.logprob)
    return logprobs


def least_sure(tokens: Sequence[Token]) -> int:
    """The characters before the least certain token, after which seeds make a difference."""
    scored = [index for index, token in enumerate(tokens) if token.logprob is not None]
    if not scored:
        return 0
    lowest = min(scored, key=lambda index: tokens[index].logprob or 0.0)
    return sum(len(token.text) for token in tokens[:lowest])


def well_apart(tokens: Sequence[Token]) -> int:
    """The characters before the token whose alternatives are about GOOD_SPREAD apart, or before
    the least certain token if there are no alternatives."""
    spreads = {
        index: token.top[0].logprob - token.top[-1].logprob
        for index, token in enumerate(tokens)
        if len(token.top) > 1
    }
    if not spreads:
        return least_sure(tokens)
    where = min(spreads, key=lambda index: abs(spreads[index] - GOOD_SPREAD))
    return sum(len(token.text) for token in tokens[:where])


async def examine_seed(probe: ProbeRequests, written: str, max_tokens: int) -> Finding:
    """Use two seeds twice each, alternating so that no cache makes the texts equal.

    Raises:
        EngineError: the engine failed.
    """
    finding = Finding(Topic.SEED, State.UNKNOWN, "not asked")
    for temperature in (1.0, 1.5):
        texts: dict[int, list[str]] = {1: [], 2: []}
        for seed in (1, 2, 1, 2):
            sampling = replace(WARM, temperature=temperature, seed=seed)
            answer = await probe.ask(Request(probe.prefix(written), sampling, max_tokens))
            texts[seed].append(answer.text)
        finding = judge_seed(texts, temperature)
        if finding.state is not State.UNKNOWN:
            break
    return finding


def judge_seed(texts: dict[int, list[str]], temperature: float) -> Finding:
    """Whether equal seeds wrote equal texts, and different seeds different ones."""
    if any(len(set(same)) > 1 for same in texts.values()):
        evidence = f"the same seed wrote different texts at T = {temperature:g}"
        return Finding(Topic.SEED, State.NO, evidence)
    if len({text for same in texts.values() for text in same}) == 1:
        evidence = (
            f"two seeds, twice each: one text, also at T = {temperature:g}; it is too certain"
        )
        return Finding(Topic.SEED, State.UNKNOWN, evidence)
    evidence = f"two seeds, twice each at T = {temperature:g}: two texts, one per seed"
    return Finding(Topic.SEED, State.YES, evidence)

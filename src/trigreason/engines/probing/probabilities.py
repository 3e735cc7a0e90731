"""Token probabilities: are there any, are they all real, and of which distribution are they?

Temperature divides the gaps between tokens' logprobs. So the same position asked at two
temperatures tells the scale: raw logprobs keep their gaps, those after temperature do not.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trigreason.engines.base import EngineRefused, LogprobScale, NoLogprobs, Request, Sampling
from trigreason.engines.plausible import LOOKED_AT, impossible
from trigreason.engines.probing.asking import ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.reasoning import Token

WARM = Sampling(temperature=1.0, top_p=1.0)
COLD = replace(WARM, temperature=0.5)
RATIO = WARM.temperature / COLD.temperature
MIN_GAP = 0.2
"""Nats; smaller gaps say too little."""
GOOD_SPREAD = 5.0
"""Nats between the likeliest and the last alternative: far from rounding at both ends."""
TOLERANCE = 0.1
SCALE_TOKENS = 4
ALTERNATIVES = (20, 5, 1)
"""How many likely tokens to ask for: what this program uses, and what servers with limits allow."""
SPECULATES = (
    "Speculative decoding does this: serve the SRM without it (llama.cpp: without --model-draft "
    "and --spec-type), and keep it for the LRM alone; or switch the offload off (--rho 1)."
)


@dataclass(slots=True)
class OwnText:
    """The model's own text, and how many alternatives it could be had with."""

    answer: ProbeAnswer
    alternatives: int | None
    refused: str | None = None
    missing: bool = False


async def ask_with_logprobs(
    asking: ProbeRequests, written: str, sampling: Sampling, max_tokens: int
) -> OwnText:
    """A text with as many alternatives as the server gives, or without any.

    Raises:
        EngineError: the engine failed, also where nothing about probabilities was asked.
    """
    refused: str | None = None
    prefix = asking.prefix(written)
    for count in ALTERNATIVES:
        try:
            answer = await asking.ask(
                Request(prefix, sampling, max_tokens, alternatives=count, needs_logprobs=True)
            )
            return OwnText(answer, count, refused)
        except NoLogprobs:
            answer = await asking.ask(Request(prefix, sampling, max_tokens))
            return OwnText(answer, None, missing=True)
        except EngineRefused as error:
            refused = error.what
            if error.transient:
                raise
    answer = await asking.ask(Request(prefix, sampling, max_tokens))
    return OwnText(answer, None, refused)


def judge_logprobs(own: OwnText) -> list[Finding]:
    """Whether there are logprobs, and whether every token has one."""
    tokens = own.answer.tokens
    known = [token for token in tokens if token.logprob is not None]
    if own.missing:
        return [Finding(Topic.LOGPROBS, State.NO, "asked for, and none came")]
    if own.alternatives is None:
        return [Finding(Topic.LOGPROBS, State.NO, f"asked for, and {own.refused}")]
    if not tokens:
        return [Finding(Topic.LOGPROBS, State.UNKNOWN, "no token came that could have one")]
    if not known:
        only = f"nothing but placeholders (-9999 or null) in {len(tokens)} tokens"
        return [
            Finding(Topic.LOGPROBS, State.NO, only),
            Finding(Topic.COMPLETE, State.NO, only),
        ]
    widest = max(len(token.top) for token in tokens)
    some = f"{len(known)} of {len(tokens)} tokens have one, with {widest} alternatives"
    if len(known) == len(tokens):
        every = Finding(Topic.COMPLETE, State.YES, f"none in {len(tokens)} tokens")
    else:
        holes = f"{len(tokens) - len(known)} of {len(tokens)} are placeholders (-9999 or null)"
        every = Finding(Topic.COMPLETE, State.NO, holes)
    return [Finding(Topic.LOGPROBS, State.YES, some), every]


async def examine_truth(asking: ProbeRequests, own: OwnText) -> Finding | None:
    """A finding that the logprobs cannot be true; None where they may be.

    A greedy text that seems certain throughout is no proof, so another is drawn at random, as long
    as the one that a run is judged by.

    Raises:
        EngineError: the engine failed.
    """
    if impossible(logprobs_of(own.answer.tokens)) is None:
        return None
    drawn = await asking.ask(
        Request(asking.prefix(), WARM, LOOKED_AT, alternatives=own.alternatives)
    )
    told = impossible(logprobs_of(drawn.tokens))
    return None if told is None else Finding(Topic.LOGPROBS, State.NO, told, SPECULATES)


def logprobs_of(tokens: Sequence[Token]) -> list[float | None]:
    return [token.logprob for token in tokens]


async def examine_scale(
    asking: ProbeRequests, written: str, alternatives: int, top_p: float = 1.0
) -> tuple[Finding, LogprobScale | None]:
    """Ask for the same tokens at temperatures 1 and 0.5.

    Where none come beside the chosen ones, a small ``top_p`` makes these the likeliest both times.

    Raises:
        EngineError: the engine failed.
    """
    prefix = asking.prefix(written)
    warm, cold = [
        await asking.ask(
            Request(prefix, replace(sampling, top_p=top_p), SCALE_TOKENS, alternatives=alternatives)
        )
        for sampling in (WARM, COLD)
    ]
    return judge_scale(warm.tokens, cold.tokens)


def judge_scale(
    warm: Sequence[Token], cold: Sequence[Token]
) -> tuple[Finding, LogprobScale | None]:
    """The scale from tokens at temperature 1 and at 0.5, the first position that tells it.

    Positions are the same as long as the tokens before them are.
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
    """Gaps between tokens decide, because filters such as top-p move all logprobs of a position by
    the same amount. With no two tokens to compare, the chosen one's own logprob has to do."""
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
    told = f"gaps of {len(pairs)} tokens grow {factor:.2f}-fold from T = 1 to 0.5"
    if abs(factor - 1) <= TOLERANCE:
        return Finding(Topic.RAW, State.YES, told), LogprobScale.RAW
    if abs(factor - RATIO) <= TOLERANCE * RATIO:
        return Finding(Topic.RAW, State.NO, f"{told}: after temperature"), LogprobScale.SAMPLING
    return Finding(Topic.RAW, State.UNKNOWN, f"{told}, neither 1 nor {RATIO:g}"), None


def _judge_chosen(warm: Token, cold: Token) -> tuple[Finding, LogprobScale | None]:
    if warm.text != cold.text or warm.logprob is None or cold.logprob is None:
        return Finding(Topic.RAW, State.UNKNOWN, "no token came twice to compare"), None
    if warm.logprob > -MIN_GAP / 4:
        return Finding(Topic.RAW, State.UNKNOWN, "the one token is certain at any scale"), None
    told = f"the same token has {warm.logprob:.3f} at T = 1 and {cold.logprob:.3f} at 0.5"
    if abs(warm.logprob - cold.logprob) <= 0.02 * abs(warm.logprob):
        return Finding(Topic.RAW, State.YES, told), LogprobScale.RAW
    if cold.logprob > warm.logprob:
        return Finding(Topic.RAW, State.NO, f"{told}: after temperature"), LogprobScale.SAMPLING
    return Finding(Topic.RAW, State.UNKNOWN, told), None


def _by_text(token: Token) -> dict[str, float]:
    known = {other.text: other.logprob for other in reversed(token.top)}
    if token.logprob is not None:
        known.setdefault(token.text, token.logprob)
    return known


def least_sure(tokens: Sequence[Token]) -> int:
    """The characters before the token that was least certain, where chance can be seen at work."""
    known = [index for index, token in enumerate(tokens) if token.logprob is not None]
    if not known:
        return 0
    where = min(known, key=lambda index: tokens[index].logprob or 0.0)
    return sum(len(token.text) for token in tokens[:where])


def well_apart(tokens: Sequence[Token]) -> int:
    """The characters before the token whose alternatives lie apart, and not too far, or before
    the least certain one where none has alternatives."""
    spreads = {
        index: token.top[0].logprob - token.top[-1].logprob
        for index, token in enumerate(tokens)
        if len(token.top) > 1
    }
    if not spreads:
        return least_sure(tokens)
    where = min(spreads, key=lambda index: abs(spreads[index] - GOOD_SPREAD))
    return sum(len(token.text) for token in tokens[:where])


async def examine_seed(asking: ProbeRequests, written: str, max_tokens: int) -> Finding:
    """Two seeds, twice each, taking turns so that no cache can make it look well.

    Raises:
        EngineError: the engine failed.
    """
    finding = Finding(Topic.SEED, State.UNKNOWN, "not asked")
    for temperature in (1.0, 1.5):
        texts: dict[int, list[str]] = {1: [], 2: []}
        for seed in (1, 2, 1, 2):
            sampling = replace(WARM, temperature=temperature, seed=seed)
            answer = await asking.ask(Request(asking.prefix(written), sampling, max_tokens))
            texts[seed].append(answer.text)
        finding = judge_seed(texts, temperature)
        if finding.state is not State.UNKNOWN:
            break
    return finding


def judge_seed(texts: dict[int, list[str]], temperature: float) -> Finding:
    """What the texts of each seed say."""
    if any(len(set(same)) > 1 for same in texts.values()):
        told = f"the same seed wrote different texts at T = {temperature:g}"
        return Finding(Topic.SEED, State.NO, told)
    if len({text for same in texts.values() for text in same}) == 1:
        told = f"two seeds, twice each: one text, also at T = {temperature:g}; it is too certain"
        return Finding(Topic.SEED, State.UNKNOWN, told)
    told = f"two seeds, twice each at T = {temperature:g}: two texts, one per seed"
    return Finding(Topic.SEED, State.YES, told)

"""Probabilities: what streams in is what the server says in one piece, on the scale we name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

import pytest

from tests.conformance.figures import Figures
from tests.conformance.served import GREEDY, Json, RealServer, said
from trigreason.bundled import problems
from trigreason.engines.base import LogprobScale, Prefix, Request
from trigreason.reasoning import Message

QUESTION = (Message("user", problems()[0].question),)
TOP = 5
TOLERANCE = 1e-4


def in_one_piece(completion: Json) -> Iterator[tuple[str, float, dict[str, float]]]:
    """Text, logprob and likely tokens of each token, from either shape of a whole answer."""
    told = completion["choices"][0]["logprobs"]
    if "content" in told:
        for entry in told["content"]:
            likely = {other["token"]: other["logprob"] for other in entry["top_logprobs"]}
            yield entry["token"], entry["logprob"], likely
    else:
        yield from zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_streamed_is_what_comes_in_one_piece(
    server: RealServer, figures: Figures, temperature: float
) -> None:
    """Both with the prompt in the cache, which llama.cpp keeps in half precision."""
    if temperature:
        server.skip_without_seeds()
    sampling = replace(GREEDY, temperature=temperature)
    largest = 0.0
    async with server.srm.engine() as engine:
        await said(engine, Prefix(QUESTION), 1)
        told = await said(engine, Prefix(QUESTION), 100, sampling, alternatives=TOP)
        body = engine.request_body(Request(Prefix(QUESTION), sampling, 100, TOP))
        whole = list(in_one_piece(await server.srm.completed(engine, body)))
    assert len(told.tokens) == 100
    for token, (text, logprob, likely) in zip_longest(told.tokens, whole):
        assert token.text == text
        assert token.logprob == pytest.approx(min(logprob, 0.0), abs=TOLERANCE)
        streamed = dict(token.top)
        assert len(streamed) >= TOP
        assert streamed == pytest.approx(likely, abs=TOLERANCE)
        assert list(streamed.values()) == sorted(streamed.values(), reverse=True)
        largest = max([largest, *(abs(streamed[other] - likely[other]) for other in likely)])
    figures.add(
        f"largest difference, streamed to whole, temperature {temperature:g}",
        server.name,
        f"{largest:.1e} nats",
    )


async def test_logprobs_are_raw(server: RealServer) -> None:
    """The first token's distribution, asked for at two temperatures, is the same."""
    async with server.srm.engine() as engine:
        if server.name != "SGLang":  # which is served with raw ones here, and does not tell
            assert engine.capabilities.logprob_scale is LogprobScale.RAW
        cool, warm = [
            await said(
                engine, Prefix(QUESTION), 1, replace(GREEDY, temperature=each), alternatives=TOP
            )
            for each in (0.5, 2.0)
        ]
    shared = dict(cool.tokens[0].top).keys() & dict(warm.tokens[0].top).keys()
    assert len(shared) >= TOP - 1
    for text in shared:
        told = [dict(each.tokens[0].top)[text] for each in (cool, warm)]
        assert told[0] == pytest.approx(told[1], abs=TOLERANCE)

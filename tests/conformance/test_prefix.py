"""A prefix is continued from its last byte, wherever it was cut.

Between two tokens, inside a word or not, the continuation is the rest of the uncut text. Inside a
token it need not be: cut text is tokenized anew, in pieces the model would not have written
("Ask" + "ed" for "Asked"), and goes on as that. What must hold there is that the server's prompt
is the cut text to the byte, so the continuation is the one of the ids of exactly that text.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.figures import Figures
from tests.conformance.served import RealServer, Said, Served, said
from trigreason.bundled import problems
from trigreason.engines.base import Prefix
from trigreason.engines.completions import CompletionsEngine
from trigreason.reasoning import Message

CUTS = 20
LENGTH = 120
QUESTION = (Message("user", problems()[0].question),)
FOREIGN = (Message("user", "東京 – naïve 👩‍👩‍👧 ∑ Ω\u00a0: “who”? 😀😀"),)
CHARACTERS = 'root ::= ("漢" | "😀" | "é" | "ё" | "߷"){60}'
"""Bound to it a model writes nothing but characters of 2, 3 and 4 tokens, one per byte."""


@pytest.fixture(params=["srm", "lrm"])
def served(server: RealServer, request: pytest.FixtureRequest) -> Served:
    model: Served = getattr(server, request.param)
    return model


def cuts_between_tokens(whole: Said) -> list[int]:
    """20 token ends: those inside words, after blank lines, and others, as far apart as can be."""
    text, ends = whole.text, sorted(set(whole.ends[:-1]))
    in_words = [end for end in ends if text[end - 1].isalpha() and text[end].isalpha()]
    after_blank = [end for end in ends if text[:end].endswith("\n\n")]
    chosen = {*spread(in_words, 7), *spread(after_blank, 5)}
    others = [end for end in ends if end not in chosen]
    assert len(in_words) >= 3
    assert len(after_blank) >= 2
    return sorted({*chosen, *spread(others, CUTS - len(chosen))})


def cuts_inside_tokens(whole: Said) -> list[int]:
    between = {0, *whole.ends}
    return spread([at for at in range(len(whole.text)) if at not in between], CUTS)


def spread(items: list[int], count: int) -> list[int]:
    if len(items) <= count:
        return items
    return [items[index * len(items) // count] for index in range(count)]


async def test_between_tokens(served: Served) -> None:
    async with served.engine() as engine:
        whole = await said(engine, Prefix(QUESTION), LENGTH)
        cuts = cuts_between_tokens(whole)
        assert len(cuts) == CUTS
        rests = await asyncio.gather(
            *(
                said(engine, Prefix(QUESTION, whole.text[:at]), sum(end > at for end in whole.ends))
                for at in cuts
            )
        )
    for at, rest in zip(cuts, rests, strict=True):
        assert rest.text == whole.text[at:], f"cut after {whole.text[:at][-20:]!r}"


async def test_inside_tokens(server: RealServer, served: Served, figures: Figures) -> None:
    went_on = 0
    async with served.engine() as engine:
        whole = await said(engine, Prefix(QUESTION), LENGTH)
        cuts = cuts_inside_tokens(whole)
        assert len(cuts) == CUTS
        for at in cuts:
            prefix = Prefix(QUESTION, whole.text[:at])
            rest = await said(engine, prefix, 12)
            assert rest.text == await continued_from_ids(served, engine, prefix, 12)
            went_on += whole.text[at:].startswith(rest.text)
    model = "SRM" if served is server.srm else "LRM"
    figures.add(
        f"cuts inside a token that went on as uncut, {model}", server.name, f"{went_on} of {CUTS}"
    )


async def continued_from_ids(
    served: Served, engine: CompletionsEngine, prefix: Prefix, max_tokens: int
) -> str:
    """What the server writes after the ids of exactly the prefix's text."""
    text = engine.prompt(prefix)
    ids = await served.tokenized(text)
    assert await served.detokenized(ids) == text
    body = {"prompt": ids, "max_tokens": max_tokens, "temperature": 0}
    told = await served.completed(engine, body)
    written: str = told["choices"][0]["text"]
    return written


async def test_foreign_characters_arrive(served: Served) -> None:
    """Every cut of a text of many scripts, in the question and in the thinking."""
    written = "Ω ≈ 1 😀é\n\n漢字 – 👩‍👩‍👧."
    async with served.engine() as engine:
        for at in range(len(written) + 1):
            prefix = Prefix(FOREIGN, written[:at])
            told = await said(engine, prefix, 8)
            assert told.text == await continued_from_ids(served, engine, prefix, 8)
            ids = await served.tokenized(engine.prompt(prefix))
            assert told.stream.usage.prompt_tokens == len(ids)


async def test_inside_characters(served: Served) -> None:
    """A stream that ends inside a character gives the whole ones, and goes on from them."""
    async with served.engine(**served.wording.grammar(CHARACTERS)) as engine:
        whole = await said(engine, Prefix(FOREIGN), 60)
        inside = 0
        for tokens in range(1, CUTS + 1):
            begun = await said(engine, Prefix(FOREIGN), tokens)
            assert whole.text.startswith(begun.text)
            used = len(begun.text.encode())
            inside += used < tokens
            rest = await said(engine, Prefix(FOREIGN, begun.text), 60 - used)
            assert begun.text + rest.text == whole.text, f"cut after {tokens} tokens"
    assert inside >= CUTS // 4


async def test_nothing_written_yet(served: Served) -> None:
    """An empty prefix begins inside the thinking, which is opened once."""
    async with served.engine() as engine:
        assert engine.prompt(Prefix(QUESTION)).endswith("<|im_start|>assistant\n<think>\n")
        told = await said(engine, Prefix(QUESTION), 20)
        assert told.text == await continued_from_ids(served, engine, Prefix(QUESTION), 20)
        assert "<think>" not in told.text

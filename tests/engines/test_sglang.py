"""SGLang's own route: what its events mean, however the server streams them."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from tests.doubles.common import Manners, serve
from tests.doubles.sglang import SglangDouble
from trigreason.engines.base import (
    Capabilities,
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    Finish,
    NoLogprobs,
    Prefix,
    Request,
    Sampling,
    Usage,
)
from trigreason.engines.sglang import GenerateStream, SglangGenerateEngine
from trigreason.reasoning import Alternative, Message, Token

PREFIX = Prefix((Message("user", "Why?"),), "Because")


def engine(context: int | None = None) -> SglangGenerateEngine:
    capabilities = Capabilities(context_tokens=context, max_alternatives=10)
    return SglangGenerateEngine("http://x", "m", capabilities=capabilities)


def test_all_of_a_request() -> None:
    sampling = Sampling(seed=9)
    prompt = "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>\nBecause"
    parameters = {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": -1,
        "min_p": 0.0,
        "sampling_seed": 9,
        "repetition_penalty": 1.0,
        "max_new_tokens": 50,
    }
    assert engine().request_body(Request(PREFIX, sampling, 50, None)) == {
        "text": prompt,
        "sampling_params": parameters,
        "stream": True,
    }
    assert engine().request_body(Request(PREFIX, sampling, 50, 20, one_step=True)) == {
        "text": prompt,
        "sampling_params": parameters | {"stop": ["\n\n"], "no_stop_trim": True},
        "stream": True,
        "return_logprob": True,
        "top_logprobs_num": 10,
        "return_text_in_logprobs": True,
    }


def test_what_may_not_fit_is_left_open() -> None:
    """A token may be a single byte, one may stand before the prompt, and one is to spare."""
    prompt = len(engine().prompt(PREFIX).encode())
    for context, sent in ((None, 50), (prompt + 52, 50), (prompt + 51, None), (60, None)):
        body = engine(context).request_body(Request(PREFIX, Sampling(), 50, None))
        assert body["sampling_params"]["max_new_tokens"] == sent


class Told:
    """A stream that is told events, and what it makes of them."""

    def __init__(self, *, needs_logprobs: bool = False, max_tokens: int = 50) -> None:
        response: Any = SimpleNamespace()
        self.stream = GenerateStream(response, "m at there", needs_logprobs, max_tokens)

    def texts(self, text: str | None, **meta: Any) -> list[str]:
        return [token.text for token in self.tokens(text, **meta)]

    def tokens(self, text: str | None, **meta: Any) -> list[Token]:
        return list(self.stream.read(json.dumps({"text": text, "meta_info": meta}).encode()))


def chosen(*texts: str) -> list[tuple[float, int, str]]:
    return [(-0.5, 1, text) for text in texts]


def counts(tokens: int) -> dict[str, int]:
    return {"completion_tokens": tokens, "output_token_logprobs_length": tokens}


def test_everything_told_again() -> None:
    told = Told()
    assert told.texts("a", **counts(1), output_token_logprobs=chosen("a")) == ["a"]
    assert told.texts("a b", **counts(2), output_token_logprobs=chosen("a", " b")) == [" b"]
    assert told.texts("a b", **counts(2), output_token_logprobs=chosen("a", " b")) == []
    again = chosen("a", " b", " c", " d")
    assert told.texts("a b c d", **counts(4), output_token_logprobs=again) == [" c", " d"]


def test_increments() -> None:
    told = Told()
    assert told.texts("a", **counts(1), output_token_logprobs=chosen("a")) == ["a"]
    assert told.texts("a b", **counts(3), output_token_logprobs=chosen("a", " b")) == ["a", " b"]
    assert told.texts("", **counts(3)) == []
    assert told.texts("c", **counts(4), output_token_logprobs=chosen("c")) == ["c"]


def test_builds_that_do_not_count_the_logprobs() -> None:
    told = Told()
    assert told.texts("a", completion_tokens=1, output_token_logprobs=chosen("a")) == ["a"]
    both = chosen("a", "b")
    assert told.texts("ab", completion_tokens=2, output_token_logprobs=both) == ["b"]


def test_text_alone() -> None:
    cumulative, incremental = Told(), Told()
    assert [cumulative.texts(text) for text in ("So", "So x", "So x")] == [["So"], [" x"], []]
    assert [incremental.texts(text) for text in ("So", " x", "")] == [["So"], [" x"], []]


def test_half_a_character_is_held_back() -> None:
    told = Told()
    assert told.texts("", **counts(1), output_token_logprobs=chosen("\ufffd")) == [""]
    halves = chosen("\ufffd", "\ufffd")
    assert told.texts("é", **counts(2), output_token_logprobs=halves) == ["é"]


def test_text_without_a_token_of_its_own() -> None:
    told = Told(needs_logprobs=True)
    told.texts("", **counts(1), output_token_logprobs=chosen("a"))
    assert told.texts("a", **counts(1), output_token_logprobs=chosen("a")) == ["a"]


def test_alternatives_and_sentinels() -> None:
    told = Told()
    [first, second, third] = told.tokens(
        "abc",
        **counts(3),
        output_token_logprobs=[(-0.5, 7, "a"), (-9999.0, 8, "b"), (None, 9, "c")],
        output_top_logprobs=[[(-0.5, 7, "a"), (-1.0, 3, "z"), (-9999.0, 4, "y")], None],
    )
    assert first == Token("a", -0.5, 7, (Alternative("a", -0.5), Alternative("z", -1.0)))
    assert (second, third) == (Token("b", None, 8), Token("c", None, 9))


def test_texts_that_were_not_asked_for() -> None:
    [token] = Told().tokens("a", **counts(1), output_token_logprobs=[(-0.5, 7, None)])
    assert token == Token("a", -0.5, 7)


def test_usage_and_end() -> None:
    told = Told()
    told.texts("a", prompt_tokens=9, cached_tokens=4, completion_tokens=1)
    assert told.stream.usage == Usage(9, 4, 1)
    assert told.stream.finish is None
    told.texts("ab", completion_tokens=2, finish_reason={"type": "length", "length": 2})
    assert told.stream.usage == Usage(9, 4, 2)
    assert told.stream.finish is Finish.LENGTH
    assert not told.stream.over
    assert list(told.stream.read(b"[DONE]")) == []
    assert told.stream.over


def test_the_tokens_are_counted_here_too() -> None:
    told = Told(max_tokens=2)
    three = told.texts("abc", **counts(3), output_token_logprobs=chosen("a", "b", "c"))
    assert three == ["a", "b"]
    assert told.stream.finish is Finish.LENGTH
    assert told.stream.over
    assert told.stream.is_cut


@pytest.mark.parametrize(
    ("payload", "kind", "says"),
    [
        (b'{"error": {"message": "out of memory"}}', EngineFailed, "out of memory"),
        (b'{"error": "no"}', EngineFailed, "no"),
        (
            b'{"error": {"message": "The input (9 tokens) is longer than the model\'s context '
            b'length (8 tokens)."}}',
            ContextTooLong,
            "9 tokens",
        ),
        (
            b'{"meta_info": {"finish_reason": {"type": "abort", "message": "queue is full", '
            b'"status_code": 429}}}',
            EngineBusy,
            "queue is full",
        ),
        (b'{"meta_info": {"finish_reason": {"type": "abort"}}}', EngineFailed, "aborted"),
        (b"<html>", EngineFailed, "what SGLang does not send"),
        (b'{"text": "\xff"}', EngineFailed, "what SGLang does not send"),
        (b"[1]", EngineFailed, "what SGLang does not send"),
    ],
)
def test_failures(payload: bytes, kind: type[EngineError], says: str) -> None:
    with pytest.raises(kind, match=says) as caught:
        Told().stream.read(payload)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_no_logprobs_although_needed() -> None:
    with pytest.raises(NoLogprobs):
        Told(needs_logprobs=True).texts("a", completion_tokens=1)


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_an_abort_that_is_refused_is_nobodys_trouble(status: int) -> None:
    class Strict(SglangDouble):
        async def abort(self, request: web.Request) -> web.Response:
            await super().abort(request)
            return web.Response(status=status)

    double = Strict(Manners(pause=0.02))
    async with serve(double):
        own = SglangGenerateEngine(double.root, "m")
        async with own.send(Request(PREFIX, Sampling(), max_tokens=50)) as stream:
            await anext(aiter(stream))
        await own.close()
    assert len(double.aborted) == 1


async def test_a_reader_that_is_cancelled_before_the_first_token_aborts() -> None:
    class Slow(SglangDouble):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            self.bodies.append(await request.json())
            await asyncio.sleep(30)
            return web.Response()

    double = Slow()
    async with serve(double):
        own = SglangGenerateEngine(double.root, "m")
        with pytest.raises(TimeoutError):
            async with (
                asyncio.timeout(0.1),
                own.send(Request(PREFIX, Sampling(), max_tokens=50)),
            ):
                pass
        await own.close()
    assert double.aborted == [double.bodies[0]["rid"]]

"""Every API that goes on with a turn, by doubles; vLLM's chat route by a real server too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import soon
from tests.doubles.deepseek import DeepSeekDouble
from tests.doubles.groq import GroqDouble
from tests.doubles.mistral import MistralDouble
from tests.doubles.ollama import OllamaDouble
from tests.doubles.turns import KEY, TurnDouble, serving
from tests.doubles.vllm_chat import VllmChatDouble
from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    Finish,
    NoLogprobs,
    Prefix,
    Request,
    Sampling,
    TokenStream,
)
from trigreason.engines.chat_apis import DEEPSEEK, GROQ, MISTRAL, VLLM_CHAT, ChatApi
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.http import HttpEngine
from trigreason.engines.ollama import OllamaEngine
from trigreason.reasoning import Message, Token

TAG = "</think>"
TURN = f"Say x: é 🙂 <\n\nSo y < 3.\n{TAG}\n\nIt is 4, <b>not</b> 5."
OPENS, CLOSES = TURN.index(TAG), TURN.index(TAG) + len(TAG)
INSIDE_TAG = range(OPENS + 1, CLOSES)
QUESTION = (Message("system", "Be brief."), Message("user", "2 + 2?"))


@dataclass(frozen=True)
class Case:
    """An engine and its double; ``blind`` are the places where this API cannot go on.

    Nobody goes on inside the tag where thinking and answer are sorted: a step is never cut there.
    """

    double: Callable[..., TurnDouble]
    api: ChatApi | None = None
    sorts: bool = False
    blind: Sequence[int] = ()

    def engine(self, url: str, **how: Any) -> HttpEngine:
        if self.api is None:
            return OllamaEngine(url, "m", **how)
        return ChatPrefixEngine(url, "m", api=self.api, **how)


CASES = {
    "vllm-chat": Case(VllmChatDouble, VLLM_CHAT),
    # with a parser, an answer at once looks like more thinking
    "vllm-chat sorted": Case(VllmChatDouble, VLLM_CHAT, True, range(OPENS, CLOSES)),
    # what is said is empty, so the thinking counts as open
    "deepseek": Case(DeepSeekDouble, DEEPSEEK, True, (*INSIDE_TAG, CLOSES)),
    "mistral": Case(MistralDouble, MISTRAL, True, INSIDE_TAG),
    "groq": Case(GroqDouble, GROQ),
    "groq sorted": Case(GroqDouble, GROQ, True, range(OPENS, CLOSES)),
    "ollama": Case(OllamaDouble),
}
every = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@asynccontextmanager
async def running(
    case: Case, turn: str = TURN, key: str | None = None, **quirks: Any
) -> AsyncIterator[tuple[HttpEngine, Any]]:
    async with serving(case.double(turn=turn, **{"sorts": case.sorts, **quirks})) as double:
        engine = case.engine(double.url, api_key=key)
        try:
            yield engine, double
        finally:
            await engine.close()


async def read(
    engine: HttpEngine, prefix: Prefix, into: list[Token] | None = None, **how: Any
) -> tuple[list[Token], TokenStream]:
    sampling = how.pop("sampling", Sampling(seed=7))
    tokens: list[Token] = [] if into is None else into
    async with engine.send(Request(prefix, sampling, **{"max_tokens": 900, **how})) as stream:
        async for arrival in stream:
            tokens += arrival
    return tokens, stream


def joined(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)


@every
async def test_every_place_to_go_on_from(case: Case) -> None:
    async with running(case) as (engine, _):
        for place in range(len(TURN) + 1):
            if place not in case.blind:
                tokens, stream = await read(engine, Prefix(QUESTION, TURN[:place]))
                assert joined(tokens) == TURN[place:], place
                assert stream.finish is Finish.STOP


@every
@pytest.mark.parametrize(
    "quirks",
    [
        {"per_chunk": 3},
        {"sizes": (1,)},
        {"sizes": (200,)},
        {"sizes": (7, 2), "per_chunk": 2, "keep_alive": True},
        {"restarts": True},
        {"restarts": True, "sizes": (1,)},
        {"restarts": True, "sizes": (300,)},
    ],
    ids=str,
)
async def test_the_text_is_the_same_however_it_comes(case: Case, quirks: dict[str, Any]) -> None:
    if case.api is None:
        quirks = {**quirks, "keep_alive": False}  # lines of JSON have no comments
    async with running(case, **quirks) as (engine, _):
        tokens, stream = await read(engine, Prefix(QUESTION, "Say x"))
    assert joined(tokens) == TURN[len("Say x") :]
    assert all(token.text for token in tokens)
    assert stream.usage.prompt_tokens == 30
    assert stream.usage.completion_tokens
    if case.api not in (None, MISTRAL):
        assert stream.usage.cached_tokens == 20


@pytest.mark.parametrize("name", ["vllm-chat sorted", "deepseek", "mistral", "groq sorted"])
async def test_the_end_of_the_thinking_is_a_token_of_its_own(name: str) -> None:
    async with running(CASES[name], per_chunk=50) as (engine, _):
        tokens, _ = await read(engine, Prefix(QUESTION, "Say x"))
    assert [token.text.strip() for token in tokens].count(TAG) == 1


async def test_mistral_without_its_echo() -> None:
    async with running(CASES["mistral"], echoes=False) as (engine, _):
        tokens, _ = await read(engine, Prefix(QUESTION, "Say x"))
    assert joined(tokens) == TURN[len("Say x") :]


@every
async def test_limits(case: Case) -> None:
    async with running(case, sizes=(2,)) as (engine, _):
        tokens, stream = await read(engine, Prefix(QUESTION), max_tokens=3)
    assert joined(tokens) == TURN[:6]
    assert stream.finish is Finish.LENGTH


@every
@pytest.mark.parametrize("begun", ["", "Say x"])
async def test_one_step(case: Case, begun: str) -> None:
    step = TURN[: TURN.index("\n\n") + 2]
    async with running(case) as (engine, double):
        tokens, _ = await read(engine, Prefix(QUESTION, begun), one_step=True)
        assert begun + joined(tokens) == step
        answer = TURN[: CLOSES + 2]
        tokens, _ = await read(engine, Prefix(QUESTION, answer), one_step=True)
        assert joined(tokens) == TURN[len(answer) :], "an answer is not followed by a blank line"
    sent = double.bodies[0]
    assert sent.get("options", sent)["stop"] == ["\n\n"]


@pytest.mark.parametrize("name", ["vllm-chat", "vllm-chat sorted", "ollama"])
@pytest.mark.parametrize("withholds", [False, True])
async def test_logprobs(name: str, withholds: bool) -> None:
    async with running(CASES[name], withholds=withholds) as (engine, _):
        tokens, _ = await read(
            engine, Prefix(QUESTION, "Say x"), alternatives=0, needs_logprobs=True
        )
        plain, _ = await read(engine, Prefix(QUESTION, "Say x"))
    assert joined(tokens) == joined(plain) == TURN[len("Say x") :]
    known = [token for token in tokens if token.logprob is not None]
    if not withholds:
        assert [token.text for token in tokens if token.logprob is None] in ([], [TAG])
    assert {token.logprob for token in known} == {-0.25}
    assert len(known) >= len(plain) - 1
    assert {token.logprob for token in plain} == {None}


@pytest.mark.parametrize("name", ["deepseek", "mistral", "groq"])
async def test_no_logprobs_is_said_before_anything_is_sent(name: str) -> None:
    async with running(CASES[name]) as (engine, double):
        with pytest.raises(NoLogprobs, match="rho = 1"):
            await read(engine, Prefix(QUESTION), alternatives=0, needs_logprobs=True)
        assert double.bodies == []
        tokens, _ = await read(engine, Prefix(QUESTION), alternatives=0)
    assert joined(tokens) == TURN


@pytest.mark.parametrize(
    ("name", "quirk"), [("vllm-chat", {"probable": False}), ("ollama", {"version": (0, 12, 10)})]
)
async def test_no_logprobs_although_asked(name: str, quirk: dict[str, Any]) -> None:
    async with running(CASES[name], **quirk) as (engine, _):
        with pytest.raises(NoLogprobs):
            await read(engine, Prefix(QUESTION), alternatives=0, needs_logprobs=True)
        tokens, _ = await read(engine, Prefix(QUESTION), alternatives=0)
    assert joined(tokens) == TURN


@every
@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("content_filter", EngineRefused),
        ("tool_calls", EngineRefused),
        ("insufficient_system_resource", EngineFailed),
        ("error", EngineFailed),
    ],
)
async def test_ends_that_are_failures(case: Case, reason: str, kind: type[EngineError]) -> None:
    arrived: list[Token] = []
    async with running(case, finish=reason) as (engine, _):
        with pytest.raises(kind):
            await read(engine, Prefix(QUESTION), into=arrived)
    assert joined(arrived) == TURN


ERRORS: list[tuple[str, dict[str, Any], type[EngineError]]] = [
    ("vllm-chat", {"error": {"message": "no", "type": "E", "code": 400}}, EngineRefused),
    ("deepseek", {"error": {"message": "busy", "type": "E", "code": 429}}, EngineBusy),
    ("deepseek", {"error": {"message": "no", "code": "invalid_request_error"}}, EngineRefused),
    ("groq", {"id": "req", "error": "over capacity"}, EngineFailed),
    ("ollama", {"error": "model runner has unexpectedly stopped"}, EngineFailed),
]


@pytest.mark.parametrize(("name", "error", "kind"), ERRORS)
async def test_errors_in_the_stream(
    name: str, error: dict[str, Any], kind: type[EngineError]
) -> None:
    arrived: list[Token] = []
    async with running(CASES[name], error=error) as (engine, _):
        with pytest.raises(kind) as caught:
            await read(engine, Prefix(QUESTION), into=arrived)
    assert type(caught.value) is kind
    assert joined(arrived) == TURN


@every
async def test_a_key_shows_nowhere(case: Case) -> None:
    async with running(case, key=KEY) as (engine, _):
        tokens, _ = await read(engine, Prefix(QUESTION))
        assert joined(tokens) == TURN
        assert KEY not in repr(engine)
    async with running(case, key="sk-wrong") as (engine, double):
        with pytest.raises(EngineRefused, match="Check the API key") as caught:
            await read(engine, Prefix(QUESTION))
        assert "sk-wrong" not in f"{caught.value!r} {caught.value} {engine!r}"
        assert "sk-wrong" not in repr(double.bodies)


@every
async def test_leaving_early_closes_the_stream_upstream(case: Case) -> None:
    async with running(case, turn=TURN * 40, pause=0.005) as (engine, double):
        async with engine.send(Request(Prefix(QUESTION), Sampling(), max_tokens=900)) as stream:
            await anext(aiter(stream))
            assert double.open_streams == 1
        assert await soon(lambda: double.disconnects == 1)


@every
async def test_nobody_there(case: Case) -> None:
    engine = case.engine("http://127.0.0.1:9")
    with pytest.raises(EngineUnreachable):
        await read(engine, Prefix(QUESTION))
    await engine.close()


@pytest.mark.parametrize(
    ("name", "root", "wrong", "told"),
    [
        ("deepseek", "/v1", {}, "needs the beta base URL"),
        ("deepseek", "/beta", {"logprobs": True}, "not supported in thinking mode"),
        ("deepseek", "/beta", {"stop": ["x"] * 17}, "out of range"),
        ("deepseek", "/beta", {"seed": 1}, "unknown parameters"),
        ("mistral", "/v1", {"seed": 1}, "Extra inputs are not permitted"),
        ("mistral", "/v1", {"stream_options": {}}, "Extra inputs are not permitted"),
        ("mistral", "/v1", {"temperature": 0, "top_p": 0.9}, "top_p must be 1"),
        ("groq", "/v1", {"logprobs": True}, "'logprobs' is unsupported"),
        ("groq", "/v1", {"stop": ["x"] * 5}, "out of range"),
        ("vllm-chat", "/v1", {"add_generation_prompt": True}, "Cannot set both"),
        ("vllm-chat", "/v1", {"top_logprobs": 1}, "needs logprobs"),
    ],
)
async def test_the_doubles_refuse_what_their_apis_refuse(
    name: str, root: str, wrong: dict[str, Any], told: str
) -> None:
    async with running(CASES[name]) as (engine, double):
        assert isinstance(engine, ChatPrefixEngine)
        engine.url = double.url.removesuffix(double.root) + root
        body = engine.request_body(Request(Prefix(QUESTION, "Say"), Sampling(), 9, None))
        with pytest.raises(EngineRefused, match=told):
            await anext(aiter_of(engine, body | wrong))


async def aiter_of(engine: HttpEngine, body: dict[str, Any]) -> AsyncIterator[None]:
    async with engine.post("/chat/completions", body):
        yield None


async def test_more_than_fits_is_asked_for_again() -> None:
    async with running(CASES["vllm-chat"]) as (engine, double):
        tokens, _ = await read(engine, Prefix(QUESTION), max_tokens=4000)
    assert joined(tokens) == TURN
    assert [body["max_tokens"] for body in double.bodies] == [4000, 999]


async def test_what_is_no_chat() -> None:
    odd = {"choices": [{"delta": {"content": 5}}]}
    async with running(CASES["deepseek"], error=odd) as (engine, _):
        with pytest.raises(EngineFailed, match="no chat completion"):
            await read(engine, Prefix(QUESTION))


async def test_ollama_without_room() -> None:
    async with running(CASES["ollama"], context=20) as (engine, _):
        with pytest.raises(ContextTooLong, match="exceeds the available context"):
            await read(engine, Prefix(QUESTION, "Say x"))

"""Answers that a JSON schema binds, while the thinking is free."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs import told
from tests.scripted_server import Double, Reply, say, scripted_pair
from trigreason.budget import Budget
from trigreason.engines.base import AnswerUnfit, Capabilities, Prefix, Request, Sampling
from trigreason.engines.chat_apis import CHAT_APIS
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.dialects import FIREWORKS, LLAMA_CPP, SGLANG, VLLM
from trigreason.engines.guides import ANY_OBJECT, MAX_DEPTH, Guide, SchemaInvalid, unfenced
from trigreason.engines.ollama import OllamaEngine
from trigreason.engines.sglang import SglangGenerateEngine
from trigreason.failure import FailurePolicy
from trigreason.reasoning import Author, Message, Purpose, StopReason, Thresholds

SCHEMA = {
    "type": "object",
    "properties": {"größe": {"$ref": "#/$defs/size"}},
    "required": ["größe"],
    "additionalProperties": False,
    "$defs": {"size": {"type": "integer", "minimum": 0}},
}
GUIDE = Guide(SCHEMA)
GOOD = '{"größe": 4}'
CALM = Thresholds(n=0, rho=1, m=1)
"""The LRM takes part, and nothing calls it here."""

GUIDED = Capabilities(guides=True)
AT_ONCE = FailurePolicy(backoff_seconds=0)


async def bound(double: Double, **how: Any) -> Any:
    return await told(double.pair, thresholds=CALM, guide=GUIDE, **how)


def in_the_open(double: Double) -> None:
    double.pair.srm.tags = double.pair.lrm.tags = None


# The run


async def test_the_thinking_is_free_and_the_answer_bound() -> None:
    srm, lrm = [say("Two and two.</think>Free text.")], [say(GOOD)]
    async with scripted_pair(srm, lrm, capabilities=GUIDED) as double:
        run = await bound(double)
    assert (run.thinking, run.answer) == ("Two and two.", GOOD)
    assert "json_schema" not in double.srm.bodies[0]
    assert (
        double.lrm.prompts[0]
        .partition("assistant\n")[2]
        .startswith("<think>\nTwo and two.\n</think>\n\nThe answer as JSON")
    )
    assert [(each.author, each.purpose) for each in run.trace.stretches] == [
        (Author.SRM, Purpose.WRITE),
        (Author.LRM, Purpose.ANSWER),
    ]
    assert run.trace.stop is StopReason.COMPLETE
    assert run.trace.answer_author is Author.LRM


async def test_all_text_in_the_open_is_thinking() -> None:
    async with scripted_pair([say("So \\boxed{4}.")], [say(GOOD)]) as double:
        in_the_open(double)
        run = await bound(double)
    assert (run.thinking, run.answer, run.trace.reply) == ("So \\boxed{4}.", GOOD, GOOD)
    assert not run.trace.in_the_open
    prompt = double.lrm.prompts[0]
    assert "assistant\nSo \\boxed{4}.\n\nThe answer as JSON" in prompt
    assert "think>" not in prompt


@pytest.mark.parametrize(
    ("method", "wanted", "author"),
    [
        ("trigreason", Author.LRM, Author.LRM),
        ("trigreason", Author.SRM, Author.SRM),
        ("srm", Author.LRM, Author.SRM),
        ("lrm", Author.SRM, Author.LRM),
    ],
)
async def test_who_writes_it(method: str, wanted: Author, author: Author) -> None:
    def script(body: Mapping[str, Any]) -> Reply:
        return say(GOOD if "</think>" in body["prompt"] else "Yes.</think>")

    async with scripted_pair(script, script, bound_answer=wanted) as double:
        run = await bound(double, method=method)
    assert run.trace.answer_author is author


async def test_an_invalid_answer_is_requested_once_more() -> None:
    lrm = [say('{"größe": -1}'), say(f"```json\n{GOOD}\n```")]
    async with scripted_pair([say("Yes.</think>")], lrm) as double:
        run = await bound(double)
    assert run.answer == GOOD
    assert "-1 is less than the minimum of 0" in double.lrm.prompts[1]
    first, second = run.trace.stretches[1:]
    assert first.unused_tokens == first.completion_tokens > 0
    assert second.unused_tokens == 0


async def test_two_invalid_answers_are_an_error() -> None:
    async with scripted_pair([say("Yes.</think>")], [say("No."), say("[]")]) as double:
        with pytest.raises(AnswerUnfit, match="is not of type") as raised:
            await bound(double)
        assert len(double.lrm.bodies) == 2
    assert raised.value.details["trace"].thinking == "Yes."


async def test_an_answer_that_is_cut_off_is_no_invalid_one() -> None:
    async with scripted_pair([say("Yes.</think>")], [say(GOOD)]) as double:
        run = await bound(double, budget=Budget(answer_tokens=1))
    assert run.answer == '{"größe":'
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "answer_tokens")


async def test_an_answer_that_breaks_off_is_begun_anew() -> None:
    lrm = [say('{"größe":', then="break"), say(GOOD)]
    srm = [say("Yes.</think>")]
    async with scripted_pair(srm, lrm, failure=AT_ONCE) as double:
        run = await bound(double)
        assert double.lrm.prompts[0] == double.lrm.prompts[1]
    assert run.answer == GOOD
    assert run.trace.stretches[1].unused_tokens == run.trace.stretches[1].completion_tokens


async def test_the_other_model_writes_it_if_its_author_is_away() -> None:
    failure = replace(AT_ONCE, retries=0)
    lrm = [Reply([], status=500)] * 3
    async with scripted_pair([say("Yes.</think>"), say(GOOD)], lrm, failure=failure) as double:
        run = await bound(double)
    assert run.answer == GOOD
    assert run.trace.answer_author is Author.SRM
    assert run.trace.degraded is not None


async def test_a_budget_closes_the_thinking() -> None:
    async with scripted_pair([say("One two three four.")], [say(GOOD)]) as double:
        in_the_open(double)
        run = await bound(double, budget=Budget(thinking_tokens=2))
    assert (run.answer, run.trace.stop) == (GOOD, StopReason.CLOSED)
    assert run.trace.limit == "thinking_tokens"


# The requests

REQUEST = Request(Prefix((Message("user", "?"),)), Sampling(), 9, guide=GUIDE)
NAMED = {"name": "answer", "schema": SCHEMA, "strict": True}
FORMAT = {"response_format": {"type": "json_schema", "json_schema": NAMED}}
OBJECT = {"response_format": {"type": "json_object"}}


def completing(dialect: Any) -> CompletionsEngine:
    return CompletionsEngine("http://x/v1", "m", dialect=dialect)


def chatting(name: str) -> ChatPrefixEngine:
    return ChatPrefixEngine("http://x/v1", "m", api=CHAT_APIS[name])


@pytest.mark.parametrize(
    ("engine", "fields", "guides"),
    [
        (completing(VLLM), FORMAT, True),
        (completing(SGLANG), {"json_schema": json.dumps(SCHEMA)}, True),
        (completing(LLAMA_CPP), {"json_schema": SCHEMA}, True),
        (completing(FIREWORKS), FORMAT, True),
        (OllamaEngine("http://x", "m"), {"format": SCHEMA}, True),
        (chatting("vllm-chat"), FORMAT, True),
        (chatting("deepseek"), OBJECT, False),
        (chatting("groq"), {}, False),
        (CompletionsEngine("http://x/v1", "m"), {}, False),
    ],
)
def test_how_each_server_is_told(engine: Any, fields: dict[str, Any], guides: bool) -> None:
    free = engine.request_body(replace(REQUEST, guide=None))
    body = engine.request_body(REQUEST)
    assert {key: value for key, value in body.items() if key not in free} == fields
    assert engine.capabilities.guides is guides


def test_sglang_generate_is_told_in_its_parameters() -> None:
    body = SglangGenerateEngine("http://x", "m").request_body(REQUEST)
    assert body["sampling_params"]["json_schema"] == json.dumps(SCHEMA)


def test_any_object_is_asked_for_by_its_own_name() -> None:
    assert completing(VLLM).request_body(replace(REQUEST, guide=Guide(ANY_OBJECT)))[
        "response_format"
    ] == {"type": "json_object"}


# The schema


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth > 1 else {}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "objekt"}, ("type",)),
        ({"properties": {"ä": {"type": "strng"}}}, ("properties", "ä", "type")),
        ({"$ref": "http://127.0.0.1:1/x"}, ()),
        ({"$ref": "#/$defs/nowhere"}, ()),
        ({"pattern": "(?=a)"}, ("pattern",)),
        ({"$schema": "http://127.0.0.1:1/x"}, ()),
        ({"description": "x" * 40_000}, ()),
        (nested(MAX_DEPTH + 1), ()),
    ],
)
def test_a_schema_that_cannot_be_used(schema: dict[str, Any], path: tuple[str, ...]) -> None:
    with pytest.raises(SchemaInvalid) as raised:
        Guide(schema)
    assert raised.value.path == path


def test_the_deepest_schema() -> None:
    assert Guide(nested(MAX_DEPTH)).json_schema


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD, None),
        ('{"größe": 4.5}', '["größe"]: 4.5 is not of type "integer"'),
        ("{}", 'the value: "größe" is a required property'),
        ("", "it is not JSON"),
        ('{"größe": NaN}', "it is not JSON (NaN"),
        (f"{GOOD} and more", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_wrong_with_a_text(text: str, problem: str | None) -> None:
    found = GUIDE.problem(text)
    assert found is problem if problem is None else (found or "").startswith(problem)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow
@given(JSON, st.booleans())
def test_a_value_fits_the_schema_of_itself_alone(value: Any, fenced: bool) -> None:
    text = json.dumps(value, ensure_ascii=False)
    guide = Guide({"const": value})
    assert guide.problem(unfenced(f"```json\n{text}\n```" if fenced else text)) is None
    assert guide.problem(json.dumps([value])) is not None

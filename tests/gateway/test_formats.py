"""The format that a client wants, in both APIs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import asked_gateway
from tests.gateway.responses.states import state
from tests.gateway.scripted import pair_toml, scripted
from tests.scripted_server import say
from trigreason.engines.guides import ANY_OBJECT
from trigreason.gateway.chat.request import ChatRequest
from trigreason.gateway.errors import ApiError
from trigreason.gateway.responses.request import ResponsesRequest

SCHEMA = {"type": "object", "properties": {"ß": {"type": "integer"}}, "required": ["ß"]}
MESSAGES = [{"role": "user", "content": "?"}]


def chat_guide(wanted: dict[str, Any]) -> Any:
    fields = {"model": "p", "messages": MESSAGES, "response_format": wanted}
    return ChatRequest.model_validate(fields).parsed().guide


def responses_guide(wanted: dict[str, Any]) -> Any:
    fields = {"model": "p", "input": "?", "text": {"format": wanted}}
    return ResponsesRequest.model_validate(fields).parsed(state()).guide


def test_text_binds_nothing() -> None:
    assert chat_guide({"type": "text"}) is responses_guide({"type": "text"}) is None


def test_any_object() -> None:
    for guide in (chat_guide({"type": "json_object"}), responses_guide({"type": "json_object"})):
        assert guide.json_schema == ANY_OBJECT
    assert chat_guide({"type": "json_object", "schema": {}}).json_schema == ANY_OBJECT


def test_a_schema() -> None:
    named = {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"}
    assert chat_guide({"type": "json_schema", "json_schema": named}).json_schema == SCHEMA
    assert responses_guide({"type": "json_schema", **named}).json_schema == SCHEMA


def test_a_schema_beside_the_type() -> None:
    for kind in ("json_object", "json_schema"):
        assert chat_guide({"type": kind, "schema": SCHEMA}).json_schema == SCHEMA
    assert responses_guide({"type": "json_object", "schema": SCHEMA}).json_schema == SCHEMA
    with pytest.raises(ApiError) as raised:
        chat_guide({"type": "json_object", "schema": {"type": "strng"}})
    assert raised.value.param == "response_format.schema.type"


def test_a_fault_of_a_schema_is_named_by_its_place() -> None:
    named = {"name": "n", "schema": {"properties": {"ß": {"type": "strng"}}}}
    with pytest.raises(ApiError) as raised:
        chat_guide({"type": "json_schema", "json_schema": named})
    assert raised.value.param == "response_format.json_schema.schema.properties.ß.type"
    with pytest.raises(ApiError) as raised:
        responses_guide({"type": "json_schema", **named})
    assert raised.value.param == "text.format.schema.properties.ß.type"
    with pytest.raises(ApiError) as raised:
        chat_guide({"type": "json_schema"})
    assert raised.value.param == "response_format.json_schema"
    with pytest.raises(ApiError) as raised:
        responses_guide({"type": "json_schema"})
    assert raised.value.param == "text.format.schema"


ROW = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
OPEN = "thresholds = { n = 0, rho = 1.0, m = 1 }\n"


def open_pair(url: str) -> str:
    return pair_toml(url).replace(f'url = "{url}"\n', f'url = "{url}"\nthinking = "open"\n') + OPEN


@pytest.mark.parametrize("streamed", [False, True])
async def test_open_text_is_reasoning_and_the_bound_json_alone_is_content(
    tmp_path: Path, streamed: bool
) -> None:
    async with (
        scripted([say("We add."), say('{"ß": "4"}'), say('{"ß": 4}')]) as server,
        asked_gateway(tmp_path, open_pair(server.url)) as client,
    ):
        told = await client.chat("Why?", model="p", response_format=ROW, stream=streamed)
    content = told.joined("content") if streamed else told.message["content"]
    reasoning = told.joined("reasoning_content") if streamed else told.message["reasoning_content"]
    assert (json.loads(content), reasoning) == ({"ß": 4}, "We add.")


async def test_an_answer_that_never_fits_is_a_typed_error(tmp_path: Path) -> None:
    async with (
        scripted([say("We add."), say("No."), say("No.")]) as server,
        asked_gateway(tmp_path, open_pair(server.url)) as client,
    ):
        told = await client.chat("Why?", model="p", response_format=ROW)
    assert (told.status, told.error["code"]) == (502, "schema_not_met")


async def test_a_cut_answer_has_the_finish_reason_length(tmp_path: Path) -> None:
    async with (
        scripted([say("We add one and two and three."), say('{"ß": 4}')]) as server,
        asked_gateway(tmp_path, open_pair(server.url)) as client,
    ):
        told = await client.chat("Why?", model="p", response_format=ROW, max_tokens=4)
        assert [body["max_tokens"] for body in server.bodies][-1] == 1
    assert told.body["choices"][0]["finish_reason"] == "length"
    assert told.message["content"] == '{"ß":'


@pytest.mark.slow
async def test_the_bundled_pair_answers_by_a_schema(tmp_path: Path) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "boolean"}}}
    async with asked_gateway(tmp_path) as client:
        told = await client.chat(response_format=wanted)
    assert told.message["content"] in ("true", "false")
    assert told.message["reasoning_content"].strip()

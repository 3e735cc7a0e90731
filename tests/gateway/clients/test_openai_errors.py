"""What OpenAI's Python package raises for what the gateway refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients.conftest import MISSING, TURN
from tests.gateway.serving import GatewayProcess
from tests.servers import ROOT

pytestmark = pytest.mark.slow
openai: Any = pytest.importorskip("openai", reason=MISSING)

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


def client(url: str, key: str = "none") -> Any:
    return openai.OpenAI(base_url=url, api_key=key, max_retries=0)


def ask(client: Any, **fields: Any) -> Any:
    return client.chat.completions.create(**{"model": "bundled", "messages": TURN} | fields)


def test_a_model_that_does_not_exist(url: str) -> None:
    with pytest.raises(openai.NotFoundError, match="Did you mean 'bundled'") as raised:
        ask(client(url), model="bundle")
    assert raised.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client(url).responses.create(model="gpt-4o", input="hello")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [TOOL]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0]"),
        ({"messages": []}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"n": 1000}, "n"),
        ({"extra_body": {"grammar": "root ::= x"}}, "grammar"),
    ],
)
def test_a_bad_chat_request_names_its_field(url: str, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client(url), **fields)
    assert raised.value.param == param
    assert raised.value.type == "invalid_request_error"


def test_fields_without_effect_are_named_in_a_header(url: str) -> None:
    asked = client(url).chat.completions.with_raw_response.create(
        model="bundled", messages=TURN, presence_penalty=1, extra_body={"best_of": 2}
    )
    named = asked.headers["x-trigreason-ignored"].split(", ")
    assert sorted(named) == ["best_of", "presence_penalty"]
    assert asked.parse().choices[0].message.content


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "input[0].content[0]",
        ),
    ],
)
def test_a_bad_request_for_a_response_names_its_field(
    url: str, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client(url).responses.create(**{"model": "bundled", "input": "hello"} | fields)
    assert raised.value.param == param


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A gateway that asks for a key, and a key that may send one request a minute."""
    folder = tmp_path_factory.mktemp("locked")
    key = new_key(folder, "--requests-per-minute", "1")
    gateway = GatewayProcess(folder)
    try:
        gateway.wait_until_ready()
        yield f"{gateway.url}/v1", key
    finally:
        gateway.stop()


def new_key(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "trigreason", "keys", "create", "test", *arguments]
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    made = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return made.stdout.strip()


def test_a_key_that_is_not_in_force(locked: tuple[str, str]) -> None:
    with pytest.raises(openai.AuthenticationError):
        ask(client(locked[0], "sk-unknown"))


def test_a_key_that_has_used_up_its_minute(locked: tuple[str, str]) -> None:
    def ask_thrice() -> None:  # a new minute may begin in between
        for _ in range(3):
            ask(client(*locked), max_tokens=2)

    with pytest.raises(openai.RateLimitError) as raised:
        ask_thrice()
    assert raised.value.code == "rate_limit_exceeded"
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 60

"""A pair of real instruct models, with two tokenizers: from a question to its answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.cli.commands import Command, command
from tests.gateway.serving import GatewayProcess
from tests.real_models import QWEN, SMOLLM, model_file
from trigreason.reasoning import Purpose, Trace, replay, trace_from_json

__all__ = ["command"]
pytestmark = pytest.mark.slow

QUESTION = "What is 12 + 30? Think in two short steps, and put the answer within \\boxed{}."
PAIR = """
default_pair = "open"
[engines.small]
file = "{small}"
context_tokens = 1024
[engines.large]
file = "{large}"
context_tokens = 1024
[pairs.open]
srm = "small"
lrm = "large"
thresholds = {{ n = 1 }}
budget = {{ thinking_tokens = 160 }}
sampling = {{ temperature = 0.0 }}
"""


@pytest.fixture
def toml(tmp_path: Path) -> str:
    return PAIR.format(small=model_file(SMOLLM), large=model_file(QWEN))


def test_an_answer_in_the_open_is_asked_for_once(
    command: Command, tmp_path: Path, toml: str
) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(toml)
    left = command("solve", QUESTION, "--config", str(file), "--json", "--method", "lrm")
    trace = trace_from_json(left.json)
    assert left.code == 0, left.err
    assert trace.in_the_open
    assert [each.purpose for each in trace.stretches] == [Purpose.WRITE]
    assert left.json["answer"] in trace.thinking
    assert left.json["boxed"] == "42"
    assert left.json["stop"] == "complete"


def test_two_models_write_one_text(command: Command, tmp_path: Path, toml: str) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(toml)
    left = command("solve", QUESTION, "--config", str(file), "--json")
    trace: Trace = trace_from_json(left.json)
    assert {step.author for step in trace.steps} == {"srm", "lrm"}
    assert {each.purpose for each in trace.stretches} == {Purpose.WRITE}
    assert "think>" not in trace.thinking
    assert "\ufffd" not in trace.thinking
    assert all(each is not None for step in trace.steps for each in step.logprobs)
    assert not any(each.agrees is False for each in replay(trace))


def asked(url: str, **fields: Any) -> bytes:
    body = {"model": "open", "messages": [{"role": "user", "content": QUESTION}], **fields}
    request = Request(
        f"{url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urlopen(request, timeout=120) as answer:
        read: bytes = answer.read()
    return read


def test_four_requests_at_once_run_at_once(tmp_path: Path, toml: str) -> None:
    process = GatewayProcess(tmp_path, toml)
    try:
        process.wait_until_ready()
        began = perf_counter()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda seed: asked(process.url, seed=seed), range(4)))
        took = perf_counter() - began
    finally:
        process.stop()
    told = [json.loads(each)["trigreason"] for each in answers]
    assert all(each["queued_seconds"] < 0.5 for each in told)
    assert sum(each["seconds"] for each in told) > 1.5 * took


def test_clients_of_the_gateway_get_the_text_as_content(tmp_path: Path, toml: str) -> None:
    process = GatewayProcess(tmp_path, toml)
    try:
        process.wait_until_ready()
        whole = json.loads(asked(process.url, seed=1))
        streamed = asked(process.url, seed=1, stream=True)
    finally:
        process.stop()
    message = whole["choices"][0]["message"]
    assert message["content"].strip()
    assert message["reasoning_content"] == ""
    usage = whole["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 0
    assert usage["completion_tokens"] > 0
    lines = [line[6:] for line in streamed.splitlines() if line.startswith(b"data: {")]
    deltas = [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]
    assert not any("reasoning_content" in delta for delta in deltas)
    assert "".join(delta.get("content") or "" for delta in deltas).strip()


def test_twenty_answers_are_bound_and_their_thinking_is_free(tmp_path: Path, toml: str) -> None:
    schema = {
        "type": "object",
        "properties": {"sum": {"type": "integer"}, "is_even": {"type": "boolean"}},
        "required": ["sum", "is_even"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "sum", "schema": schema}}

    def answered(number: int) -> dict[str, str]:
        turn = {"role": "user", "content": f"What is {number} + {number + 7}? Think step by step."}
        how = {"response_format": form, "seed": number, "trigreason": {"thinking_tokens": 64}}
        told = json.loads(asked(process.url, messages=[turn], **how))
        message: dict[str, str] = told["choices"][0]["message"]
        return message

    process = GatewayProcess(tmp_path, toml)
    try:
        process.wait_until_ready()
        with ThreadPoolExecutor(4) as pool:
            messages = list(pool.map(answered, range(20)))
    finally:
        process.stop()
    for message in messages:
        assert {name: type(value) for name, value in json.loads(message["content"]).items()} == {
            "sum": int,
            "is_even": bool,
        }
        thinking = message["reasoning_content"].strip()
        assert thinking
        assert not thinking.startswith("{")

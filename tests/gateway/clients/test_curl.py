"""Plain curl: the very bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.gateway.serving import QUESTION, chat, chunks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def post(url: str, body: dict[str, Any]) -> tuple[str, dict[str, str], str]:
    """The status line, the headers and the body of an answer."""
    sent = ["-H", "content-type: application/json", "-d", json.dumps(body)]
    command = ["curl", "-sS", "-N", "-i", "--max-time", "60", *sent, url]
    ran = subprocess.run(command, check=True, capture_output=True)
    head, _, told = ran.stdout.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return status, {name.lower(): text for name, _, text in fields}, told


def test_an_answer_in_one_piece(url: str) -> None:
    status, headers, body = post(f"{url}/chat/completions", chat())
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"] == "application/json"
    assert headers["x-trigreason-id"] == json.loads(body)["id"]
    assert headers["x-trigreason-degraded"] == "false"
    assert int(headers["content-length"]) == len(body.encode())


def test_a_stream_of_chunks(url: str) -> None:
    status, headers, body = post(f"{url}/chat/completions", chat(stream=True))
    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-trigreason-pair"] == "bundled"
    lines = body.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    told = chunks(lines)
    assert len(told) == len(lines) - 2
    assert {chunk["id"] for chunk in told} == {headers["x-trigreason-id"]}
    assert {chunk["object"] for chunk in told} == {"chat.completion.chunk"}


def test_a_stream_of_events(url: str) -> None:
    asked = {"model": "bundled", "input": QUESTION, "stream": True}
    _, headers, body = post(f"{url}/responses", asked)
    assert headers["content-type"] == "text/event-stream"
    blocks = [block.split("\n") for block in body.split("\n\n")[:-1]]
    for number, (name, data) in enumerate(blocks):
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == number
    assert blocks[0][0] == "event: response.created"
    assert blocks[-1][0] == "event: response.completed"


def test_an_error_in_openais_shape(url: str) -> None:
    status, headers, body = post(f"{url}/chat/completions", chat(tools=[{}]))
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/json"
    error = json.loads(body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] == "tools[0]"

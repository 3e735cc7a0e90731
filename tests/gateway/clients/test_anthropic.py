"""Anthropic's Python package, asking for messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.clients.conftest import MISSING, TURN
from tests.gateway.clients.test_openai_errors import new_key
from tests.gateway.serving import GatewayProcess

pytestmark = pytest.mark.slow
anthropic: Any = pytest.importorskip("anthropic", reason=MISSING)

SHOWN = {"type": "enabled", "budget_tokens": 4000}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}


@pytest.fixture
def client(url: str) -> Any:
    return made(url)


def made(url: str, key: str = "none") -> Any:
    root = url.removesuffix("/v1")
    return anthropic.Anthropic(base_url=root, api_key=key, max_retries=0)


def with_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    usual = {"model": "bundled", "max_tokens": 4096, "messages": TURN, "extra_body": {"seed": 1}}
    return usual | fields


def ask(client: Any, **fields: Any) -> Any:
    return client.messages.create(**with_defaults(fields))


def test_a_message_in_one_piece(client: Any) -> None:
    message = ask(client, thinking=SHOWN)
    thinking, text = message.content
    assert (thinking.type, text.type) == ("thinking", "text")
    assert thinking.thinking != ""
    assert thinking.signature == message.id
    assert message.stop_reason == "end_turn"
    usage = message.usage
    assert usage.input_tokens + usage.cache_read_input_tokens > 0
    assert 0 < usage.output_tokens_details.thinking_tokens < usage.output_tokens
    own = message.model_extra["trigreason"]
    assert own["models"]["lrm"]["requests"] == own["lrm_requests"] > 0
    assert message._request_id == own["trace_id"] == message.id


def test_a_message_fits_anthropics_types(client: Any) -> None:
    told = ask(client, thinking=SHOWN).model_dump()
    anthropic.types.Message.model_validate(told, strict=True)


def test_the_first_block_is_text_unless_thinking_is_asked_for(client: Any) -> None:
    assert "boxed" in ask(client).content[0].text
    assert "boxed" in ask(client, thinking={"type": "disabled"}).content[0].text


def test_a_stream_says_what_the_whole_says(client: Any) -> None:
    whole = ask(client, thinking=SHOWN)
    with client.messages.stream(**with_defaults({"thinking": SHOWN})) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(texts) == whole.content[1].text == final.content[1].text
    assert final.content[0].thinking == whole.content[0].thinking
    assert final.content[0].signature == final.id
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.stop_reason == "end_turn"
    kinds = [event.type for event in ask(client, stream=True)]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])


def test_thinking_that_is_omitted_is_signed(client: Any) -> None:
    with client.messages.stream(
        **with_defaults({"thinking": {"type": "adaptive", "display": "omitted"}})
    ) as stream:
        thinking, text = stream.get_final_message().content
    assert (thinking.thinking, thinking.signature != "") == ("", True)
    assert "boxed" in text.text


def test_a_conversation_goes_on_with_what_came_back(client: Any) -> None:
    first = ask(client, thinking=SHOWN)
    turns = [*TURN, first.to_param(), *TURN]
    second = ask(client, thinking=SHOWN, messages=turns)
    assert second.stop_reason in ("end_turn", "max_tokens")
    plain = [*TURN, {"role": "assistant", "content": first.content[1].text}, *TURN]
    counts = [
        client.messages.count_tokens(model="bundled", messages=each).input_tokens
        for each in (turns, plain, TURN)
    ]
    assert counts[0] == counts[1] > counts[2], "the thinking is no part of the prompt"


def test_a_stop_sequence_ends_the_text_before_it(client: Any) -> None:
    whole = ask(client).content[0].text
    cut = ask(client, stop_sequences=["boxed"])
    assert cut.content[0].text == whole.split("boxed")[0]
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", "boxed")


def test_a_limit_of_tokens_is_kept(client: Any) -> None:
    message = ask(client, max_tokens=20)
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens <= 20


def test_a_count_is_what_a_message_reads(client: Any) -> None:
    counted = client.messages.count_tokens(model="bundled", messages=TURN, system="Be brief.")
    usage = ask(client, model="bundled:lrm", system="Be brief.").usage
    assert counted.input_tokens == usage.input_tokens + usage.cache_read_input_tokens
    assert counted.model_extra["trigreason"] == {"prompt_is_estimate": False}


def test_what_has_no_effect_is_told(client: Any) -> None:
    extra = {"extra_body": {"mcp_servers": [{"name": "x"}]}}
    raw = client.messages.with_raw_response.create(**with_defaults(extra))
    assert raw.headers["x-trigreason-ignored"] == "mcp_servers"


def test_tools_are_refused_where_no_template_offers_them(client: Any) -> None:
    with pytest.raises(anthropic.BadRequestError, match="no chat template that offers tools"):
        ask(client, tools=[{"name": "add", "input_schema": {"type": "object"}}])


def test_models_are_listed_and_found(client: Any) -> None:
    names = [model.id for model in client.models.list()]
    assert {"bundled", "bundled:specreason"} <= set(names)
    assert client.models.retrieve("bundled:rho=0.5").display_name == "bundled:rho=0.5"


def test_the_older_header_of_a_key_is_taken(locked: tuple[str, str]) -> None:
    root = locked[0].removesuffix("/v1")
    headers = {"x-api-key": locked[1], "authorization": anthropic.Omit()}
    client = anthropic.Anthropic(
        base_url=root, api_key="none", default_headers=headers, max_retries=0
    )
    assert len(list(client.models.list())) > 0


@pytest.mark.parametrize(
    ("fields", "error", "kind"),
    [
        ({"model": "claude-x"}, "NotFoundError", "not_found_error"),
        ({"messages": []}, "BadRequestError", "invalid_request_error"),
        ({"max_tokens": 0}, "BadRequestError", "invalid_request_error"),
        (
            {"messages": [{"role": "user", "content": [IMAGE]}]},
            "BadRequestError",
            "invalid_request_error",
        ),
    ],
)
def test_a_bad_request_raises(client: Any, fields: dict[str, Any], error: str, kind: str) -> None:
    with pytest.raises(getattr(anthropic, error)) as raised:
        ask(client, **fields)
    assert raised.value.type == kind


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A gateway that asks for a key, and a key that may send one request a minute."""
    folder = tmp_path_factory.mktemp("locked")
    key = new_key(folder, "--requests-per-minute", "1")
    gateway = GatewayProcess(folder)
    try:
        gateway.wait_until_ready()
        yield gateway.url, key
    finally:
        gateway.stop()


def test_a_key_that_is_not_in_force(locked: tuple[str, str]) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        ask(made(locked[0], "sk-ant-unknown"))


def test_a_key_that_has_used_up_its_minute(locked: tuple[str, str]) -> None:
    def ask_thrice() -> None:  # a new minute may begin in between
        for _ in range(3):
            ask(made(*locked), max_tokens=2)

    with pytest.raises(anthropic.RateLimitError) as raised:
        ask_thrice()
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 60


async def test_the_asynchronous_client(url: str) -> None:
    root = url.removesuffix("/v1")
    async with anthropic.AsyncAnthropic(base_url=root, api_key="none", max_retries=0) as client:
        whole = await ask(client)
        stream = await ask(client, stream=True)
        texts = [event.delta.text async for event in stream if event.type == "content_block_delta"]
    assert "".join(texts) == whole.content[0].text

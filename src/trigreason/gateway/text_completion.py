"""``/v1/completions`` of a pair: the prompt is a user's message, the text is the pair's answer.

A pair cannot continue a raw text: its models think first, each in its own template. Clients that
know this route alone, such as LlamaIndex's ``OpenAILike`` by default, get an answer all the same.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import ConfigDict, Field

from trigreason.events import AnswerText, ThinkingText
from trigreason.gateway.account import account, chat_usage
from trigreason.gateway.chat.answering import ChatAnswer, sse
from trigreason.gateway.chat.request import ChatStreamOptions, stops
from trigreason.gateway.errors import unsupported
from trigreason.gateway.exchange import ChoiceRun
from trigreason.gateway.formats import OTHER_FORMATS
from trigreason.gateway.gateway_request import GatewayRequest, GenerationBody
from trigreason.gateway.lenient import (
    Limit,
    ignored_fields,
    refuse,
    unstreamed,
)
from trigreason.gateway.tools import GatewayEvent
from trigreason.reasoning import Message

HARMLESS = {"best_of": (1,)}
"""Values with which a field asks for what is done anyway."""

REFUSED = {
    "echo": "a pair gives its answer alone; leave the prompt out of it",
    "suffix": "a pair cannot fill in a text",
    **dict.fromkeys(
        ("response_format", *OTHER_FORMATS),
        "send a schema in response_format to /v1/chat/completions",
    ),
}
"""Fields without which the answer would be wrong, and why they cannot be honoured."""


class TextRequest(GenerationBody):
    """A request to ``/v1/completions`` for a pair.

    Without ``max_tokens`` the pair's budget counts, not OpenAI's 16 tokens.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "bundled", "prompt": "not ( True ) is"}]},
    )

    prompt: str | list[Any]
    stream_options: ChatStreamOptions | None = None
    max_tokens: Limit = None
    stop: str | list[str] | None = None
    logprobs: int | None = None
    n: Annotated[int | None, Field(ge=1)] = None

    @property
    def includes_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def parsed(self) -> GatewayRequest:
        """The request, parsed. Raises ApiError if it asks for what cannot be served."""
        refuse(self, REFUSED)
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        if len(prompts) != 1 or not isinstance(prompts[0], str):
            raise unsupported("prompt", "a pair takes one text, and no tokens")
        return self.request(
            (Message("user", prompts[0]),),
            choices=self.n or 1,
            max_tokens=self.max_tokens,
            stop=stops(self.stop),
            ignored=ignored_fields(
                self,
                HARMLESS,
                *unstreamed(self.stream_options, self.stream),
                *(("logprobs",) if self.logprobs is not None else ()),  # 0 asks for one
            ),
        )


class TextAnswer(ChatAnswer):
    """Renders one exchange as a text completion: the answer's text, without the reasoning."""

    def stream(self, run: ChoiceRun, event: GatewayEvent) -> bytes:
        match event:
            case ThinkingText():
                return b""
            case AnswerText(_, text):
                return sse(self._head() | self._of(_choice(run, text)))
            case _:
                return self._event_chunk(run, event)

    def whole(self) -> bytes:
        exchange = self._exchange
        texts = ["".join(self._answers.get(run.index, [])) for run in exchange.runs]
        fields = {
            "choices": [_choice(run, text) for run, text in zip(exchange.runs, texts, strict=True)],
            "usage": chat_usage(exchange),
            "trigreason": account(exchange) | self._told_events(),
        }
        return msgspec.json.encode(self._head() | fields)

    def _head(self) -> dict[str, Any]:
        return super()._head() | {"object": "text_completion"}

    def _beginning(self, run: ChoiceRun) -> bytes:
        return b""

    def _finish(self, run: ChoiceRun) -> dict[str, Any]:
        return _choice(run, "")


def _choice(run: ChoiceRun, text: str) -> dict[str, Any]:
    reason = run.finish_reason
    return {"index": run.index, "text": text, "logprobs": None, "finish_reason": reason}

"""Every field of a recorded stream, as some server may send it: an answer or a typed error.

The engine is a double: it reads a stream out of memory as its dialect does, and counts requests.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from trigreason.engines.base import Capabilities, Engine, EngineError, Prefix, Request
from trigreason.engines.chat_prefix import ChatStream
from trigreason.engines.completions import CompletionStream
from trigreason.engines.fields_stream import FieldsStream
from trigreason.engines.http_stream import HttpStream
from trigreason.engines.ollama import LineSplitter, OllamaStream
from trigreason.engines.sglang import GenerateStream
from trigreason.engines.sse import EventLines
from trigreason.engines.thinking_text import AssistantTurn, JoinedText
from trigreason.failure import FailurePolicy
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Message, Thresholds, Trace

Event = dict[str, Any]
Place = tuple[str | int, ...]

TEXTS = ("So 4.\n\n", "</think>\n\n", "\\boxed{4}")
PATIENCE = FailurePolicy(backoff_seconds=0)
FEW = 1 + PATIENCE.most_retries

MISSING = object()
ODD: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "fraction": 10.5,
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
    "huge": 10**30,
    "negative": -7,
    "text": "odd",
    "empty text": "",
    "surrogate": "\ud83d",
    "true": True,
    "empty object": {},
    "empty list": [],
    "list": [None, 1.5, "odd", [], {}],
}


def _fewer_of(odd: Iterable[str], *fast: str) -> list[Any]:
    """The names, of which the fast tests try these alone."""
    return [each if each in fast else pytest.param(each, marks=pytest.mark.slow) for each in odd]


class Dialect(NamedTuple):
    events: list[Event]
    stream: Callable[[Any], HttpStream]


def legacy(text: str, finish: str | None = None) -> Event:
    told = {
        "tokens": [text],
        "token_logprobs": [-0.3],
        "top_logprobs": [{text: -0.3}],
        "token_ids": [7],
    }
    choice = {"index": 0, "text": text, "logprobs": told, "finish_reason": finish}
    return {"id": "1", "object": "text_completion", "choices": [choice | {"stop_reason": None}]}


def entry(text: str) -> Event:
    likely = [{"token": text, "logprob": -0.3}]
    return {"token": text, "logprob": -0.3, "id": 7, "top_logprobs": likely}


def entries(text: str, finish: str | None = None) -> Event:
    choice = {"text": text, "logprobs": {"content": [entry(text)]}, "finish_reason": finish}
    return {"choices": [choice], "prompt_progress": {"total": 5, "cache": 1}}


def chat(finish: str | None = None, **delta: Any) -> Event:
    return {"choices": [{"delta": delta, "finish_reason": finish}], "usage": None}


def generated(seen: int, finish: Event | None = None) -> Event:
    chosen = [[-0.3, 7, text] for text in TEXTS[:seen]]
    counts = {"prompt_tokens": 5, "cached_tokens": 1, "completion_tokens": seen}
    meta = {"output_token_logprobs": chosen, "output_top_logprobs": [[each] for each in chosen]}
    return {"text": "".join(TEXTS[:seen]), "meta_info": counts | meta | {"finish_reason": finish}}


USED = {
    "prompt_tokens": 5,
    "completion_tokens": 4,
    "prompt_tokens_details": {"cached_tokens": 1},
    "prompt_cache_hit_tokens": 1,
}
USAGE = {"choices": [], "usage": USED}
LLAMA_USAGE = {**USAGE, "timings": {"cache_n": 1, "predicted_n": 4}}


def fields(kind: type[FieldsStream], split: Callable[[], Any]) -> Callable[[Any], HttpStream]:
    def stream(response: Any) -> HttpStream:
        text = JoinedText(AssistantTurn(Prefix((Message("user", "Why?"),))))
        return kind(
            response, "a double", split().feed, text=text, needs_logprobs=False, ending=None
        )

    return stream


def completion(response: Any) -> HttpStream:
    return CompletionStream(response, "a double", False)


as_chat = fields(ChatStream, EventLines)
THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "So 4.\n\n"}]}]
SAID = [{"type": "text", "text": TEXTS[2]}]
DIALECTS = {
    "arrays": Dialect([*map(legacy, TEXTS), legacy("", "stop"), USAGE], completion),
    "entries": Dialect([*map(entries, TEXTS), entries("", "stop"), LLAMA_USAGE], completion),
    "single": Dialect(
        [
            *({"choices": [{"text": text}], "token": {"logprob": -0.3}} for text in TEXTS),
            {"choices": [{"text": ""}], "finish_reason": "stop", "usage": USED},
        ],
        completion,
    ),
    "tags": Dialect(
        [*(chat(content=text) for text in TEXTS), chat("stop", content=None), USAGE], as_chat
    ),
    "reasoning": Dialect(
        [chat(reasoning_content=TEXTS[0]), chat(content=TEXTS[2]), chat("stop"), USAGE], as_chat
    ),
    "parts": Dialect([chat(content=THOUGHT), chat(content=SAID), chat("stop"), USAGE], as_chat),
    "generate": Dialect(
        [*map(generated, (1, 2, 3)), generated(3, {"type": "stop", "matched": 9})],
        lambda response: GenerateStream(response, "a double", False, 1000),
    ),
    "ollama": Dialect(
        [
            *({"response": text, "logprobs": [entry(text)], "done": False} for text in TEXTS),
            {
                "response": "",
                "done": True,
                "done_reason": "stop",
                "eval_count": 4,
                "prompt_eval_count": 5,
            },
        ],
        fields(OllamaStream, LineSplitter),
    ),
}


class InMemory:
    """The content of a response that has arrived whole."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_nowait(self) -> bytes:
        data, self._data = self._data, b""
        return data

    async def readany(self) -> bytes:
        return self.read_nowait()


class DoubleEngine(Engine):
    """Answers every request with the same stream."""

    model = "a double"

    def __init__(self, dialect: Dialect, data: bytes) -> None:
        self.capabilities = Capabilities()
        self.requests = 0
        self._dialect = dialect
        self._data = data

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[HttpStream]:
        self.requests += 1
        yield self._dialect.stream(SimpleNamespace(content=InMemory(self._data)))


def encoded(name: str, events: Sequence[Any]) -> bytes:
    """The events on the wire, as Python's servers write them: NaN and Infinity bare."""
    lines = [json.dumps(event).encode() for event in events]
    if name == "ollama":
        return b"".join(line + b"\n" for line in lines)
    return b"".join(b"data: " + line + b"\n\n" for line in lines) + b"data: [DONE]\n\n"


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Where something stands, in an event and in all that it is made of."""
    yield here
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*here, key))


def changed(events: Sequence[Event], place: Place, odd: Any) -> list[Any]:
    """The events with ``odd`` at a place, or with nothing there."""
    whole: list[Any] = copy.deepcopy(list(events))
    holder: Any = whole
    for key in place[:-1]:
        holder = holder[key]
    if odd is MISSING:
        del holder[place[-1]]
    else:
        holder[place[-1]] = odd
    return whole


async def asked(name: str, events: Sequence[Any]) -> tuple[Trace | EngineError, int]:
    engine = DoubleEngine(DIALECTS[name], encoded(name, events))
    pair = Pair(engine, engine, thresholds=Thresholds(n=0, rho=1, m=0), failure=PATIENCE)
    try:
        return await completed(reason(pair, "Why?", "srm")), engine.requests
    except EngineError as error:
        return error, engine.requests


@pytest.mark.parametrize("name", DIALECTS)
async def test_the_recorded_streams_give_the_answer(name: str) -> None:
    ended, requests = await asked(name, DIALECTS[name].events)
    assert isinstance(ended, Trace)
    assert (ended.answer, ended.thinking.strip(), requests) == (TEXTS[2], "So 4.", 1)


@pytest.mark.slow
@pytest.mark.parametrize("odd", _fewer_of(ODD, "null", "huge", "list"))
@pytest.mark.parametrize("name", DIALECTS)
async def test_an_odd_field_anywhere(name: str, odd: str) -> None:
    events = DIALECTS[name].events
    for place in places(events):
        if place:
            ended, requests = await asked(name, changed(events, place, ODD[odd]))
            assert requests <= FEW, place
            if isinstance(ended, Trace):
                assert not any(each.failed for each in ended.stretches), place
                lost_its_end = int(place[0]) < 2  # no tag was read, so an answer is asked for
                assert requests == 1 or (lost_its_end and requests == 2), place


@pytest.mark.parametrize("odd", ["null", "fraction", "NaN", "-Infinity", "huge", "negative"])
@pytest.mark.parametrize("name", DIALECTS)
async def test_a_finish_that_was_told_is_final(name: str, odd: str) -> None:
    """What is odd in the event of the finish, beside it, or behind it costs no answer."""
    events = DIALECTS[name].events
    last = len(events) - (1 if name in ("single", "generate", "ollama") else 2)
    for place in places(events):
        if not place or int(place[0]) < last or "finish" in str(place) or "done" in place:
            continue
        if any(key in place for key in ("text", "response", "content")) and odd != "null":
            continue
        if place[-1] in (last, "choices", "meta_info") or place[-2:] == ("choices", 0):
            continue  # this takes the finish along
        ended, requests = await asked(name, changed(events, place, ODD[odd]))
        assert isinstance(ended, Trace), (place, ended)
        assert (ended.answer, requests) == (TEXTS[2], 1), place

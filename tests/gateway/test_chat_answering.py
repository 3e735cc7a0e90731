"""Chat completions as they go out: chunks that OpenAI's clients can join to the whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.configuration.gateway import ReasoningField
from trigreason.events import (
    AnswerText,
    Done,
    DraftDropped,
    Event,
    HandedOver,
    RunBegun,
    StepAccepted,
    StepBegun,
    ThinkingText,
    WentOnAlone,
)
from trigreason.gateway.account import for_clients
from trigreason.gateway.chat.answering import ChatAnswer
from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import Api, ChoiceRun, Exchange, ModelChoice
from trigreason.reasoning import (
    Author,
    Degraded,
    Message,
    Prices,
    Purpose,
    StepEnd,
    StepRecord,
    StopReason,
    Stretch,
    Thresholds,
    Trace,
    Trigger,
    prompt_tokens,
    trace_from_json,
    trace_to_json,
)

STEP = StepRecord(Author.SRM, "A step.\n\n", 3, StepEnd.BLANK_LINE, 0, ratio=0.5)
DRAFT = StepRecord(Author.SRM, "Wrong.\n\n", 2, StepEnd.BLANK_LINE, 0, ratio=1.0, standing=False)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
EVENTS = st.lists(
    st.one_of(
        TEXTS.map(lambda text: ThinkingText(Author.SRM, text)),
        TEXTS.map(lambda text: AnswerText(Author.LRM, text)),
        st.just(StepBegun(Author.SRM, None)),
        st.just(StepAccepted(0, STEP)),
    ),
    max_size=12,
)


def made_trace() -> Trace:
    return Trace(
        method="trigreason",
        thresholds=Thresholds(),
        messages=(),
        models={Author.SRM: "small", Author.LRM: "large"},
        sampling={"seed": 5},
        prices={Author.SRM: Prices(1, 2), Author.LRM: Prices(10, 20)},
        steps=[STEP, DRAFT],
        stretches=[
            Stretch(Author.SRM, Purpose.WRITE, None, 100, 40, None, 5, seconds=0.25),
            Stretch(Author.LRM, Purpose.ANSWER, None, 120, 0, None, 4, seconds=0.5),
        ],
        answer="Seven.",
        answer_by={Author.LRM: 4},
        stop=StopReason.COMPLETE,
        seconds=0.75,
    )


def made(
    choices: int = 1,
    *,
    include_usage: bool = False,
    events: bool = False,
    field: ReasoningField = "reasoning_content",
) -> ChatAnswer:
    runs = [ChoiceRun(index, made_trace(), finish_reason="stop") for index in range(choices)]
    exchange = Exchange(
        id="chatcmpl-1",
        api=Api.CHAT,
        model="bundled:lrm",
        choice=ModelChoice("bundled"),
        streamed=True,
        source="here",
        runs=runs,
    )
    return ChatAnswer(
        exchange, include_usage=include_usage, with_events=events, reasoning_field=field
    )


def runs_of(answer: ChatAnswer) -> list[ChoiceRun]:
    return answer._exchange.runs


def chunks(data: bytes) -> list[dict[str, Any]]:
    """The chunks of a whole stream, after checking what holds of every stream."""
    assert data.endswith(b"\n\n")
    events = data.decode().split("\n\n")[:-1]
    assert all(each.startswith("data: ") and "\n" not in each for each in events)
    assert events.pop() == "data: [DONE]"
    told: list[dict[str, Any]] = [json.loads(each[6:]) for each in events]
    for each in told:
        assert each["id"] == "chatcmpl-1"
        assert each["object"] == "chat.completion.chunk"
        assert each["model"] == "bundled:lrm"
        assert isinstance(each["created"], int)
    return told


def streamed(answer: ChatAnswer, events: list[tuple[int, Event]]) -> list[dict[str, Any]]:
    runs = runs_of(answer)
    return chunks(b"".join(answer.stream(runs[of], each) for of, each in events) + answer.end())


def joined(told: list[dict[str, Any]], index: int = 0) -> dict[str, str]:
    """A message as a client puts it together."""
    message = {"content": "", "reasoning_content": ""}
    choices = [each for chunk in told for each in chunk["choices"] if each["index"] == index]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert [each["finish_reason"] for each in choices] == [None] * (len(choices) - 1) + ["stop"]
    for choice in choices[1:]:
        assert choice["delta"].keys() <= message.keys()
        for key, text in choice["delta"].items():
            message[key] += text
    return message


def gathered(answer: ChatAnswer, events: list[tuple[int, Event]]) -> dict[str, Any]:
    for of, each in events:
        answer.gather(runs_of(answer)[of], each)
    whole: dict[str, Any] = json.loads(answer.whole())
    return whole


@pytest.mark.slow
@settings(deadline=None)
@given(EVENTS, st.booleans(), st.booleans())
def test_the_joined_stream_is_the_whole(
    events: list[Event], include_usage: bool, with_events: bool
) -> None:
    of_one = [(0, each) for each in events]
    told = streamed(made(include_usage=include_usage, events=with_events), of_one)
    whole = gathered(made(events=with_events), of_one)
    message = whole["choices"][0]["message"]
    assert joined(told) == {key: message[key] for key in joined(told)}
    assert "reasoning" not in message
    assert message["role"] == "assistant"
    assert whole["object"] == "chat.completion"


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), EVENTS.map(tuple)), max_size=6))
def test_choices_may_come_in_any_order(parts: list[tuple[int, tuple[Event, ...]]]) -> None:
    events = [(of, each) for of, group in parts for each in group]
    told = streamed(made(3), events)
    whole = gathered(made(3), events)
    assert [each["index"] for each in whole["choices"]] == [0, 1, 2]
    for index in range(3):
        message = whole["choices"][index]["message"]
        assert joined(told, index)["content"] == message["content"]
        assert joined(told, index)["reasoning_content"] == message["reasoning_content"]


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("reasoning_content", {"reasoning_content"}),
        ("reasoning", {"reasoning"}),
        ("both", {"reasoning_content", "reasoning"}),
    ],
)
def test_reasoning_goes_under_the_names_that_are_set(
    field: ReasoningField, names: set[str]
) -> None:
    thought = ThinkingText(Author.SRM, "Hm.")
    (_, chunk, _) = streamed(made(field=field), [(0, thought)])
    assert chunk["choices"][0]["delta"] == dict.fromkeys(names, "Hm.")
    message = gathered(made(field=field), [(0, thought)])["choices"][0]["message"]
    assert {name for name in message if name.startswith("reasoning")} == names
    assert {message[name] for name in names} == {"Hm."}


USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 7,
    "total_tokens": 107,
    "prompt_tokens_details": {"cached_tokens": 40},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def test_usage_is_null_until_the_last_chunk_which_has_no_choice() -> None:
    events: list[Event] = [RunBegun(made_trace()), StepBegun(Author.SRM, None), Done(made_trace())]
    text: list[Event] = [ThinkingText(Author.SRM, "Hm"), AnswerText(Author.LRM, "7")]
    for with_events in (False, True):
        answer = made(include_usage=True, events=with_events)
        *others, last = streamed(answer, [(0, each) for each in (*events, *text)])
        assert all(each["usage"] is None for each in others)
        assert (last["choices"], last["usage"]) == ([], USAGE)
        assert last["trigreason"]["smt"] == 1.0


def test_without_usage_there_is_no_such_field_and_the_account_comes_with_the_finish() -> None:
    *others, last = streamed(made(), [(0, AnswerText(Author.LRM, "7"))])
    assert not any("usage" in each for each in (*others, last))
    assert not any("trigreason" in each for each in others)
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["trigreason"]["trace_id"] == "chatcmpl-1"


def test_a_prompt_that_no_server_counts_is_estimated_and_says_so() -> None:
    answer = made()
    trace = runs_of(answer)[0].trace
    assert trace is not None
    trace.messages = (Message("user", "x" * 60),)
    assert not gathered(answer, [])["trigreason"]["prompt_is_estimate"]
    trace.stretches = [replace(each, prompt_tokens=None) for each in trace.stretches]
    whole = gathered(answer, [])
    assert whole["usage"]["prompt_tokens"] == prompt_tokens(trace.messages)
    assert whole["trigreason"]["prompt_is_estimate"]
    assert whole["trigreason"]["models"]["srm"]["prompt_tokens"] is None


def test_usage_of_several_choices_is_their_sum() -> None:
    whole = gathered(made(2), [])
    assert whole["usage"]["completion_tokens"] == 14
    assert whole["usage"]["prompt_tokens"] == 100
    assert [each["trace_id"] for each in whole["trigreason"]["runs"]] == [
        "chatcmpl-1",
        "chatcmpl-1-1",
    ]


def test_the_account() -> None:
    told = gathered(made(), [])["trigreason"]
    assert told["usd"] == pytest.approx((100 * 1 + 5 * 2 + 120 * 10 + 4 * 20) / 1e6)
    assert told["models"]["srm"]["draft_tokens"] == 2
    assert told["models"]["lrm"]["answer_tokens"] == 4
    assert (told["drafts"], told["lrm_requests"], told["smt"]) == (1, 1, 1.0)
    assert (told["stop"], told["limit"], told["degraded"], told["seed"]) == (
        *("complete", None, None),
        5,
    )


def test_a_degraded_run_says_so_and_not_where_the_models_live() -> None:
    answer = made(events=True)
    trace = runs_of(answer)[0].trace
    assert trace is not None
    trace.degraded = Degraded(Author.LRM, 1, "no answer (Connect call failed ('10.0.0.7', 80))")
    alone = WentOnAlone(Author.SRM, "large at http://10.0.0.7: no answer. Is it running?")
    told = gathered(answer, [(0, alone)])["trigreason"]
    assert told["degraded"] == {"author": "lrm", "step": 1, "reason": "no answer"}
    assert told["events"] == [{"type": "went_on_alone", "author": "srm"}]


def test_events_beside_the_text() -> None:
    events: list[tuple[int, Event]] = [
        (0, HandedOver(Author.LRM, Trigger.STRATEGIC_PRIMING, 2, None)),
        (0, StepBegun(Author.LRM, Trigger.STRATEGIC_PRIMING)),
        (0, ThinkingText(Author.LRM, "A step.\n\n")),
        (0, StepAccepted(0, STEP)),
        (0, DraftDropped(1, DRAFT, Trigger.COGNITIVE_OFFLOAD)),
        (0, HandedOver(Author.LRM, Trigger.COGNITIVE_OFFLOAD, 1, DRAFT)),
    ]
    whole = gathered(made(events=True), events)["trigreason"]["events"]
    told = streamed(made(events=True), events)
    beside = [each["trigreason"]["event"] for each in told if "event" in each.get("trigreason", {})]
    assert whole == beside
    assert [each["type"] for each in whole] == [
        *("handed_over", "step_begun", "step_accepted", "draft_dropped", "handed_over")
    ]
    assert whole[2]["ratio"] == 0.5
    assert whole[3]["text"] == "Wrong.\n\n"
    assert whole[4]["because"]["tokens"] == 2
    assert "events" not in gathered(made(), events)["trigreason"]


def test_an_answer_without_any_text() -> None:
    told = streamed(made(2, include_usage=True), [])
    assert joined(told, 0)["content"] == joined(told, 1)["content"] == ""
    assert gathered(made(), [])["choices"][0]["message"]["content"] == ""


def test_a_failure_is_an_error_event() -> None:
    data = made().failure(ApiError(502, "A model failed.", code="engine_failed"))
    first, last = data.decode().split("\n\n")[:2]
    assert json.loads(first[6:])["error"]["code"] == "engine_failed"
    assert last == "data: [DONE]"


def test_a_kept_trace_without_what_is_the_operators() -> None:
    trace = runs_of(made())[0].trace
    assert trace is not None
    where = "no answer (Connect call failed ('10.0.0.7', 80))"
    trace.degraded = Degraded(Author.LRM, 1, where)
    trace.stretches.append(Stretch(Author.LRM, Purpose.WRITE, failed=where))
    kept = json.loads(json.dumps(trace_to_json(trace)))
    shown = for_clients(kept)
    assert "10.0.0.7" not in json.dumps(shown)
    assert shown["prices"] == {}
    assert shown["stretches"][-1]["failed"] == shown["degraded"]["reason"] == "no answer"
    assert trace_from_json(shown).answer == trace.answer, "it still is a trace"
    assert shown["scorer"] is None
    away = {"step": 0, "failed": "no answer (at http://10.0.0.9)"}
    scorer = {"model": "prm", "price": 2.0, "requests": [away, {"step": 0, "failed": None}]}
    rated = for_clients(kept | {"scorer": scorer})["scorer"]
    assert (rated["price"], rated["model"]) == (None, "prm")
    assert [each["failed"] for each in rated["requests"]] == ["no answer", None]
    assert for_clients(kept | {"degraded": None})["degraded"] is None

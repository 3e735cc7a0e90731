"""What is made of what was seen: tables of cases, and a property of the scale."""

from __future__ import annotations

import math
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scripted_server import listening
from trigreason.engines.base import Finish, LogprobScale, Usage
from trigreason.engines.probing.advice import advised
from trigreason.engines.probing.closing import Watched, judge_closing
from trigreason.engines.probing.continuing import judge_continuation, judge_stop
from trigreason.engines.probing.examination import judge_question
from trigreason.engines.probing.facts import (
    Activity,
    ServerFacts,
    ServerKind,
    ServerPages,
    load_activity,
    loads_activity,
    slots_activity,
    vllm_activity,
)
from trigreason.engines.probing.probabilities import judge_scale, judge_seed
from trigreason.engines.probing.probe_requests import Arrival, ProbeAnswer
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.engines.probing.timing import judge_cache, judge_streaming, seconds
from trigreason.reasoning import Alternative, Token

YES, NO, UNKNOWN = State.YES, State.NO, State.UNKNOWN
START, REST = "So first I add", " the two numbers and then"


@pytest.mark.parametrize(
    ("got", "state"),
    [
        (REST, YES),
        (REST[:10], YES),
        (REST + " more", YES),
        (" the two ways", YES),
        (REST.lstrip(), YES),
        ("<think>\nSo", NO),
        ("\n<think>", NO),
        ("So first I see", NO),
        ("Let me check this step", NO),
        ("not ( True ) and", NO),
        (" quite another", None),
        ("", None),
    ],
)
def test_continuing(got: str, state: State | None) -> None:
    finding = judge_continuation(START, REST, got)
    assert (finding and finding.state) == state


def test_a_text_that_repeats_its_beginning_goes_on() -> None:
    finding = judge_continuation(START, START, START)
    assert finding is not None
    assert finding.state is YES


def answer(*texts: str, finish: Finish = Finish.LENGTH, apart: float = 0.1) -> ProbeAnswer:
    arrivals = [Arrival(apart * (1 + n), [Token(text)]) for n, text in enumerate(texts)]
    return ProbeAnswer(arrivals, finish, Usage(), apart * len(texts))


@pytest.mark.parametrize(
    ("expected", "given_answer", "state"),
    [
        (" so", answer(" so", "\n\n", finish=Finish.STOP), YES),
        (" so", answer(" so", "\n\n\n", finish=Finish.STOP), YES),
        (" so", answer(" so", finish=Finish.STOP), YES),
        (None, answer(" so", finish=Finish.STOP), UNKNOWN),
        (" so", answer(" so", "\n\n", "And"), NO),
        (None, answer(" on" * 20), UNKNOWN),
    ],
)
def test_stopping(expected: str | None, given_answer: ProbeAnswer, state: State) -> None:
    assert judge_stop(expected, given_answer).state is state


@pytest.mark.parametrize(
    ("given_answer", "state"),
    [
        (answer(*[" on"] * 20), YES),
        (answer(" on" * 20), NO),
        (answer(" on"), UNKNOWN),
        (answer(), UNKNOWN),
        (
            ProbeAnswer(
                [Arrival(9.99 + n / 1000, [Token(" on")]) for n in range(20)], seconds=10.0
            ),
            NO,
        ),
    ],
    ids=["one by one", "at once", "one", "none", "held back"],
)
def test_streaming(given_answer: ProbeAnswer, state: State) -> None:
    assert judge_streaming(given_answer).state is state


@pytest.mark.parametrize(
    ("wrote", "idle_after", "state"),
    [
        (3, 0.05, YES),
        (0, 0.05, YES),
        (95, 0.9, NO),
        (70, 0.7, UNKNOWN),
        (None, 0.05, YES),
        (None, 1.1, NO),
        (None, 0.7, UNKNOWN),
        (None, None, NO),
        (40, None, NO),
    ],
)
def test_closing(wrote: int | None, idle_after: float | None, state: State) -> None:
    watched = Watched("/metrics", 95, 1.0, wrote, idle_after, 3.0)
    assert judge_closing(watched).state is state


def test_a_model_that_stops_by_itself_tells_nothing_of_closing() -> None:
    assert judge_closing(Watched("/slots", 3, 0.0, 3, 0.01, 0.01)).state is UNKNOWN


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        ({1: ["a", "a"], 2: ["b", "b"]}, YES),
        ({1: ["a", "b"], 2: ["c", "c"]}, NO),
        ({1: ["a", "a"], 2: ["a", "a"]}, UNKNOWN),
    ],
)
def test_seeds(texts: dict[int, list[str]], state: State) -> None:
    assert judge_seed(texts, 1.0).state is state


@pytest.mark.parametrize(("cached", "state"), [(None, NO), (0, NO), (128, YES)])
def test_cached_tokens(cached: int | None, state: State) -> None:
    assert judge_cache(Usage(200, cached)).state is state


@pytest.mark.parametrize(
    ("once", "repeats", "repeated", "state"),
    [
        (22, 18, 260, YES),
        (22, 18, 39, YES),  # a token more for each time it was asked
        (22, 18, 38, NO),
        (22, 18, 22, NO),
        (22, 1, 22, UNKNOWN),
        (None, 18, 260, UNKNOWN),
        (22, 18, None, UNKNOWN),
    ],
)
def test_the_question_is_asked(
    once: int | None, repeats: int, repeated: int | None, state: State
) -> None:
    assert judge_question(Usage(once), repeats, Usage(repeated)).state is state


# The scale


def told(scores: list[float], temperature: float, chosen: int, most: int) -> Token:
    """A token as a server tells it that reports probabilities after this temperature."""
    total = math.log(sum(math.exp(each / temperature) for each in scores))
    logprobs = [each / temperature - total for each in scores]
    top = sorted(
        (Alternative(f"word {index}", value) for index, value in enumerate(logprobs)),
        key=lambda each: -each.logprob,
    )
    return Token(f"word {chosen}", logprobs[chosen], top=tuple(top[:most]))


SCORES = st.lists(st.floats(-8, 8), min_size=6, max_size=40).filter(
    lambda scores: sorted(scores)[-1] - sorted(scores)[-5] > 0.5
)


@settings(deadline=None)
@given(SCORES, st.integers(0, 5), st.integers(0, 5), st.integers(5, 20))
def test_the_scale_is_told_whatever_is_chosen(
    scores: list[float], one: int, other: int, most: int
) -> None:
    raw = [told(scores, 1.0, chosen, most) for chosen in (one, other)]
    assert judge_scale(raw[:1], raw[1:])[1] is LogprobScale.RAW
    sharp = [told(scores, 1.0, one, most), told(scores, 0.5, other, most)]
    assert judge_scale(sharp[:1], sharp[1:])[1] is LogprobScale.SAMPLING


@pytest.mark.parametrize(
    ("warm", "cold", "scale"),
    [
        (Token("a", -1.0), Token("a", -1.0), LogprobScale.RAW),
        (Token("a", -1.0), Token("a", -0.4), LogprobScale.SAMPLING),
        (Token("a", -0.001), Token("a", -0.001), None),
        (Token("a", -1.0), Token("b", -1.0), None),
        (Token("a"), Token("a"), None),
    ],
)
def test_the_scale_without_alternatives(
    warm: Token, cold: Token, scale: LogprobScale | None
) -> None:
    assert judge_scale([warm], [cold])[1] is scale


def test_the_next_position_tells_where_the_first_is_certain() -> None:
    certain = Token("a", -0.001)
    judged = judge_scale([certain, Token("b", -1.0)], [certain, Token("b", -1.0)])
    assert judged[1] is LogprobScale.RAW


def test_no_token_at_all() -> None:
    assert judge_scale([], []) == (
        Finding(Topic.RAW, UNKNOWN, "no token came to compare"),
        None,
    )


# Pages of servers, as each publishes them


PROPS = {"default_generation_settings": {"n_ctx": 4096}, "build_info": "b6000-abc"}
LISTED = {"data": [{"id": "m", "max_model_len": 8192}, {"id": "n"}]}


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ({"/version": {"version": "0.32"}}, ServerFacts(ServerKind.VLLM, "0.32")),
        ({"/get_server_info": {"version": "0.5"}}, ServerFacts(ServerKind.SGLANG, "0.5")),
        ({"/api/version": {"version": "0.13"}}, ServerFacts(ServerKind.OLLAMA, "0.13")),
        ({"/props": PROPS}, ServerFacts(ServerKind.LLAMA_CPP, "b6000-abc", None, 4096)),
        (
            {"/props": {**PROPS, "build_info": "b0-unknown"}},
            ServerFacts(ServerKind.LLAMA_CPP, None, None, 4096),
        ),
        (
            {
                "/props": PROPS,
                "/v1/models": {"data": [{"id": "a/m.gguf", "meta": {"n_ctx_train": 1024}}]},
            },
            ServerFacts(ServerKind.LLAMA_CPP, "b6000-abc", ("a/m.gguf",), 4096, 1024),
        ),
        ({"/v1/models": LISTED}, ServerFacts(models=("m", "n"), context_tokens=8192)),
        ({"/v1/models": {"error": "no"}, "/props": [], "/version": 3}, ServerFacts()),
        ({}, ServerFacts()),
    ],
)
async def test_who_answers(pages: dict[str, Any], expected: ServerFacts) -> None:
    async def page(request: web.Request) -> web.Response:
        if request.path in pages:
            return web.json_response(pages[request.path])
        return web.Response(text="<html>", status=404)

    app = web.Application()
    app.router.add_get("/{any:.*}", page)
    async with listening(app) as root, ServerPages(root, {}, 2.0) as there:
        assert await there.facts("m") == expected


METRICS = """# HELP vllm:num_requests_running Requests
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 1.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:generation_tokens_total{engine="0",model_name="m"} 1.25e+03
"""


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (vllm_activity(METRICS), Activity(4, 1250, "/metrics")),
        (vllm_activity(""), None),
        (
            slots_activity(
                [{"is_processing": True, "n_prompt_tokens": 30}, {"is_processing": False}]
            ),
            Activity(1, 30, "/slots"),
        ),
        (slots_activity([{"is_processing": False}]), Activity(0, None, "/slots")),
        (slots_activity({"error": "no"}), None),
        (slots_activity(None), None),
        (
            loads_activity(
                {
                    "loads": [
                        {"num_running_reqs": 2, "num_waiting_reqs": 1},
                        {"num_running_reqs": 0, "num_waiting_reqs": 0},
                    ]
                }
            ),
            Activity(3, None, "/v1/loads"),
        ),
        (loads_activity({"loads": []}), None),
        (loads_activity({"loads": ["odd"]}), None),
        (loads_activity({"detail": "Not Found"}), None),
        (load_activity([{"num_reqs": 2}, {"num_reqs": 1}]), Activity(3, None, "/get_load")),
        (load_activity([]), None),
        (load_activity({"detail": "Not Found"}), None),
    ],
)
def test_activity(read: Activity | None, expected: Activity | None) -> None:
    assert read == expected


@pytest.mark.parametrize("kind", ServerKind)
def test_every_no_comes_with_advice(kind: ServerKind) -> None:
    # errors bring theirs along, and a template is told or guessed
    without = (Topic.REACHABLE, Topic.MODEL, Topic.SPEED, Topic.TEMPLATE)
    for topic in (each for each in Topic if each not in without):
        assert advised(Finding(topic, NO, "seen"), kind).advice
    assert advised(Finding(Topic.TEMPLATE, UNKNOWN, "seen"), kind).advice


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0012, "1.2 ms"), (0.5, "500 ms"), (1.25, "1.2 s"), (0.01, "10 ms")]
)
def test_seconds(value: float, shown: str) -> None:
    assert seconds(value) == shown

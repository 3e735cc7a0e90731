"""What the examination says: the truth about real servers, and each defect by its name."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.engines.probed_server import MODEL, ProbedServer, probed
from trigreason.bundled import CONTEXT_TOKENS, LRM_FILE, SRM_FILE
from trigreason.engines.base import (
    Capabilities,
    EngineRefused,
    EngineUnreachable,
    LogprobScale,
)
from trigreason.engines.chat_apis import MISTRAL, VLLM_CHAT
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.dialects import VLLM
from trigreason.engines.embedded import load
from trigreason.engines.http import HttpEngine
from trigreason.engines.probing import (
    Examination,
    Finding,
    Report,
    ServerKind,
    ServerPages,
    State,
    Topic,
    measured_capabilities,
    unopened,
    verdict,
)
from trigreason.engines.probing.examination import examine_template
from trigreason.engines.templates import guess
from trigreason.reasoning import Author

pytestmark = pytest.mark.slow

YES, NO, UNKNOWN = State.YES, State.NO, State.UNKNOWN
HEALTHY = dict.fromkeys(Topic, YES)


async def examined(engine: HttpEngine, silence_seconds: float = 20.0) -> Report:
    async with ServerPages(engine.url.removesuffix("/v1"), {}, 5.0) as pages:
        report = await Examination(engine, engine.url, pages, silence_seconds=silence_seconds).run()
    await engine.close()
    return report


async def report_on(silence_seconds: float = 20.0, **defects: Any) -> Report:
    async with probed(ProbedServer(**defects)) as server:
        return await examined(CompletionsEngine(server.url, MODEL), silence_seconds)


def states(report: Report) -> dict[Topic, State]:
    return {finding.topic: finding.state for finding in report.findings}


def told(report: Report, topic: Topic) -> str:
    finding = report.finding(topic)
    assert finding is not None
    return f"{finding.evidence} {finding.advice or ''}"


# Real servers


@pytest.mark.parametrize("file", [SRM_FILE, LRM_FILE], ids=["srm", "lrm"])
async def test_real_llama_cpp(file: Any) -> None:
    engine = await load(file, context_tokens=CONTEXT_TOKENS)
    report = await examined(engine)
    assert states(report) == HEALTHY | {Topic.CONTEXT: NO}, report.findings
    assert report.server is ServerKind.LLAMA_CPP
    assert report.measured.logprob_scale is LogprobScale.RAW
    assert report.measured.context_tokens == CONTEXT_TOKENS
    assert verdict(report, Author.SRM).state is YES
    assert verdict(report, Author.LRM).state is YES


# Doubles


async def test_a_healthy_server() -> None:
    report = await report_on()
    assert states(report) == HEALTHY, report.findings
    assert (report.server, report.version) == (ServerKind.VLLM, "1.2.3")
    assert not report.advice()
    assert verdict(report, Author.SRM).weak == verdict(report, Author.LRM).weak == ()


@pytest.mark.parametrize("model", [MODEL, "Qwen3-0.6B"])
async def test_a_guessed_template(model: str) -> None:
    async with probed(ProbedServer()) as server:
        engine = CompletionsEngine(server.url, MODEL, dialect=VLLM, template=guess(model))
        report = await examined(engine)
    assert report.dialect == "vllm"
    guessed = {Topic.TEMPLATE: UNKNOWN, Topic.THINKING: UNKNOWN}
    assert states(report) == HEALTHY | guessed, report.findings
    assert model in told(report, Topic.TEMPLATE)
    assert "--enable-tokenizer-info-endpoint" in told(report, Topic.TEMPLATE)
    for role in Author:
        judged = verdict(report, role)
        assert (judged.state, judged.missing, judged.weak) == (YES, (), tuple(guessed))


def test_a_template_that_the_server_renders() -> None:
    engine = ChatPrefixEngine("http://there", MODEL, api=MISTRAL)
    assert examine_template(engine) == Finding(Topic.TEMPLATE, YES, "the server renders it")


@pytest.mark.parametrize("loses", [False, True])
async def test_a_chat_template_that_loses_the_question(loses: bool) -> None:
    async with probed(ProbedServer(loses_the_question=loses)) as server:
        report = await examined(ChatPrefixEngine(server.url, MODEL, api=VLLM_CHAT))
    assert states(report)[Topic.PREFIX] is YES, report.findings
    assert states(report)[Topic.QUESTION] is (NO if loses else YES)
    assert ("left out of the prompt" in told(report, Topic.QUESTION)) is loses
    assert ("reads a message's content as plain text" in " ".join(report.advice())) is loses
    for role in Author:
        assert verdict(report, role).state is (NO if loses else YES)


NO_PREFIX = {Topic.PREFIX: NO, Topic.STOP: UNKNOWN}

DEFECTS: list[tuple[dict[str, Any], dict[Topic, State], str]] = [
    ({"begins_again": "<think>\n"}, NO_PREFIX, "again with <think>"),
    ({"begins_again": ""}, NO_PREFIX, "starts over"),
    ({"echoes": True}, NO_PREFIX, "gives back what it was given"),
    ({"in_one_piece": True}, {Topic.STREAMS: NO, Topic.CLOSING: UNKNOWN}, "in one piece"),
    ({"logprobs": False}, {Topic.LOGPROBS: NO}, "none came"),
    ({"most_alternatives": 0}, {Topic.LOGPROBS: NO}, "at most 0 logprobs are allowed"),
    (
        {"placeholders_every": 1},
        {Topic.LOGPROBS: NO, Topic.COMPLETE: NO},
        "nothing but placeholders",
    ),
    ({"placeholders_every": 8}, {Topic.COMPLETE: NO}, "12 of 96 are placeholders"),
    ({"sharpened": True}, {Topic.RAW: NO}, "2.00"),
    ({"sharpened": True, "filtered": True}, {Topic.RAW: NO}, "2.00"),
    ({"ignores_seed": True}, {Topic.SEED: NO}, "the same seed wrote different texts"),
    ({"is_certain": True}, {Topic.SEED: UNKNOWN}, "too certain"),
    ({"ignores_stop": True}, {Topic.STOP: NO}, "went on after the blank line"),
    ({"goes_on_after_close": True}, {Topic.CLOSING: NO}, "/metrics"),
    (
        # by the clock alone, so at a pace that the machine's own speed does not make
        {"goes_on_after_close": True, "counts_tokens": False, "pace": 0.01},
        {Topic.CLOSING: NO},
        "/metrics",
    ),
    ({"has_metrics": False}, {Topic.CLOSING: UNKNOWN}, "no page that shows"),
    ({"cached": None}, {Topic.CACHE: NO}, "--enable-prompt-tokens-details"),
    ({"cached": False}, {Topic.CACHE: NO}, "--enable-prefix-caching"),
    ({"context": 4096}, {Topic.CONTEXT: NO}, "--max-model-len"),
    ({"context": None}, {Topic.CONTEXT: UNKNOWN}, "does not say"),
]
"""A defect, the answers that it changes, and what is said about the first of them."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("defect", "changed", "said"), DEFECTS, ids=["-".join(defect) for defect, _, _ in DEFECTS]
)
async def test_a_defect_is_named_and_none_made_up(
    defect: dict[str, Any], changed: dict[Topic, State], said: str
) -> None:
    report = await report_on(**defect)
    expected = HEALTHY | changed
    if expected[Topic.LOGPROBS] is NO:
        expected = {
            topic: state
            for topic, state in expected.items()
            if topic is not Topic.RAW and (topic is not Topic.COMPLETE or topic in changed)
        }
    assert states(report) == expected, report.findings
    assert said in told(report, next(iter(changed)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "difference",
    [
        {"most_alternatives": 5},
        {"refuses_within_the_stream": True, "most_alternatives": 3},
        {"filtered": True},
        {"counts_tokens": False, "pace": 0.01},
        {"counts": False},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_an_honest_difference_is_no_defect(difference: dict[str, Any]) -> None:
    report = await report_on(**difference)
    assert states(report) == HEALTHY, report.findings


async def test_another_text_each_time_leaves_the_count_to_decide() -> None:
    report = await report_on(nonsense=True)
    assert "counts on" in told(report, Topic.PREFIX)
    report = await report_on(nonsense=True, counts=False)
    assert report.state(Topic.PREFIX) is UNKNOWN
    assert verdict(report, Author.LRM).state is UNKNOWN


async def test_no_logprobs_and_the_roles() -> None:
    report = await report_on(logprobs=False)
    as_srm, as_lrm = verdict(report, Author.SRM), verdict(report, Author.LRM)
    assert (as_srm.state, as_srm.missing) == (NO, (Topic.LOGPROBS,))
    assert as_lrm.state is YES
    assert report.advice(Topic.LOGPROBS) == [
        "Start it with --max-logprobs 20, or switch the offload off (--rho 1)."
    ]


@pytest.mark.parametrize(
    ("defect", "complete", "said"),
    [
        ({"certain_up_to": 2.0}, YES, "31 of 32 tokens have a probability of exactly 1"),
        ({"silent_on_all_but_the_first": True}, NO, "31 of 32 tokens have no probability"),
    ],
    ids=["certain", "silent"],
)
async def test_probabilities_that_cannot_be(
    defect: dict[str, Any], complete: State, said: str
) -> None:
    report = await report_on(**defect)
    expected = HEALTHY | {Topic.LOGPROBS: NO, Topic.COMPLETE: complete}
    del expected[Topic.RAW]
    assert states(report) == expected, report.findings
    assert said in told(report, Topic.LOGPROBS)
    assert "the cognitive offload" in told(report, Topic.LOGPROBS)
    assert "without --model-draft" in told(report, Topic.LOGPROBS)
    assert verdict(report, Author.SRM).missing == (Topic.LOGPROBS,)
    assert verdict(report, Author.LRM).state is YES


async def test_a_greedy_text_may_be_certain_throughout() -> None:
    report = await report_on(certain_up_to=0.0)
    assert states(report) == HEALTHY, report.findings


async def test_only_the_chosen_tokens_logprobs_after_temperature() -> None:
    report = await report_on(no_alternatives=True, sharpened=True)
    assert states(report) == HEALTHY | {Topic.RAW: NO}, report.findings
    assert report.measured.max_alternatives == 0
    assert "cannot be converted" in told(report, Topic.RAW)


async def test_probabilities_are_tried_whatever_the_engine_believes() -> None:
    async with probed(ProbedServer()) as server:
        engine = CompletionsEngine(server.url, MODEL, capabilities=Capabilities(logprobs=False))
        report = await examined(engine)
    assert report.state(Topic.LOGPROBS) is YES


# Servers that fail


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        ({"status": 401}, "Check the API key"),
        ({"status": 404, "error": "no model told"}, "no model told"),
        ({"status": 500}, "status 500"),
        ({"answers_html": True}, ""),
        ({"silent_after": 0}, "silent for 0.2 s"),
    ],
    ids=["401", "404", "500", "html", "silence"],
)
async def test_no_first_answer(defect: dict[str, Any], said: str) -> None:
    report = await report_on(0.2, **defect)
    assert states(report) == {Topic.REACHABLE: NO}
    assert said in told(report, Topic.REACHABLE)
    assert "\n" not in told(report, Topic.REACHABLE)
    assert verdict(report, Author.LRM).state is NO


async def test_a_server_that_falls_silent() -> None:
    answered = (1, 2, 3, 6)
    reports = await asyncio.gather(*(report_on(0.3, silent_after=count) for count in answered))
    for count, report in zip(answered, reports, strict=True):
        assert report.cost.requests <= count + 2, count
        assert report.cost.seconds < 3, count
        silent = [each.evidence for each in report.findings if each.state is UNKNOWN]
        assert any("silent for 0.3 s" in each for each in silent), (count, silent)


async def test_nobody_there() -> None:
    error = EngineUnreachable("no answer", "http://there", "Is the server running?")
    async with ServerPages("http://127.0.0.1:9", {}, 1.0) as pages:
        report = await unopened("there", error, pages)
    assert report.findings == [Finding(Topic.REACHABLE, NO, "no answer", "Is the server running?")]


async def test_a_server_without_the_model() -> None:
    error = EngineRefused("the model x is not served there", "http://there", "It serves told.")
    async with (
        probed(ProbedServer()) as server,
        ServerPages(server.url.removesuffix("/v1"), {}, 1.0) as pages,
    ):
        report = await unopened("x@there", error, pages)
    assert states(report) == {Topic.REACHABLE: YES, Topic.MODEL: NO}
    assert "It serves told." in told(report, Topic.MODEL)


# What becomes of a report


@pytest.mark.parametrize(
    ("defect", "expected"),
    [
        ({}, Capabilities(context_tokens=32_768)),
        ({"logprobs": False}, Capabilities(logprobs=False, context_tokens=32_768)),
        ({"most_alternatives": 5}, Capabilities(max_alternatives=5, context_tokens=32_768)),
        (
            {"sharpened": True, "context": None},
            Capabilities(logprob_scale=LogprobScale.SAMPLING, context_tokens=1000),
        ),
    ],
    ids=["healthy", "no logprobs", "few", "sharpened"],
)
async def test_measured_capabilities(defect: dict[str, Any], expected: Capabilities) -> None:
    base = Capabilities(bills_closed_streams=True, context_tokens=1000)
    report = await report_on(**defect)
    measured = measured_capabilities(report, base)
    assert measured == replace(expected, bills_closed_streams=True)


def test_nothing_measured_changes_nothing() -> None:
    base = Capabilities(logprobs=False, max_alternatives=3, logprob_scale=LogprobScale.SAMPLING)
    assert measured_capabilities(Report("there"), base) == base


async def test_a_report_is_plain_json() -> None:
    report = await report_on(cached=None)
    read = json.loads(json.dumps(report.as_json()))
    assert list(read) == [
        *("place", "model", "dialect", "server"),
        *("findings", "measured", "cost"),
    ]
    by_topic = {each.pop("topic"): each for each in read["findings"]}
    assert set(by_topic) == {topic.value for topic in Topic}
    assert by_topic["cache"] == {
        "state": "no",
        "evidence": "no count of cached tokens in the answer",
        "advice": "Start it with --enable-prompt-tokens-details.",
    }
    assert read["measured"]["logprob_scale"] == "raw"
    assert read["cost"]["requests"] == report.cost.requests

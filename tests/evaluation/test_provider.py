"""A pair as an Inspect model: what it takes, refuses, shares and gives back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    Model,
    ResponseSchema,
    get_model,
)
from inspect_ai.tool import ToolInfo
from inspect_ai.util import JSONSchema

from trigreason import bundled
from trigreason.configuration import bundled_pair
from trigreason.engines.base import (
    ContextTooLong,
    EngineBusy,
    EngineError,
    EngineFailed,
    EngineResting,
    EngineUnreachable,
)
from trigreason.evaluation.answering import answering, measured, own_arm
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.lanes import CONNECTIONS
from trigreason.evaluation.outputs import conversation
from trigreason.evaluation.provider import PairAPI, arm_for
from trigreason.failure import Away
from trigreason.reasoning import Message, trace_from_json

pytestmark = pytest.mark.slow

QUESTION = bundled.problems()[0].question
OWN = own_arm(bundled_pair())


def bundled_model(**args: Any) -> Model:
    return get_model("trigreason/bundled", memoize=False, **args)


@pytest.mark.parametrize(
    ("asked", "thinking", "answer"),
    [
        ({}, 900, 64),
        ({"reasoning_tokens": 100}, 100, 64),
        ({"max_tokens": 5000}, 900, 64),
        ({"max_tokens": 500}, 436, 64),
        ({"max_tokens": 500, "reasoning_tokens": 100}, 100, 64),
        ({"max_tokens": 40}, 30, 10),
    ],
)
def test_inspects_limits_bound_the_run(asked: Any, thinking: int, answer: int) -> None:
    budget = arm_for(OWN, GenerateConfig(**asked)).budget
    assert (budget.thinking_tokens, budget.answer_tokens) == (thinking, answer)


def test_inspects_sampling_goes_before_the_arms() -> None:
    sampling = arm_for(OWN, GenerateConfig(temperature=0, top_k=5, seed=3)).sampling
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (0, 5, OWN.sampling.top_p)


@pytest.mark.parametrize(
    "asked",
    [
        {"stop_seqs": ["\n"]},
        {"num_choices": 2},
        {"logprobs": True},
        {"frequency_penalty": 0.5},
        {"logit_bias": {1: 5}},
        {"batch": True},
        {"extra_body": {"a": 1}},
        {"reasoning_effort": "low"},
        {"response_schema": ResponseSchema(name="a", json_schema=JSONSchema(type="object"))},
    ],
)
def test_what_a_pair_cannot_do_is_refused_by_its_name(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(asked))}=.* cannot be had from a pair"):
        arm_for(OWN, GenerateConfig(**asked))


@pytest.mark.parametrize(
    "asked",
    [
        {"num_choices": 1, "logprobs": False, "stop_seqs": [], "frequency_penalty": 0.0},
        {"max_connections": 3, "max_retries": 2, "timeout": 60, "system_message": "Be brief."},
        {"parallel_tool_calls": True, "internal_tools": False, "cache_prompt": "auto"},
    ],
)
def test_what_says_nothing_to_a_pair_changes_nothing(asked: dict[str, Any]) -> None:
    assert arm_for(OWN, GenerateConfig(**asked)) == OWN


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"roh": 0.5}, "unknown argument 'roh'; there are accept"),
        ({"n": "many"}, "n must be a whole number, not 'many'"),
        ({"n": 2.5}, "n must be a whole number, not 2.5"),
        ({"rho": 3}, "rho .* must lie between 0 and 1"),
        ({"direction": "up"}, "direction must be 'over' or 'under', not 'up'"),
        ({"method": "magic"}, "no method is called 'magic'"),
        ({"request_per_step": "yes"}, "request_per_step must be true or false"),
        ({"thinking_tokens": 0}, "a budget of 0 thinking tokens leaves no room"),
        ({"connections": 0}, "connections must be a number from 1 on"),
        ({"configuration": "/nowhere.toml"}, "/nowhere.toml: cannot be read"),
    ],
)
def test_arguments_that_are_wrong_are_told_in_one_line(args: dict[str, Any], told: str) -> None:
    with pytest.raises(PrerequisiteError, match=told) as caught:
        bundled_model(**args)
    assert "\n" not in str(caught.value.message)


def test_a_pair_and_its_addresses_come_from_the_configuration_alone() -> None:
    with pytest.raises(PrerequisiteError, match="no pair is called 'qwen'; did you mean"):
        get_model("trigreason/qwen", memoize=False)
    with pytest.raises(PrerequisiteError, match="takes no URL: where its models are"):
        get_model("trigreason/bundled", memoize=False, base_url="http://localhost:8000/v1")


def test_arguments_stand_in_for_the_pairs_own_settings() -> None:
    given = answering("bundled", {"method": "lrm", "k": 5, "steps": None, "connections": 2})
    assert given.arm.method == "lrm"
    assert (given.arm.thresholds.k, given.arm.thresholds.rho) == (5, bundled.profile().rho)
    assert given.connections == 2
    assert answering("bundled", OWN.to_args()).arm == OWN


def test_a_pair_of_a_configuration_brings_its_own_settings(tmp_path: Path) -> None:
    config = tmp_path / "pairs.toml"
    config.write_text(
        '[engines.one]\nurl = "http://localhost:1/v1"\n'
        '[pairs.mine]\nsrm = "one"\nlrm = "one"\n'
        "thresholds = {n = 3}\nbudget = {thinking_tokens = 77}\nsampling = {temperature = 0.1}\n"
    )
    model = get_model("trigreason/mine", memoize=False, configuration=str(config), rho=0.5)
    assert isinstance(model.api, PairAPI)
    arm = model.api.answering.arm
    assert (arm.thresholds.n, arm.thresholds.rho) == (3, 0.5)
    assert (arm.budget.thinking_tokens, arm.sampling.temperature) == (77, 0.1)
    assert model.api.max_connections() == CONNECTIONS


async def test_a_key_that_is_not_there_is_told_like_a_server_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    config = tmp_path / "pairs.toml"
    config.write_text(
        '[engines.one]\nurl = "http://localhost:1/v1"\napi_key_env = "NO_SUCH_KEY"\n'
        '[pairs.mine]\nsrm = "one"\nlrm = "one"\n'
    )
    async with get_model("trigreason/mine", memoize=False, configuration=str(config)) as model:
        asked = model.api.generate([ChatMessageUser(content="?")], [], "none", GenerateConfig())
        with pytest.raises(PrerequisiteError, match=r"cannot be opened: .*NO_SUCH_KEY"):
            await asked


def test_where_a_model_stays_away_no_other_answers_for_it() -> None:
    failure = measured(bundled_pair()).settings.failure
    assert (failure.srm_away, failure.lrm_away) == (Away.FAIL, Away.FAIL)


def test_only_text_is_put_to_a_pair() -> None:
    thought: list[Content] = [
        ContentReasoning(reasoning="Hm."),
        ContentText(text="Six."),
        ContentText(text="So."),
    ]
    messages: list[ChatMessage] = [
        ChatMessageSystem(content="Be brief."),
        ChatMessageUser(content="2 * 3?"),
        ChatMessageAssistant(content=thought),
    ]
    assert conversation(messages) == (
        Message("system", "Be brief."),
        Message("user", "2 * 3?"),
        Message("assistant", "Six.\nSo."),
    )


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (ChatMessageUser(content=[ContentImage(image="data:image/png;base64,")]), "holds image"),
        (ChatMessageTool(content="42"), "holds tool calls"),
    ],
)
def test_anything_else_is_refused(message: ChatMessage, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        conversation([message])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineBusy("is busy", "here", "Wait.", retry_after=3.0), "rate_limit"),
        (EngineUnreachable("is away", "here", "Wait."), "transient"),
        (EngineFailed("failed", "here", "Wait."), "transient"),
        (EngineResting("rests", "here", "Wait."), "transient"),
        (ContextTooLong("is too long", "here", "Cut it."), None),
        (ValueError("no"), None),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Exception, kind: str | None) -> None:
    api = PairAPI("bundled")
    decision = api.should_retry(error)
    assert decision.retry is (kind is not None)
    if kind:
        assert decision.kind == kind
        assert isinstance(error, EngineError)
        assert decision.retry_after == error.retry_after


async def test_an_output_shows_the_thinking_and_accounts_for_both_models() -> None:
    async with bundled_model(n=2, connections=1) as model:
        output = await model.generate(QUESTION, config=GenerateConfig(seed=7))
        again = await model.generate(QUESTION, config=GenerateConfig(seed=7))
        with pytest.raises(ValueError, match=r"gives tools \(look\), and a pair"):
            await model.generate(QUESTION, tools=[ToolInfo(name="look", description="Look.")])
    assert output.metadata is not None
    assert again.metadata is not None
    assert output.metadata["trace"]["fingerprint"] == again.metadata["trace"]["fingerprint"]
    trace = trace_from_json(output.metadata["trace"])
    content = output.message.content
    assert isinstance(content, list)
    thinking, answer = content
    assert isinstance(thinking, ContentReasoning)
    assert isinstance(answer, ContentText)
    assert thinking.reasoning == trace.thinking.strip()
    assert output.completion == answer.text == trace.answer
    assert (output.stop_reason, output.model) == ("stop", "trigreason/bundled")
    assert Arm().with_args(output.metadata["arm"]).thresholds.n == 2
    run, usage = output.metadata["run"], output.usage
    assert usage is not None
    assert usage.output_tokens == run["srm_tokens"] + run["lrm_tokens"]
    assert usage.reasoning_tokens == usage.output_tokens - trace.answer_tokens
    read = usage.input_tokens + (usage.input_tokens_cache_read or 0)
    assert usage.total_tokens == read + usage.output_tokens
    assert read == sum(each.prompt_tokens or 0 for each in trace.stretches)
    assert output.time == trace.seconds
    assert trace.sampling["seed"] == 7


async def test_inspects_cache_tells_arms_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path))
    seconds = {}
    for turn in range(2):
        for method in ("srm", "lrm"):
            async with bundled_model(method=method, connections=1, thinking_tokens=30) as model:
                output = await model.generate(QUESTION, cache=True)
            assert output.metadata is not None
            assert output.metadata["run"]["method"] == method
            seconds[method, turn] = output.metadata["run"]["seconds"]
    assert seconds["srm", 0] == seconds["srm", 1]
    assert seconds["lrm", 0] == seconds["lrm", 1]


async def test_a_cancelled_run_gives_its_lane_back() -> None:
    async with bundled_model(connections=1) as model:
        assert isinstance(model.api, PairAPI)
        running = asyncio.create_task(model.generate(QUESTION))
        lanes = await model.api._lease.lanes()
        await asyncio.sleep(0.02)
        assert not lanes._free.qsize()
        running.cancel()
        await asyncio.wait([running])
        assert lanes._free.qsize() == 1

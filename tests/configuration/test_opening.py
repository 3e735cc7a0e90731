"""From names in a configuration to open models, and back to closed ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.scripted_server import listening
from trigreason.bundled import LRM_FILE, SRM_FILE, profile
from trigreason.configuration import (
    ConfigurationError,
    PlannedPair,
    bundled_pair,
    engine_at,
    opened_pair,
    planned_pair,
    read_configuration,
)
from trigreason.engines.base import EngineError, EngineRefused, LogprobScale
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.embedded import EmbeddedEngine
from trigreason.engines.http import SESSION_HEADER, HttpEngine, Timeouts
from trigreason.engines.pooling import PoolingScorer, PrmPrompt
from trigreason.failure import FailurePolicy
from trigreason.hiding import Hiding
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Prices, StopReason, Thresholds

Plan = Callable[..., PlannedPair]
Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Makes the plan of ``pairs.p`` in a configuration."""

    def plan_it(text: str, name: str = "p") -> PlannedPair:
        file = tmp_path / "trigreason.toml"
        file.write_text(text)
        return planned_pair(read_configuration(file, {}), name)

    return plan_it


@asynccontextmanager
async def listing(answer: Handler) -> AsyncIterator[str]:
    """A server that answers ``GET /v1/models`` as told, and has nothing else."""
    app = web.Application()
    app.router.add_get("/v1/models", answer)
    async with listening(app) as root:
        yield root


def models(*names: str) -> web.Response:
    return web.json_response({"data": [{"id": name} for name in names]})


def pair_of(srm: str, lrm: str, more: str = "") -> str:
    return f"""
        [engines.small]
        {srm}
        [engines.large]
        {lrm}
        [pairs.p]
        srm = "small"
        lrm = "large"
        {more}
    """


async def test_what_is_configured_reaches_the_engines_and_the_pair(plan: Plan) -> None:
    async def told(_: web.Request) -> web.Response:
        return models("m", "n")

    async with listing(told) as root:
        small = f"""url = "{root}"
            model = "m"
            dialect = "vllm"
            template = "chatml"
            logprob_scale = "sampling"
            context_tokens = 99
            session_header = "x-mine"
            timeouts = {{ connect = 1, read = 2 }}
            breaker = {{ failures = 3 }}"""
        large = f'url = "{root}/v1"\nmodel = "n"\nprices = {{ input = 1, output = 2 }}'
        more = """thresholds = { n = 4 }
            logprob_scale = "sampling"
            judge = { opening = "So: " }
            failure = { retries = 1 }
            hiding = { hedge = true }"""
        planned = plan(pair_of(small, large, more))
        async with opened_pair(planned, {}) as pair:
            srm = pair.srm
            assert isinstance(srm, CompletionsEngine)
            assert (srm.url, srm.model, srm.timeouts) == (
                f"{root}/v1",
                "m",
                Timeouts(connect=1, read=2),
            )
            assert srm.capabilities.logprob_scale is LogprobScale.SAMPLING
            assert srm.capabilities.context_tokens == 99
            assert srm.breaker.failures == 3
            assert srm.session_header == "x-mine"
            assert isinstance(pair.lrm, HttpEngine)
            assert (pair.lrm.model, pair.lrm.session_header) == ("n", SESSION_HEADER)
            assert pair.lrm.breaker is not srm.breaker
            assert (pair.name, pair.thresholds) == ("p", Thresholds(n=4))
            assert pair.logprob_scale is LogprobScale.SAMPLING
            assert pair.judge.opening == "So: "
            assert (pair.failure, pair.hiding) == (FailurePolicy(retries=1), Hiding(hedge=True))
            assert pair.prices == {Author.LRM: Prices(input=1, output=2)}


async def test_engines_are_opened_at_the_same_time(plan: Plan) -> None:
    both = asyncio.Barrier(2)

    async def told(_: web.Request) -> web.Response:
        async with asyncio.timeout(5):
            await both.wait()
        return models("m")

    async with listing(told) as one, listing(told) as other:
        server = 'url = "{}"\ndialect = "vllm"'.format
        async with opened_pair(plan(pair_of(server(one), server(other))), {}) as pair:
            assert pair.srm is not pair.lrm


async def test_an_engine_that_both_use_is_opened_once(plan: Plan) -> None:
    asked = 0

    async def told(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return models("m")

    async with listing(told) as root:
        text = f'[engines.e]\nurl = "{root}"\ndialect = "vllm"\n[pairs.p]\nsrm = "e"\nlrm = "e"'
        async with opened_pair(plan(text), {}) as pair:
            assert pair.srm is pair.lrm
    assert asked == 1


async def test_only_what_is_needed_is_opened(plan: Plan) -> None:
    nobody = 'url = "http://127.0.0.1:9"'
    planned = plan(pair_of(f'file = "{SRM_FILE}"', nobody))
    async with opened_pair(planned, {}, frozenset({Author.SRM})) as pair:
        assert pair.srm is pair.lrm
        assert pair.srm.model == "srm"


@pytest.mark.slow
@pytest.mark.parametrize("when", ["refused", "cancelled", "left", "failed inside"])
async def test_what_was_opened_is_closed(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    closed: list[str] = []
    close = HttpEngine.close

    async def note_and_close(engine: HttpEngine) -> None:
        closed.append(engine.model)
        await close(engine)

    monkeypatch.setattr(HttpEngine, "close", note_and_close)
    opened = asyncio.Event()
    release = asyncio.Event()

    async def fast(_: web.Request) -> web.Response:
        opened.set()
        return models("fast")

    async def slow(_: web.Request) -> web.Response:
        await opened.wait()
        await asyncio.sleep(0.1)
        if when == "cancelled":
            await release.wait()
        return models(*["slow"] * (when != "refused"))

    async def use(planned: PlannedPair) -> None:
        async with opened_pair(planned, {}):
            if when == "failed inside":
                raise RuntimeError

    async with listing(fast) as one, listing(slow) as other:
        server = 'url = "{}"\ndialect = "vllm"'.format
        using = asyncio.create_task(use(plan(pair_of(server(one), server(other)))))
        if when == "cancelled":
            await asyncio.sleep(0.3)
            using.cancel()
            release.set()
        (outcome,) = await asyncio.gather(using, return_exceptions=True)
    expected: dict[str, Any] = {
        "refused": EngineRefused,
        "cancelled": asyncio.CancelledError,
        "left": type(None),
        "failed inside": RuntimeError,
    }
    assert isinstance(outcome, expected[when])
    both = when in ("left", "failed inside")
    assert sorted(closed) == (["fast", "slow"] if both else ["fast"])


async def test_gguf_files_of_a_configuration_reason(plan: Plan) -> None:
    small = f'file = "{SRM_FILE}"\ncontext_tokens = 512\ntemplate = "chatml"'
    planned = plan(pair_of(small, f'file = "{LRM_FILE}"', "thresholds = { n = 1 }"))
    async with opened_pair(planned, {}) as pair:
        assert isinstance(pair.srm, EmbeddedEngine)
        assert pair.srm.capabilities.context_tokens == 512
        trace = await completed(reason(pair, "not ( True ) and ( True ) is"))
    assert trace.stop is StopReason.COMPLETE
    assert trace.thresholds.n == 1


async def test_the_bundled_pair_needs_no_configuration() -> None:
    async with opened_pair(bundled_pair(), {}) as pair:
        assert (pair.name, pair.thresholds) == ("bundled", profile())
        assert pair.judge.opening == "Score: "


def test_a_pair_that_is_not_there(plan: Plan) -> None:
    with pytest.raises(ValueError, match="no pair is called 'bundeld'; did you mean bundled"):
        plan("", "bundeld")


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "KEY is not set"), (" ", "KEY is not set"), ("a\nb", "KEY holds is no key")],
)
async def test_a_key_that_is_not_there(plan: Plan, value: str | None, told: str) -> None:
    server = 'url = "http://127.0.0.1:9"'
    planned = plan(pair_of(f'{server}\napi_key_env = "KEY"', server))
    with pytest.raises(ConfigurationError, match=told) as caught:
        async with opened_pair(planned, {} if value is None else {"KEY": value}):
            pass
    (problem,) = caught.value.problems
    assert problem.key == "engines.small.api_key_env"
    assert problem.place.endswith("trigreason.toml")


async def test_a_key_is_sent_without_the_space_around_it(plan: Plan) -> None:
    seen: set[str | None] = set()

    async def told(request: web.Request) -> web.Response:
        seen.add(request.headers.get("Authorization"))
        return models("m")

    async with listing(told) as root:
        server = f'url = "{root}"\ndialect = "vllm"\napi_key_env = "KEY"'
        async with opened_pair(plan(pair_of(server, server)), {"KEY": " sesame\n"}):
            pass
    assert seen == {"Bearer sesame"}


def test_what_is_missing_on_this_machine(plan: Plan, tmp_path: Path) -> None:
    server = 'url = "http://x"\ntemplate = "chatlm"\napi_key_env = "KEY"'
    planned = plan(pair_of(server, f'file = "{tmp_path}/no.gguf"'))
    told = [str(each) for engine in planned.engines.values() for each in engine.problems({})]
    assert "engines.small.api_key_env: the environment variable KEY is not set" in told[0]
    assert "engines.small.template: " in told[1]
    assert "built-in template" in told[1]
    assert "engines.large.file: " in told[2]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("model", "url", "name"),
    [
        ("http://x/v1", "http://x/v1", None),
        ("m@https://x/v1", "https://x/v1", "m"),
        ("org/m@main@http://x", "http://x", "org/m@main"),
    ],
)
def test_an_engine_by_its_address(model: str, url: str, name: str | None) -> None:
    settings = engine_at(model, "--srm").settings
    assert (settings.url, settings.model, settings.file) == (url, name, None)


@pytest.mark.parametrize("model", ["http://me:pw@x/v1", "m@http://me:pw@x/v1"])
def test_an_address_with_a_password_is_refused(model: str) -> None:
    with pytest.raises(ConfigurationError, match="--srm: url: must not hold a password") as caught:
        engine_at(model, "--srm")
    assert "pw" not in str(caught.value)


async def test_errors_of_engines_come_alone(plan: Plan) -> None:
    nobody = 'url = "http://127.0.0.1:9"'
    with pytest.raises(EngineError, match="Is the server running"):
        async with opened_pair(plan(pair_of(nobody, nobody)), {}):
            pass


# A draft model


DRAFTED = f"file = '{LRM_FILE}'\ncontext_tokens = 512\ndraft = 'small'"


@pytest.mark.slow
async def test_the_file_of_an_engine_drafts_for_the_lrm(plan: Plan) -> None:
    planned = plan(pair_of(f"file = '{SRM_FILE}'\ncontext_tokens = 512", DRAFTED))
    assert planned.engines[Author.LRM].draft_file == SRM_FILE
    async with opened_pair(planned, {}) as pair:
        assert not pair.lrm.capabilities.logprobs
        assert pair.srm.capabilities.logprobs
        trace = await completed(reason(pair, "Who?", thresholds=Thresholds(n=1)))
    assert trace.steps[0].author is Author.LRM
    assert trace.steps[0].logprobs == ()


def test_an_engine_with_a_draft_model_is_no_srm(plan: Plan) -> None:
    planned = plan(pair_of(f"file = '{SRM_FILE}'", DRAFTED))
    drafted = planned.engines[Author.LRM]
    with pytest.raises(ConfigurationError, match=r"the SRM's logprobs are needed") as caught:
        replace(planned, engines={**planned.engines, Author.SRM: drafted})
    assert "engines.large.draft" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_draft_file_is_told_before_loading(plan: Plan, tmp_path: Path) -> None:
    nowhere = tmp_path / "none.gguf"
    planned = plan(pair_of(f"file = '{nowhere}'", DRAFTED))
    with pytest.raises(ConfigurationError, match=r"engines\.small\.file.*none\.gguf"):
        planned.engines[Author.LRM].check_file()


SCORER = """
        [pairs.p.scorer]
        url = "{}"
        {}
"""


async def test_a_scorer_is_opened_with_the_pair_and_closed_with_it(plan: Plan) -> None:
    more = """
        model = "Qwen/Qwen2.5-Math-PRM-7B"
        api_key_env = "PRM_KEY"
        price = 0.25
        prompt = { step_tag = "<s>", system = "" }
        breaker = { failures = 2 }
        timeouts = { read = 7 }
    """
    file = f'file = "{SRM_FILE}"'
    planned = plan(pair_of(file, file, SCORER.format("http://127.0.0.1:1/v1", more)))
    async with opened_pair(planned, {"PRM_KEY": "k"}) as pair:
        scorer = pair.scorer
    assert isinstance(scorer, PoolingScorer)
    assert (scorer.url, scorer.model) == ("http://127.0.0.1:1", "Qwen/Qwen2.5-Math-PRM-7B")
    assert (scorer.price, scorer.breaker.failures, scorer.timeouts.read) == (0.25, 2, 7)
    assert scorer.prompt == PrmPrompt(step_tag="<s>", system="")
    with pytest.raises(ConfigurationError, match=r"pairs.p.scorer.api_key_env: .*PRM_KEY"):
        async with opened_pair(planned, {}):
            pass


@pytest.mark.parametrize(
    ("url", "more", "told"),
    [
        ("localhost", "", "url must be a URL"),
        ("http://x", "price = -1", "price must be"),
        ("http://x", "prompt = { step_tag = ' ' }", "prompt step_tag must be"),
        ("http://x", "kind = 'vllm'", "kind unknown key"),
        ("http://x", "api_key = 'k'", "a key is not written here"),
    ],
)
def test_a_scorer_that_cannot_be(plan: Plan, url: str, more: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(pair_of('url = "http://x"', 'url = "http://x"', SCORER.format(url, more)))
    assert told in str(caught.value).replace("pairs.p.scorer.", "").replace(":", "")

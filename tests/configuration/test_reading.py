"""What is right becomes settings; what is wrong is told, all of it, where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trigreason.budget import Budget
from trigreason.configuration import (
    Configuration,
    ConfigurationError,
    EngineSettings,
    PairSettings,
    presets,
    read_configuration,
)
from trigreason.configuration.problems import ConfigurationProblem
from trigreason.engines.base import LogprobScale, Sampling
from trigreason.engines.http import Timeouts
from trigreason.failure import Away, FailurePolicy
from trigreason.hiding import Hiding
from trigreason.pairs import JudgePrompt
from trigreason.reasoning import Direction, Prices, Scoring, Thresholds

Read = Callable[..., Configuration]

TWO_ENGINES = """
[engines.small]
url = "http://localhost:8001/v1"
[engines.large]
url = "http://localhost:8002/v1"
"""
PAIR = TWO_ENGINES + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n'
KEY = "sk-0123456789abcdef0123456789abcdef"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_it(text: str, environ: Mapping[str, str] | None = None) -> Configuration:
        file = tmp_path / "trigreason.toml"
        file.write_text(text, encoding="utf-8")
        return read_configuration(file, environ or {})

    return read_it


def problems(
    read: Read, text: str, environ: Mapping[str, str] | None = None
) -> list[ConfigurationProblem]:
    with pytest.raises(ConfigurationError) as caught:
        read(text, environ)
    assert caught.value.__context__ is None, "what was read must not travel with the error"
    assert "\n" not in str(caught.value)
    return list(caught.value.problems)


def test_everything_that_is_left_out_is_as_the_runtime_has_it(read: Read) -> None:
    settings = read(PAIR).settings
    assert settings.default_pair == "bundled"
    pair, engine = settings.pairs["qwen"], settings.engines["small"]
    assert (pair.thresholds, pair.budget, pair.sampling) == (Thresholds(), Budget(), Sampling())
    assert (pair.judge, pair.failure, pair.hiding) == (JudgePrompt(), FailurePolicy(), Hiding())
    assert (engine.timeouts, engine.prices) == (Timeouts(), None)
    assert read("").settings.pairs == {}


def test_everything_can_be_said(read: Read) -> None:
    settings = read(
        """
        default_pair = "qwen"
        [engines.small]
        url = "https://localhost:8001/v1"
        model = "Qwen3-0.6B"
        dialect = "vllm"
        api_key_env = "SMALL_KEY"
        template = "chatml"
        logprob_scale = "sampling"
        context_tokens = 32768
        timeouts = { connect = 5, read = 120 }
        breaker = { failures = 2, rest_seconds = 3 }
        prices = { input = 0.56, cached_input = 0.07, output = 1.68 }
        [pairs.qwen]
        srm = "small"
        lrm = "small"
        logprob_scale = "sampling"
        thresholds = { n = 3, rho = 0.5, direction = "under", expressions = ["er", "hm"] }
        budget = { thinking_tokens = 100, seconds = 9 }
        sampling = { temperature = 0, top_k = 20 }
        judge = { question = "Well?", opening = "It is ", scoring = "weighted" }
        failure = { retries = 1, lrm_away = "fail" }
        hiding = { warm_seconds = 5, hedge = true }
        """
    ).settings
    engine, pair = settings.engines["small"], settings.pairs["qwen"]
    assert settings.default_pair == "qwen"
    assert engine.timeouts == Timeouts(connect=5, read=120)
    assert (engine.breaker.failures, engine.breaker.rest_seconds) == (2, 3)
    assert engine.prices == Prices(input=0.56, cached_input=0.07, output=1.68)
    assert engine.logprob_scale is pair.logprob_scale is LogprobScale.SAMPLING
    assert pair.thresholds == Thresholds(
        n=3, rho=0.5, direction=Direction.UNDER, expressions=("er", "hm")
    )
    assert pair.budget == Budget(thinking_tokens=100, seconds=9)
    assert pair.sampling == Sampling(temperature=0, top_k=20)
    assert pair.judge == JudgePrompt("Well?", "It is ", Scoring.WEIGHTED)
    assert pair.failure == FailurePolicy(retries=1, lrm_away=Away.FAIL)
    assert pair.hiding == Hiding(warm_seconds=5, hedge=True)


HEADER = "engines.s.session_header"


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ('default_par = "x"', "default_par", "unknown key; did you mean default_pair?"),
        ("zzz = 1", "zzz", "unknown key; there are default_pair, engines, pairs"),
        ("engines = 3", "engines", "must be a table, not 3"),
        ("engines.small = 3", "engines.small", "must be a table, not 3"),
        ('engines.small.uri = "http://x"', "engines.small.uri", "did you mean url?"),
        ('engines.small.URL = "http://x"', "engines.small.URL", "did you mean url?"),
        ("engines.small.model = 7", "engines.small.model", "must be text in quotes, not 7"),
        ('engines.small.model = ""', "engines.small.model", "at least 1 character"),
        ("engines.small = { }", "engines.small", "needs either url"),
        ('engines.small = { url = "http://x", file = "y" }', "engines.small", "needs either url"),
        ('engines.s = { file = "y", model = "z" }', "engines.s", "model is of no use with file"),
        ('engines.s = { url = "http://x", draft = "t" }', "engines.s", "draft is of no use with"),
        *(
            (f'engines.s = {{ url = "http://x", session_header = "{name}" }}', HEADER, what)
            for what, names in (
                ("the name of an HTTP header", ("x y", "x:", "é", "\\n")),
                ("another meaning", ("Authorization", "content-length", "host", "Accept", "TE")),
            )
            for name in names
        ),
        ('engines.s = { file = "y", draft = "t" }', "engines.s.draft", "no engine is called 't'"),
        ('engines.s = { file = "y", draft = "s" }', "engines.s.draft", "cannot draft for itself"),
        (
            'engines = { s = { file = "y", draft = "t" }, t = { url = "http://x" } }',
            "engines.s.draft",
            "must name an engine with a file, and 't' is on a server",
        ),
        (
            'engines = { s = { file = "y", draft = "t" }, t = { file = "z" } }\n'
            'pairs.p = { srm = "s", lrm = "t" }',
            "pairs.p.srm",
            "llama.cpp gives no true ones for 's'",
        ),
        ('engines.small.url = "localhost:80"', "engines.small.url", "must be a URL such as"),
        ('engines.small.url = "http://"', "engines.small.url", "must be a URL such as"),
        ('engines.small.url = "http://x:99999"', "engines.small.url", "must be a URL such as"),
        ('engines.small.url = "http://[x"', "engines.small.url", "must be a URL such as"),
        ('engines.s.url = "http://me:pw@x/v1"', "engines.s.url", "must not hold a password"),
        ('engines.s.url = "http://pw@x/v1"', "engines.s.url", "must not hold a password"),
        ('engines.s.url = "http://x/v1?key=pw"', "engines.s.url", "no ? and no #"),
        (f'engines.s.api_key = "{KEY}"', "engines.s.api_key", "environment variable"),
        (f'engines.s.api_key_env = "{KEY}"', "engines.s.api_key_env", "NAME of an environment"),
        ('engines.s.api_key_env = "gsk_a1"', "engines.s.api_key_env", "NAME of an environment"),
        ('engines.s.dialect = "vlm"', "engines.s.dialect", "did you mean vllm?"),
        ("engines.s.context_tokens = 0", "engines.s.context_tokens", "greater than or equal to 1"),
        ("engines.s.context_tokens = 1.5", "engines.s.context_tokens", "must be a whole number"),
        ('engines.s.logprob_scale = "rau"', "engines.s.logprob_scale", "'raw' or 'sampling'"),
        ("engines.s.timeouts.read = 0", "engines.s.timeouts", "read timeout must be above 0"),
        ('engines.s.timeouts.read = "5"', "engines.s.timeouts.read", "a number, not '5'"),
        ("engines.s.timeouts.read = true", "engines.s.timeouts.read", "a number, not true"),
        ("engines.s.timeouts.read = inf", "engines.s.timeouts.read", "a finite number"),
        ("engines.s.timeouts.reed = 5", "engines.s.timeouts.reed", "did you mean read?"),
        ("engines.s.breaker.clock = 5", "engines.s.breaker.clock", "unknown key"),
        ("engines.s.breaker.failures = 0", "engines.s.breaker", "1 failure or more"),
        ("engines.s.prices = { input = 1 }", "engines.s.prices.output", "is missing"),
        (
            "engines.s.prices = { input = -1, output = 1 }",
            "engines.s.prices",
            "price of input must be 0 or more",
        ),
        ('pairs.qwen.srm = "small"', "pairs.qwen.lrm", "is missing"),
        ("pairs.q.thresholds.rho = 2", "pairs.q.thresholds", "between 0 and 1, not 2"),
        ("pairs.q.thresholds.roh = 0.5", "pairs.q.thresholds.roh", "did you mean rho?"),
        ("pairs.q.thresholds.expressions = 'er'", "pairs.q.thresholds.expressions", "a list"),
        ("pairs.q.thresholds.expressions = [1]", "pairs.q.thresholds.expressions.0", "text in"),
        ('pairs.q.thresholds.direction = "up"', "pairs.q.thresholds.direction", "'over' or"),
        ("pairs.q.budget.steps = 0", "pairs.q.budget", "leaves no room"),
        ("pairs.q.sampling.temperature = -1", "pairs.q.sampling", "temperature must lie"),
        ('pairs.q.judge.scoring = "w"', "pairs.q.judge.scoring", "'greedy' or 'weighted'"),
        ("pairs.q.failure.retries = -1", "pairs.q.failure", "retries must be 0 or more"),
        ('pairs.q.failure.srm_away = "stop"', "pairs.q.failure.srm_away", "'go_on' or 'fail'"),
        ("pairs.q.hiding.warm_tokens = 0", "pairs.q.hiding", "warm_tokens must be 1 or more"),
        ('pairs.q.hiding.hedge = "yes"', "pairs.q.hiding.hedge", "true or false, not 'yes'"),
        (f'pairs.q.hiding.hedge = "{KEY}"', "pairs.q.hiding.hedge", "too long to repeat"),
    ],
)
def test_a_mistake_is_told_with_its_key(read: Read, text: str, key: str, what: str) -> None:
    (found,) = (each for each in problems(read, text) if each.key == key)
    assert what in found.what
    assert found.place.endswith("trigreason.toml")
    assert KEY not in str(found)
    assert "pw" not in found.what


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        *(
            (
                TWO_ENGINES + f"[gateway.passed]\n{route} = ['{name}']",
                f"gateway.passed.{route}",
                told,
            )
            for route, name, told in (
                ("embeddings", "smal", "did you mean small?"),
                ("rerank", "small", "needs a url and the model's name"),
            )
        ),
        (
            PAIR + "[engines.qwen]\nurl='http://x'\nmodel='m'\n"
            "[gateway.passed]\ncompletions = ['qwen']",
            "gateway.passed.completions",
            "is also the name of a pair",
        ),
        (PAIR + "[pairs.p]\nsrm='smal'\nlrm='large'", "pairs.p.srm", "did you mean small?"),
        (PAIR + "[pairs.p]\nsrm='small'\nlrm='x'", "pairs.p.lrm", "there are small, large"),
        ("[pairs.p]\nsrm='x'\nlrm='x'", "pairs.p.srm", "there is none"),
        ('default_pair = "qwn"\n' + PAIR, "default_pair", "did you mean qwen?"),
        (TWO_ENGINES + "[pairs.bundled]\nsrm='small'\nlrm='large'", "pairs.bundled", "is reserved"),
    ],
)
def test_names_that_lead_nowhere(read: Read, text: str, key: str, what: str) -> None:
    found = next(each for each in problems(read, text) if each.key == key)
    assert what in found.what


def test_all_problems_are_told_and_the_error_counts_them(read: Read) -> None:
    text = "a = 1\n[engines.s]\nb = 2\n[pairs.p]\nsrm = 3\n"
    with pytest.raises(ConfigurationError) as caught:
        read(text, {"TRIGREASON_PAIRS__P__LRN": "x"})
    assert len(caught.value.problems) > 3
    others = len(caught.value.problems) - 1
    assert str(caught.value).startswith(str(caught.value.problems[0]))
    assert f"(and {others} more: see trigreason config check)" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[engines.small\n", "line 1, column 15"),
        ("a = \n", "line 1, column 5"),
        ("a = 1\na = 2\n", "line 2, column"),
        ("[engines]\n[engines]\n", "line 2, column"),
    ],
)
def test_bad_toml_is_told_with_its_line(read: Read, text: str, told: str) -> None:
    (problem,) = problems(read, text)
    assert "is no TOML" in problem.what
    assert told in problem.what


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"a = '\xff'")
    for file, told in (
        (tmp_path / "none", "check the path"),
        (binary, "no UTF-8"),
        (tmp_path, "cannot"),
    ):
        with pytest.raises(ConfigurationError, match=told) as caught:
            read_configuration(file, {})
        assert str(caught.value).startswith(str(file))


def test_a_configuration_without_a_file() -> None:
    configuration = read_configuration(None, {"XDG_CONFIG_HOME": "/nowhere/at/all"})
    assert configuration.file is None
    assert configuration.pair_names == ["bundled", *presets()]


def test_settings_speak_of_models_not_of_themselves() -> None:
    assert str(EngineSettings(url="http://x/v1")) == "http://x/v1"
    assert str(EngineSettings(url="http://x/v1", model="m")) == "m at http://x/v1"
    assert str(EngineSettings(file=Path("m.gguf"))) == "m.gguf"
    assert PairSettings(srm="a", lrm="b").thresholds == Thresholds()

"""What a model name stands for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.gateway.errors import ApiError
from trigreason.gateway.exchange import ModelChoice
from trigreason.gateway.gateway_request import Options
from trigreason.gateway.naming import MAX_NAME, ThresholdChanges, choice, with_thresholds
from trigreason.reasoning import Direction, Thresholds, methods

OWN = Thresholds(n=3, rho=0.6)
PAIRS = dict.fromkeys(["bundled", "qwen", "qwen:lrm", "Größe 日本", "a:b:c"], OWN)


def own(**changes: Any) -> Thresholds:
    return Thresholds.from_json(OWN.to_json() | changes)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bundled", ModelChoice("bundled")),
        ("bundled:lrm", ModelChoice("bundled", "lrm")),
        ("bundled:trigreason", ModelChoice("bundled")),
        ("qwen:srm", ModelChoice("qwen", "srm")),
        ("qwen:lrm", ModelChoice("qwen:lrm")),
        ("qwen:lrm:lrm", ModelChoice("qwen:lrm", "lrm")),
        ("a:b:c", ModelChoice("a:b:c")),
        ("a:b:c:specreason", ModelChoice("a:b:c", "specreason")),
        ("Größe 日本", ModelChoice("Größe 日本")),
        ("Größe 日本:n=1", ModelChoice("Größe 日本", thresholds=own(n=1))),
        ("bundled:rho=0.75,n=5", ModelChoice("bundled", thresholds=own(rho=0.75, n=5))),
        ("bundled: rho = 0.75 , n = 5 ", ModelChoice("bundled", thresholds=own(rho=0.75, n=5))),
        ("bundled:direction=under", ModelChoice("bundled", thresholds=own(direction="under"))),
        ("bundled:rho=1e-1", ModelChoice("bundled", thresholds=own(rho=0.1))),
        (
            "bundled:specreason:accept=5,judge_first=2",
            ModelChoice("bundled", "specreason", own(accept=5.0, judge_first=2)),
        ),
    ],
)
def test_names(name: str, found: ModelChoice) -> None:
    assert choice(name, PAIRS) == found


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bundled:", None),
        ("bundled::lrm", "no method is called ''"),
        ("bundled:lmr", "no method is called 'lmr'; there are srm"),
        ("bundled:LRM", "no method is called 'LRM'"),
        ("bundled:lrm:srm", "unknown threshold 'srm'"),
        ("bundled:n=1:lrm", "pair:method:rho=0.75,n=5"),
        ("bundled:lrm:n=1:n=2", "pair:method:rho=0.75,n=5"),
        ("bundled:n=1,n=2", "is given twice"),
        ("bundled:n=1,n=1", "is given twice"),
        ("bundled:n=", "n: "),
        ("bundled:=5", "unknown threshold ''"),
        ("bundled:n=1,", "unknown threshold ''"),
        ("bundled:x=1", "unknown threshold 'x'; there are accept, confidence, delta, direction"),
        ("bundled:method=lrm", "unknown threshold 'method'"),
        ("bundled:expressions=wait", "unknown threshold 'expressions'"),
        ("bundled:rho=nan", "rho: "),
        ("bundled:rho=inf", "rho: "),
        ("bundled:tau=inf", "tau: "),
        ("bundled:tau=0.9", "tau: "),
        ("bundled:rho=-0.1", "rho: "),
        ("bundled:rho=1.01", "rho: "),
        ("bundled:n=-1", "n: "),
        ("bundled:n=1.5", "n: "),
        ("bundled:k=0", "k: "),
        ("bundled:accept=10", "accept: "),
        ("bundled:direction=left", "direction: "),
        ("bundled:n=" + "9" * 480, None),
        ("bundled:rho=" + "9" * 480, "rho: "),
    ],
)
def test_names_that_make_no_sense(name: str, told: str | None) -> None:
    if told is None:  # odd, and harmless
        assert choice(name, PAIRS).pair == "bundled"
        return
    with pytest.raises(ApiError) as error:
        choice(name, PAIRS)
    assert (error.value.status, error.value.param) == (400, "model")
    assert told in error.value.message
    assert len(error.value.message) < 400


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("bundeld", "Did you mean 'bundled'?"),
        ("bundeld:lrm", "Did you mean 'bundled'?"),
        ("Bundled", "Did you mean 'bundled'?"),
        ("gpt-4o", "There are: bundled, qwen"),
        ("", "There are: bundled, qwen"),
        ("\ud800", "There are: bundled, qwen"),
        ("x" * 10_000, "There are: bundled, qwen"),
    ],
)
def test_pairs_that_there_are_not(name: str, advice: str) -> None:
    with pytest.raises(ApiError) as error:
        choice(name, PAIRS)
    assert (error.value.status, error.value.code) == (404, "model_not_found")
    assert advice in error.value.message
    assert len(error.value.message.encode()) < 400


def test_the_body_goes_over_the_name_key_by_key() -> None:
    found = choice("bundled:rho=0.1,n=1", PAIRS)
    options = Options(rho=0.9, k=4)
    assert with_thresholds(found, options, OWN, "trigreason").thresholds == own(rho=0.9, n=1, k=4)
    assert with_thresholds(ModelChoice("bundled"), Options(), OWN, "trigreason").thresholds == OWN


def test_every_threshold_but_words_and_models_can_be_set() -> None:
    named = {each.name for each in fields(Thresholds)} - {"expressions", "cues", "risk_model"}
    assert set(ThresholdChanges.model_fields) == named


@settings(deadline=None)
@given(
    st.sampled_from(sorted(set(methods()) - {"learned"})),  # the pair has no risk model
    st.integers(0, 1000),
    st.floats(0, 1),
    st.floats(1.0001, 100),
    st.sampled_from(Direction),
)
def test_what_is_written_is_read(
    method: str, n: int, rho: float, tau: float, direction: Direction
) -> None:
    name = f"bundled:{method}:n={n},rho={rho!r},tau={tau!r},direction={direction}"
    wanted = own(n=n, rho=rho, tau=tau, direction=direction)
    assert choice(name, PAIRS) == ModelChoice("bundled", method, wanted)


@settings(deadline=None)
@given(st.text(max_size=MAX_NAME).map(lambda text: f"bundled:{text}") | st.text(max_size=MAX_NAME))
def test_any_name_is_found_or_refused(name: str) -> None:
    with suppress(ApiError):
        assert choice(name, PAIRS).pair in PAIRS

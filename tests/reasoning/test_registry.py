"""Methods by name, what they need, and the thresholds that they are made of."""

from __future__ import annotations

import pytest

from tests.reasoning.risks import RISK
from tests.reasoning.test_methods import trigreason
from trigreason.reasoning import (
    HESITATION_EXPRESSIONS,
    Author,
    CognitiveOffload,
    Direction,
    InterventionRequest,
    Method,
    Solo,
    SpecReason,
    StrategicPriming,
    Thresholds,
    TrigReason,
    make_method,
    method_entry,
    methods,
)
from trigreason.reasoning.triggers import JudgeRejection


@pytest.mark.parametrize("name", ["trigreason", "srm", "lrm"])
def test_only_specreason_takes_a_score(name: str) -> None:
    with pytest.raises(NotImplementedError, match="never asks for a score"):
        make_method(name).on_score(7)


@pytest.mark.parametrize(
    ("method", "authors", "revises", "needs_logprobs"),
    [
        (trigreason().method, "srm lrm", True, True),
        (trigreason(rho=1).method, "srm lrm", False, False),
        (trigreason(rho=1, m=0).method, "srm", False, False),
        (trigreason(rho=1, m=0, n=1).method, "srm lrm", False, False),
        (trigreason(rho=0, m=0, direction=Direction.UNDER).method, "srm", False, False),
        (SpecReason(), "srm lrm", True, False),
        (Solo(author=Author.SRM), "srm", False, False),
        (Solo(author=Author.LRM), "lrm", False, False),
    ],
)
def test_what_a_method_needs(
    method: Method, authors: str, revises: bool, needs_logprobs: bool
) -> None:
    assert method.authors == {Author(each) for each in authors.split()}
    assert (method.revises, method.needs_logprobs) == (revises, needs_logprobs)


@pytest.mark.parametrize("name", methods())
def test_a_method_is_made_by_its_name(name: str) -> None:
    assert method_entry(name).name == name
    make_method(name, Thresholds(risk_model=RISK))


def test_the_learned_method_needs_its_model() -> None:
    with pytest.raises(ValueError, match="calibrate LOGS --method learned"):
        make_method("learned")


@pytest.mark.parametrize("name", methods())
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Thresholds(n=-1), "n "),
        (Thresholds(rho=2), "rho "),
        (Thresholds(k=0), "k "),
        (Thresholds(accept=10), "accept "),
        (Thresholds(repeats=-1), "repeats "),
        (Thresholds(risk=1.1), "risk "),
        (Thresholds(delta=1.1), "delta "),
        (Thresholds(delta=-0.1), "delta "),
    ],
)
def test_a_threshold_out_of_range_is_refused_whichever_the_method(
    name: str, wrong: Thresholds, said: str
) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        make_method(name, wrong)


def test_a_method_is_made_of_its_thresholds() -> None:
    given = Thresholds(n=3, rho=0.5, k=3, expressions=("hm",), accept=5, judge_first=1)
    assert make_method("trigreason", given) == TrigReason(
        priming=StrategicPriming(3),
        offload=CognitiveOffload(rho=0.5),
        request=InterventionRequest(3, expressions=("hm",)),
    )
    assert make_method("specreason", given) == SpecReason(
        rejection=JudgeRejection(5), priming=StrategicPriming(1)
    )


def test_no_such_method() -> None:
    with pytest.raises(ValueError, match="'trig'; there are srm, lrm, random, periodic, planning"):
        make_method("trig")


@pytest.mark.parametrize(
    "thresholds",
    [
        Thresholds(),
        Thresholds(n=5, rho=0.75, direction=Direction.UNDER, k=3, m=0, accept=5, judge_first=1),
        Thresholds(expressions=("hm", "moment")),
        Thresholds(expressions=()),
        Thresholds(risk=0.2, risk_model=RISK),
        Thresholds(cues=("so", "in other words")),
        Thresholds(repeats=0),
        Thresholds(script_stop=True),
    ],
)
def test_thresholds_survive_json(thresholds: Thresholds) -> None:
    assert Thresholds.from_json(thresholds.to_json()) == thresholds


def test_the_defaults_of_words_and_of_the_scripts_stop_are_not_written_down() -> None:
    assert not {"expressions", "cues"} & set(Thresholds().to_json())
    assert "script_stop" not in Thresholds().to_json(), "recorded settings stay as they were"
    assert Thresholds(script_stop=True).to_json()["script_stop"] is True
    assert Thresholds.from_json({}).expressions == HESITATION_EXPRESSIONS


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"roh": 0.8}, "unknown threshold 'roh'; there are n, tau, rho"),
        ({"direction": "sideways"}, "sideways"),
        ({"n": -1}, "n .*-1"),
        ({"tau": 0}, "tau"),
        ({"rho": 2}, "rho"),
        ({"k": 0}, "k "),
        ({"m": -1}, "m "),
        ({"accept": 10}, "accept"),
        ({"judge_first": -1}, "priming"),
        ({"repeats": -1}, "repeats .*-1"),
    ],
)
def test_thresholds_that_cannot_be(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Thresholds.from_json(values)

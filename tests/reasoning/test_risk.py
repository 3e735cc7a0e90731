"""The risk of a step: its model, the signals that it looks at, and the method that acts on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reasoning.risks import RISK
from trigreason.reasoning import (
    Alternative,
    Author,
    Features,
    MethodRun,
    Rewrite,
    Step,
    StepEnd,
    Thresholds,
    Token,
    Write,
)
from trigreason.reasoning.methods.learned import Learned
from trigreason.reasoning.reading import Reader, Reading
from trigreason.reasoning.risk import OF_ALTERNATIVES, SIGNALS, Curve, RiskModel
from trigreason.reasoning.risk_signals import SignalReader

SRM, LRM = Author.SRM, Author.LRM
LINE = Curve("ratio", (0.2, 0.6, 1.0), (1.0, 0.0, -3.0))
numbers = st.floats(-50, 50)
curves = st.builds(
    lambda signal, points: Curve(
        signal,
        tuple(sorted({at for at, _ in points})),
        tuple(y for _, y in points)[: len({at for at, _ in points})],
    ),
    st.sampled_from(sorted(SIGNALS)),
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4),
)
models = st.builds(RiskModel, numbers, st.lists(curves, max_size=4).map(tuple))
signals = st.fixed_dictionaries({name: st.none() | numbers for name in SIGNALS})


@pytest.mark.parametrize(
    ("ratio", "logits"),
    [(0.2, 1.0), (0.4, 0.5), (0.6, 0.0), (0.8, -1.5), (1.0, -3.0), (0.0, 1.0), (7.0, -3.0)],
)
def test_a_curve_is_straight_between_its_points(ratio: float, logits: float) -> None:
    assert LINE.value(ratio) == pytest.approx(logits)
    assert RiskModel(0.5, (LINE,)).risk({"ratio": ratio}) == pytest.approx(
        1 / (1 + math.exp(-0.5 - logits))
    )


def test_an_unknown_signal_adds_nothing() -> None:
    assert RiskModel(0.0, (LINE,)).risk({"ratio": None}) == 0.5
    assert RiskModel(0.0, (LINE,)).risk({}) == 0.5


@pytest.mark.slow
@given(models, signals)
def test_a_risk_is_a_probability_and_survives_json(
    model: RiskModel, values: dict[str, float | None]
) -> None:
    assert 0 <= model.risk(values) <= 1
    assert RiskModel.from_json(model.to_json()) == model
    assert Thresholds.from_json(Thresholds(risk_model=model).to_json()).risk_model == model


@given(curves, numbers)
def test_a_curve_stays_between_its_values(curve: Curve, at: float) -> None:
    low, high = min(curve.logits), max(curve.logits)
    assert low - 1e-9 <= curve.value(at) <= high + 1e-9
    assert curve.span == high - low


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        {"intercept": 0.0},
        {"intercept": "0", "curves": []},
        {"intercept": 0.0, "curves": [{"signal": "luck", "at": [0], "logits": [0]}]},
        {"intercept": 0.0, "curves": [{"signal": "ratio", "at": [], "logits": []}]},
        {"intercept": 0.0, "curves": [{"signal": "ratio", "at": [1, 0], "logits": [0, 0]}]},
        {"intercept": 0.0, "curves": [{"signal": "ratio", "at": [0, 1], "logits": [0]}]},
        {"intercept": 0.0, "curves": [{"signal": "ratio", "at": [math.nan], "logits": [0]}]},
        {"intercept": 0.0, "curves": [{"signal": "ratio", "at": ["0"], "logits": [0]}]},
        {"intercept": math.inf, "curves": []},
    ],
)
def test_what_is_no_model_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="risk model"):
        RiskModel.from_json(wrong)


def reading(
    logprobs: Sequence[float] = (),
    text: str = "So it is.\n\n",
    author: Author = SRM,
    top: Sequence[float] = (),
) -> Reading:
    tokens = tuple(
        Token("x", each, top=tuple(Alternative("x", t) for t in top)) for each in logprobs
    )
    return Reader(Thresholds()).read(Features(Step(text, tokens, StepEnd.BLANK_LINE, author)))


def test_the_signals_of_a_step() -> None:
    reader = SignalReader()
    first = reader.read(reading([-0.01, -1.0], top=[math.log(0.8), math.log(0.2)]))
    assert set(first) == set(SIGNALS)
    assert first["ratio"] == 0.5
    assert first["mean_logprob"] == pytest.approx(-0.505)
    assert first["min_logprob"] == -1.0
    assert first["first_entropy"] == pytest.approx(0.5004, abs=1e-3)
    assert first["mean_margin"] == pytest.approx(0.6, abs=1e-3)
    assert (first["hesitates"], first["repeats"]) == (0.0, 0.0)
    assert (first["tokens"], first["position"]) == (2.0, 0.0)
    assert (first["ratio_change"], first["logprob_change"]) == (None, None)


def test_signals_change_with_the_standing_steps() -> None:
    reader = SignalReader()
    reader.keep(reader.read(reading([-0.01, -1.0])))
    reader.keep()  # one of the LRM
    reader.read(reading([-9.0]))  # a draft
    seen = reader.read(reading([-0.01], "Wait, no.\n\n"))
    assert (seen["position"], seen["hesitates"], seen["ratio_change"]) == (2.0, 1.0, 0.5)
    assert seen["logprob_change"] == pytest.approx(0.495)
    reader.restart()
    assert reader.read(reading([-0.01]))["position"] == 0.0


def test_a_step_without_probabilities_has_no_numbers_of_them() -> None:
    seen = SignalReader().read(reading())
    known = {name for name, value in seen.items() if value is not None}
    assert known == {"hesitates", "repeats", "tokens", "position"}


@pytest.mark.parametrize(
    ("risk", "decisions"),
    [
        (0.0, "rewrite rewrite rewrite"),
        (0.5, "write rewrite write"),
        (1.0, "write write write"),
    ],
)
def test_a_step_with_a_higher_risk_is_rewritten(risk: float, decisions: str) -> None:
    method = Learned(model=RISK, risk=risk)
    assert method.open() == Write(SRM)
    told = [method.on_step(reading(each)) for each in ([-0.1], [-1.0], [-0.2])]
    assert ["rewrite" if isinstance(each, Rewrite) else "write" for each in told] == (
        decisions.split()
    )
    assert method.on_step(reading([-1.0], author=LRM)) == Write(SRM)
    assert method.on_step(reading([-9.0], "\n")) == Write(SRM)


def test_a_draft_does_not_count_as_a_step_and_its_rewrite_does() -> None:
    only_first = RiskModel(0.0, (Curve("position", (0.0, 1.0), (5.0, -5.0)),))
    run = MethodRun.of("learned", Thresholds(risk=0.5, risk_model=only_first))
    run.open()
    assert isinstance(run.on_step(reading([-0.1])), Rewrite)
    assert isinstance(run.on_step(reading([-0.1])), Rewrite)
    assert run.on_step(reading([-0.1], author=LRM)) == Write(SRM)
    assert run.on_step(reading([-0.1])) == Write(SRM)
    run.open()
    assert isinstance(run.on_step(reading([-0.1])), Rewrite)


def test_alternatives_are_needed_where_the_model_looks_at_them() -> None:
    for name in SIGNALS:
        method = Learned(model=RiskModel(0.0, (Curve(name, (0.0,), (1.0,)),)), risk=0.5)
        assert method.needs_alternatives is (name in OF_ALTERNATIVES)
        assert method.needs_logprobs
        assert method.revises

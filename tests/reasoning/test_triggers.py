"""The three triggers: when each fires, exactly."""

from __future__ import annotations

import math

import pytest

from trigreason.reasoning import (
    CognitiveOffload,
    Direction,
    InterventionRequest,
    Step,
    StrategicPriming,
    Token,
)

OVER, UNDER = Direction.OVER, Direction.UNDER


@pytest.mark.parametrize(
    ("direction", "rho", "ratio", "fires"),
    [
        (OVER, 0.85, 0.86, True),
        (OVER, 0.85, 17 / 20, False),  # strictly more
        (OVER, 0.85, 0.84, False),
        (OVER, 0.75, 3 / 4, False),
        (OVER, 0.75, 1.0, True),
        (OVER, 1, 1.0, False),
        (OVER, 0, 0.0, False),
        (OVER, 0, 0.01, True),
        (OVER, 0.85, None, False),
        (UNDER, 0.85, 0.84, True),
        (UNDER, 0.85, 17 / 20, False),  # strictly less
        (UNDER, 0.85, 0.86, False),
        (UNDER, 0, 0.0, False),
        (UNDER, 1, 0.5, False),  # 1 is off in either direction
        (UNDER, 0.999, 0.5, True),
        (UNDER, 0.85, None, False),
    ],
)
def test_offload_fires(direction: Direction, rho: float, ratio: float | None, fires: bool) -> None:
    assert CognitiveOffload(rho=rho, direction=direction).fires(ratio) is fires


@pytest.mark.parametrize(
    ("direction", "rho", "is_off"),
    [(OVER, 1, True), (OVER, 0, False), (UNDER, 0, True), (UNDER, 1, True), (OVER, 0.99, False)],
)
def test_offload_is_off(direction: Direction, rho: float, is_off: bool) -> None:
    assert CognitiveOffload(rho=rho, direction=direction).is_off is is_off


def test_offload_reads_the_ratio_of_a_step() -> None:
    step = Step("", tuple(Token("", each) for each in (0.0, None, -1.0, -0.04)))
    assert CognitiveOffload().ratio(step) == pytest.approx(2 / 3)
    assert CognitiveOffload(tau=1.01).ratio(step) == pytest.approx(1 / 3)
    assert CognitiveOffload().ratio(Step("a", (Token("a"),))) is None


@pytest.mark.parametrize(
    ("k", "m", "fires_at"),
    [(1, 1, {1, 2, 3, 4}), (2, 1, {2, 3, 4}), (3, 2, {3, 4}), (1, 0, set()), (2, 0, set())],
)
def test_request_fires(k: int, m: int, fires_at: set[int]) -> None:
    request = InterventionRequest(k, m)
    assert {streak for streak in range(5) if request.fires(streak)} == fires_at
    assert request.is_off is (m == 0)


def test_request_reads_the_hesitations_of_a_step() -> None:
    step = Step("Wait, maybe.", ())
    assert InterventionRequest().hesitations(step) == ("wait", "maybe")
    assert InterventionRequest(expressions=("hm",)).hesitations(step) == ()


def test_the_defaults_are_the_papers() -> None:
    offload, request = CognitiveOffload(), InterventionRequest()
    assert StrategicPriming().n == 20
    assert (offload.tau, offload.rho, offload.direction) == (1.05, 0.85, OVER)
    assert (request.k, request.m) == (2, 1)


@pytest.mark.parametrize(
    ("make", "values", "complaint"),
    [
        (StrategicPriming, {"n": -1}, "n .*-1"),
        (CognitiveOffload, {"tau": 0.99}, "tau .*0.99"),
        (CognitiveOffload, {"tau": math.nan}, "tau"),
        (CognitiveOffload, {"tau": math.inf}, "tau"),
        (CognitiveOffload, {"rho": -0.1}, "rho .*-0.1"),
        (CognitiveOffload, {"rho": 1.1}, "rho .*1.1"),
        (CognitiveOffload, {"rho": math.nan}, "rho"),
        (InterventionRequest, {"k": 0}, "k .*0"),
        (InterventionRequest, {"m": -1}, "m .*-1"),
    ],
)
def test_out_of_range(make: type[object], values: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make(**values)
